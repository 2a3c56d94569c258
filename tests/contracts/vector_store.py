"""What every VectorStore keeps to."""

import pytest

from bot.domain.knowledge import VectorItem
from bot.ports import VectorStore

NORTH, EAST, NORTH_EAST = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 1.0, 0.0)


class VectorStoreContract:
    """Subclass with a ``store`` fixture of an empty store for three dimensions."""

    async def test_an_empty_store_finds_nothing(self, store: VectorStore) -> None:
        assert await store.ids() == set()
        assert list(await store.search(NORTH, 5)) == []

    async def test_the_nearest_come_best_first_with_their_cosine(self, store: VectorStore) -> None:
        await store.upsert(
            [
                VectorItem("east", EAST, "d1"),
                VectorItem("north", NORTH, "d2"),
                VectorItem("between", NORTH_EAST, "d3"),
            ]
        )
        found = await store.search((2.0, 0.0, 0.0), 2)
        assert [key for key, _ in found] == ["north", "between"]
        assert found[0][1] == pytest.approx(1.0, abs=1e-4)
        assert found[1][1] == pytest.approx(0.7071, abs=1e-3)

    async def test_the_same_id_replaces(self, store: VectorStore) -> None:
        await store.upsert([VectorItem("a", NORTH, "d1")])
        assert list((await store.vectors(["a"]))["a"]) == pytest.approx(NORTH)
        await store.upsert([VectorItem("a", EAST, "d1"), VectorItem("b", NORTH, "d1")])
        assert list((await store.vectors(["a"]))["a"]) == pytest.approx(EAST)
        assert await store.ids() == {"a", "b"}
        assert next(iter(await store.search(EAST, 1)))[0] == "a"

    async def test_deleted_is_not_found_and_unknown_is_no_error(self, store: VectorStore) -> None:
        await store.upsert([VectorItem("a", NORTH, "d1"), VectorItem("b", EAST, "d1")])
        await store.delete(["a", "never-there"])
        await store.delete([])
        assert await store.ids() == {"b"}
        assert list(await store.vectors(["a", "b"])) == ["b"]
        assert [key for key, _ in await store.search(NORTH, 5)] == ["b"]

    async def test_vectors_are_given_back_by_their_ids(self, store: VectorStore) -> None:
        await store.upsert([VectorItem("a", NORTH, "d1"), VectorItem("b", NORTH_EAST, "d1")])
        found = await store.vectors(["b", "never-there"])
        assert list(found) == ["b"]
        x, y, z = (float(number) for number in found["b"])
        assert (x, y, z) == pytest.approx((y, x, 0.0))
        assert x > 0.5
        assert await store.vectors([]) == {}
