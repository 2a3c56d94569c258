"""However much is hidden, the nearest that may be shown are found."""

import asyncio

import numpy as np
import pytest

from bot.ai.stores import MemoryStore
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.nearest import dense_scores
from tests.rooms.knowledge.papers import BoxEmbedder, qa

QUESTION = "存折还能用吗"
# The nearest ones of all are in documents 0 to 1499, which are hidden in turn.
MANY = [qa(f"q{n}", f"{QUESTION}{chr(0x4E00 + n)}" * (1 if n < 1500 else 2)) for n in range(1600)]


class CountingStore(MemoryStore):
    """Remembers how many it was asked for."""

    def __init__(self) -> None:
        super().__init__(256)
        self.searched: list[int] = []
        self.looked_up: list[int] = []

    async def search(self, vector, k):  # type: ignore[no-untyped-def]
        self.searched.append(k)
        return await super().search(vector, k)

    async def vectors(self, ids):  # type: ignore[no-untyped-def]
        self.looked_up.append(len(ids))
        return await super().vectors(ids)


@pytest.fixture(scope="module")
def ground() -> tuple[KnowledgeIndex, CountingStore]:
    store = CountingStore()
    index = KnowledgeIndex(BoxEmbedder(), store)
    asyncio.run(index.publish(MANY))
    return index, store


@pytest.mark.parametrize(
    ("open_ones", "by_search"),
    [(slice(None), True), (slice(0, None, 2), True), (slice(1500, 1600), False)],
)
async def test_the_best_that_may_be_shown_are_found_with_their_cosine(
    ground: tuple[KnowledgeIndex, CountingStore], open_ones: slice, *, by_search: bool
) -> None:
    index, store = ground
    store.searched.clear()
    shown = np.zeros(len(index.shelf.units), dtype=bool)
    shown[open_ones] = True
    found = await dense_scores(index.edition, index.shelf, shown, QUESTION)
    assert bool(store.searched) is by_search
    may_be = shown[index.shelf.rows]
    assert not np.isfinite(found[~may_be]).any()
    everything = dict(await MemoryStore.search(store, await BoxEmbedder().query(QUESTION), 9999))
    expected = np.array([everything[key] for key in index.shelf.ids])
    best = np.argsort(-np.where(may_be, expected, -np.inf), kind="stable")[:100]
    assert found[best] == pytest.approx(expected[best], abs=1e-5)


async def test_vectors_of_a_few_are_read_once_for_a_shelf(
    ground: tuple[KnowledgeIndex, CountingStore],
) -> None:
    index, store = ground
    shown = np.zeros(len(index.shelf.units), dtype=bool)
    shown[:20] = True
    store.looked_up.clear()
    for question in (QUESTION, "卡丢了", "卡丢了"):
        await dense_scores(index.edition, index.shelf, shown, question)
    assert store.looked_up == [40]
    shown[20:30] = True
    await dense_scores(index.edition, index.shelf, shown, QUESTION)
    assert store.looked_up == [40, 60]
