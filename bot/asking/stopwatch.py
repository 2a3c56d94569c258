"""The parts of a search with a stopwatch, for somebody who wants to know where the time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from bot.answering.question import Trace
from bot.domain.knowledge import VectorItem
from bot.knowledge.edition import Edition
from bot.knowledge.index import KnowledgeIndex
from bot.ports import Embedder, Reranker, VectorStore


class WatchedEmbedder:
    """A model that notes how long it takes for a question."""

    def __init__(self, embedder: Embedder, trace: Trace) -> None:
        self.name, self.dimensions = embedder.name, embedder.dimensions
        self._embedder = embedder
        self._trace = trace

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Embed texts that will be searched, in order."""
        return await self._embedder.passages(texts)

    async def query(self, text: str) -> Sequence[float]:
        """Embed one question."""
        with self._trace.timing("embed"):
            return await self._embedder.query(text)


class WatchedStore:
    """A store that notes how long it takes to find what is near, and to give vectors back."""

    def __init__(self, store: VectorStore, trace: Trace) -> None:
        self._store = store
        self._trace = trace

    async def upsert(self, items: Sequence[VectorItem]) -> None:
        """Add the items, each replacing one of the same id."""
        await self._store.upsert(items)

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove the items; an unknown id is no error."""
        await self._store.delete(ids)

    async def ids(self) -> set[str]:
        """Return every id that is kept."""
        return await self._store.ids()

    async def search(self, vector: Sequence[float], k: int) -> Sequence[tuple[str, float]]:
        """Return the nearest ids, best first, with their cosine similarity."""
        with self._trace.timing("nearest"):
            return await self._store.search(vector, k)

    async def vectors(self, ids: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Return the vectors of these ids as far as they are kept."""
        with self._trace.timing("nearest"):
            return await self._store.vectors(ids)


@dataclass(frozen=True)
class WatchedEdition(Edition):
    """An edition that notes how long the second model's scores take."""

    trace: Trace = field(default_factory=Trace)

    async def second_scores(self, question: str, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the second model's cosine for these passages, as far as it knows them."""
        if self.second is None:
            return {}
        with self.trace.timing("second"):
            return await super().second_scores(question, ids)


class WatchedIndex(KnowledgeIndex):
    """The very index that was opened, which notes how long its models and its store take."""

    def __init__(self, index: KnowledgeIndex, trace: Trace) -> None:
        self.__dict__ = index.__dict__  # one state, so that nothing is opened twice
        self._trace = trace

    @property
    def edition(self) -> Edition:
        """Return what is searched now, watched."""
        searched = super().edition
        parts = {one.name: getattr(searched, one.name) for one in fields(Edition)}
        parts["embedder"] = WatchedEmbedder(searched.embedder, self._trace)
        if searched.second is not None:
            parts["second"] = WatchedEmbedder(searched.second, self._trace)
        parts["store"] = WatchedStore(searched.store, self._trace)
        return WatchedEdition(**parts, trace=self._trace)


class WatchedReranker:
    """A reranker that notes how long it takes, and what it said of each text."""

    def __init__(self, reranker: Reranker, trace: Trace) -> None:
        self._reranker = reranker
        self._trace = trace
        self.said: dict[str, float] = {}

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Return for each text how well it answers, in their order; raise ``Retryable``."""
        with self._trace.timing("rerank"):
            scores = await self._reranker.scores(question, texts)
        self.said |= dict(zip(texts, scores, strict=False))
        return scores
