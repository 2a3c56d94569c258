"""All vector stores keep the contract; Chroma also keeps its vectors."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from bot.ai.chroma import Imprint, collection_name
from bot.ai.chroma_files import open_folder
from bot.ai.recent import RecentStore
from bot.ai.stores import FileStore, MemoryStore
from bot.domain.knowledge import VectorItem
from bot.errors import ConfigError, Retryable
from bot.ports import VectorStore
from tests.contracts.vector_store import EAST, NORTH, VectorStoreContract

ONE, OTHER = Imprint("one", 3), Imprint("two", 3, "http://127.0.0.1:1")


class TestMemoryStore(VectorStoreContract):
    @pytest.fixture
    def store(self) -> VectorStore:
        return MemoryStore(3)


class TestFileStore(VectorStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return FileStore(tmp_path / "second" / "v.sqlite")

    async def test_what_is_no_database_is_begun_again(self, tmp_path: Path) -> None:
        path = tmp_path / "v.sqlite"
        path.write_bytes(b"no database at all" * 100)
        store = FileStore(path)
        assert await store.ids() == set()
        await store.upsert([VectorItem("a", NORTH, "d")])
        assert await FileStore(path).ids() == {"a"}


class TestRecentStore(VectorStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return RecentStore(FileStore(tmp_path / "v.sqlite"), kept=2)

    async def test_what_was_read_lately_is_not_read_again(self, tmp_path: Path) -> None:
        behind = FileStore(tmp_path / "v.sqlite")
        store = RecentStore(behind, kept=2)
        await store.upsert([VectorItem(key, NORTH, "d") for key in "abc"])
        await store.vectors(["a", "b"])
        await store.vectors(["a", "c"])  # b was asked for the longest time ago
        await behind.delete(["a", "b", "c"])
        assert set(await store.vectors(["a", "b", "c"])) == {"a", "c"}

    async def test_more_than_it_holds_is_given_whole(self, tmp_path: Path) -> None:
        store = RecentStore(FileStore(tmp_path / "v.sqlite"), kept=2)
        await store.upsert([VectorItem(key, EAST, "d") for key in "abc"])
        assert set(await store.vectors(["a", "b", "c"])) == {"a", "b", "c"}


class TestChromaStore(VectorStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[VectorStore]:
        async with open_folder(tmp_path / "index") as chroma:
            yield chroma.store(ONE)

    async def test_vectors_outlive_the_store_and_models_stay_apart(self, tmp_path: Path) -> None:
        async with open_folder(tmp_path) as chroma:
            await chroma.store(ONE).upsert([VectorItem("a", NORTH, "d")])
        async with open_folder(tmp_path) as chroma:
            assert await chroma.store(ONE).ids() == {"a"}
            assert await chroma.store(OTHER).ids() == set()
            await chroma.store(OTHER).upsert([VectorItem("b", EAST, "d")])
            assert await chroma.kept() == {ONE: 1, OTHER: 1}
            await chroma.drop(OTHER)
            await chroma.drop(OTHER)
            assert await chroma.kept() == {ONE: 1}


async def test_a_dropped_collection_is_made_anew_at_the_next_try(tmp_path: Path) -> None:
    async with open_folder(tmp_path) as chroma:
        store = chroma.store(ONE)
        await store.upsert([VectorItem("a", NORTH, "d")])
        await chroma.drop(ONE)
        with pytest.raises(Retryable):
            await store.search(NORTH, 1)
        assert await store.ids() == set()


@pytest.mark.parametrize("broken", ["chroma.sqlite3", "*/header.bin"])
async def test_files_that_cannot_be_read_are_left_for_new_ones(tmp_path: Path, broken: str) -> None:
    many = np.random.default_rng(1).normal(size=(1200, 3))
    items = [VectorItem(str(n), vector.tolist(), "d") for n, vector in enumerate(many)]
    async with open_folder(tmp_path) as chroma:
        await chroma.store(ONE).upsert(items)
    [path] = (tmp_path / "chroma-1").glob(broken)
    path.write_bytes(b"\xff" * 9000)
    async with open_folder(tmp_path) as chroma:
        assert await chroma.store(ONE).ids() == set()
        await chroma.store(ONE).upsert(items[:1])
    assert os.listdir(tmp_path) == ["chroma-2"]
    async with open_folder(tmp_path) as chroma:
        assert await chroma.store(ONE).ids() == {"0"}


async def test_files_that_the_last_one_died_of_are_not_opened_again(tmp_path: Path) -> None:
    async with open_folder(tmp_path) as chroma:
        await chroma.store(ONE).upsert([VectorItem("a", NORTH, "d")])
    (tmp_path / "chroma-1.opening").touch()
    async with open_folder(tmp_path) as chroma:
        assert await chroma.store(ONE).ids() == set()
    assert os.listdir(tmp_path) == ["chroma-2"]


async def test_what_somebody_else_keeps_in_the_folder_is_not_touched(tmp_path: Path) -> None:
    theirs = tmp_path / "chroma.sqlite3"
    theirs.write_bytes(b"not ours")
    async with open_folder(tmp_path) as chroma:
        await chroma.store(ONE).upsert([VectorItem("a", NORTH, "d")])
    assert theirs.read_bytes() == b"not ours"


async def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file")
    with pytest.raises(ConfigError, match="索引目录"):
        async with open_folder(tmp_path / "index"):
            pass


@pytest.mark.parametrize("model", ["m", "", "通义-v3", "BAAI/bge-m3:latest", "x" * 300])
def test_any_model_name_makes_a_collection_name_that_chroma_takes(model: str) -> None:
    name = collection_name(model)
    assert 3 <= len(name) <= 63
    assert name.replace("-", "").isalnum()
    assert name.isascii()


def test_models_that_look_alike_get_different_collections() -> None:
    assert collection_name("a/b") != collection_name("a-b")
