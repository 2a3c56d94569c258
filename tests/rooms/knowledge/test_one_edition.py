"""The index goes over to new models in the midst of a question: that question never mixes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.ai.stores import MemoryStore
from bot.domain.knowledge import Viewer
from bot.errors import Retryable
from bot.knowledge.edition import Edition
from bot.knowledge.index import KnowledgeIndex, lay_out
from bot.knowledge.search import KnowledgeSearch
from tests.rooms.knowledge.papers import BoxEmbedder, qa

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 10, 12, 2, tzinfo=UTC)
MANY = [qa(f"q{number}", f"第{number}问怎么办") for number in range(150)]  # 300 passages
ASKED = "第7问怎么办"


class Noted(MemoryStore):
    """A store that remembers whether it was asked, and that can be gone."""

    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        self.questions = 0
        self.gone = False

    async def search(self, vector: Sequence[float], k: int) -> Sequence[tuple[str, float]]:
        self.questions += 1
        if self.gone:
            raise Retryable("chroma: NotFoundError")
        return await super().search(vector, k)

    async def vectors(self, ids: Sequence[str]) -> Mapping[str, Sequence[float]]:
        self.questions += 1
        return await super().vectors(ids)


class Turning(BoxEmbedder):
    """A model whose question is still being embedded while the index goes over to others."""

    index: KnowledgeIndex | None = None

    async def query(self, text: str) -> Sequence[float]:
        if self.index is not None:
            await self.index.catch_up()
        return await super().query(text)


async def _half_way(older: Edition, newest: Edition, *, drops: bool = False) -> KnowledgeIndex:
    """Return an index that searches an older edition until its model is asked next."""

    async def tidy() -> None:
        older.store.gone = drops  # type: ignore[attr-defined]  # a Noted store

    await older.fill(await older.lacking(lay_out(MANY).passages))
    index = KnowledgeIndex.over(newest, older, lambda standing: None, tidy)
    await index.publish(MANY, hurried=True)
    assert index.behind
    older.embedder.index = index  # type: ignore[attr-defined]  # a Turning model
    return index


def _older() -> Edition:
    return Edition(Turning("old"), Noted(256), BoxEmbedder("use-m3", 64), Noted(64))


def _newest() -> Edition:
    return Edition(BoxEmbedder("new", 32), Noted(32), BoxEmbedder("use-m3", 16), Noted(16))


async def test_a_question_ends_with_the_models_that_it_began_with() -> None:
    newest = _newest()
    index = await _half_way(_older(), newest)
    weighed = await KnowledgeSearch(index, ZONE).weigh(ASKED, Viewer("kf"), NOW)
    assert index.models == "new+use-m3"
    assert weighed is not None
    assert weighed.models == "old+use-m3"
    assert newest.store.questions == newest.second_store.questions == 0  # type: ignore[union-attr]

    weighed = await KnowledgeSearch(index, ZONE).weigh(ASKED, Viewer("kf"), NOW)
    assert weighed is not None
    assert weighed.models == "new+use-m3"


async def test_a_question_whose_store_is_dropped_meanwhile_is_asked_of_the_new_one() -> None:
    index = await _half_way(_older(), _newest(), drops=True)
    search = KnowledgeSearch(index, ZONE)
    weighed = await search.weigh(ASKED, Viewer("kf"), NOW)
    assert weighed is not None
    assert weighed.models == "new+use-m3"
    assert (await search.find(ASKED, Viewer("kf"), NOW)).hits != ()
