"""Both vector stores keep the contract; Chroma also keeps its vectors."""

from pathlib import Path

import pytest

from bot.ai.chroma import ChromaStore, MemoryStore, collection_name
from bot.domain.knowledge import VectorItem
from bot.ports import VectorStore
from tests.contracts.vector_store import EAST, NORTH, VectorStoreContract


class TestMemoryStore(VectorStoreContract):
    @pytest.fixture
    def store(self) -> VectorStore:
        return MemoryStore(3)


class TestChromaStore(VectorStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> VectorStore:
        return ChromaStore(tmp_path / "chroma", "test-model")

    async def test_vectors_outlive_the_store_and_models_stay_apart(self, tmp_path: Path) -> None:
        await ChromaStore(tmp_path, "one").upsert([VectorItem("a", NORTH, "d")])
        assert await ChromaStore(tmp_path, "one").ids() == {"a"}
        other = ChromaStore(tmp_path, "two")
        assert await other.ids() == set()
        await other.upsert([VectorItem("b", EAST, "d")])
        assert await ChromaStore(tmp_path, "one").ids() == {"a"}


@pytest.mark.parametrize("model", ["m", "", "通义-v3", "BAAI/bge-m3:latest", "x" * 300])
def test_any_model_name_makes_a_collection_name_that_chroma_takes(model: str) -> None:
    name = collection_name(model)
    assert 3 <= len(name) <= 63
    assert name.replace("-", "").isalnum()
    assert name.isascii()


def test_models_that_look_alike_get_different_collections() -> None:
    assert collection_name("a/b") != collection_name("a-b")
