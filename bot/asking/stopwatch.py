"""The parts of a search with a stopwatch, for somebody who wants to know where the time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from bot.answering.question import Trace
from bot.knowledge.edition import Edition
from bot.knowledge.index import KnowledgeIndex
from bot.ports import Embedder, Reranker


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


@dataclass(frozen=True)
class WatchedEdition(Edition):
    """An edition that notes how long its store takes."""

    trace: Trace = field(default_factory=Trace)

    async def nearest(self, question: str, k: int) -> Sequence[tuple[str, float]]:
        """Return the passages nearest to a question, best first, with their cosine similarity."""
        vector = await self.embedder.query(question)
        with self.trace.timing("nearest"):
            return await self.store.search(vector, k)


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
        parts["embedder"] = WatchedEmbedder(parts["embedder"], self._trace)
        return WatchedEdition(**parts, trace=self._trace)

    async def second_scores(self, question: str, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the second model's cosine by passage; empty where there is no second model."""
        with self._trace.timing("second"):
            return await super().second_scores(question, ids)


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
