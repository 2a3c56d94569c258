"""Found: what both searches gathered, read once more and put in order, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np

from bot.domain.knowledge import Found, Hit, Viewer
from bot.errors import IndexNotReady, Retryable
from bot.hanzi import simplified
from bot.knowledge.abstain import Weights
from bot.knowledge.candidates import Candidates, gather
from bot.knowledge.edition import Edition
from bot.knowledge.evidence import Evidence, Features, evidence, features
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.shelf import Shelf
from bot.log import logger
from bot.ports import Reranker

# What a model reads word by word takes its time for each.
_READ_BY_MODEL = 20
log = logger(__name__)


@dataclass(frozen=True)
class Weighed:
    """What a search knows: candidates best first, by their places, and everything about them.

    ``models`` names those that all of it was found by.
    """

    models: str
    shelf: Shelf
    candidates: Candidates
    seen: Features
    scores: np.ndarray
    order: np.ndarray
    evidence: Evidence

    @property
    def document_ids(self) -> tuple[str, ...]:
        """Return each candidate's document, in the candidates' own order."""
        units = self.candidates.pool.units[self.candidates.best]
        return tuple(self.shelf.documents[owner].id for owner in self.shelf.owners[units])


class KnowledgeSearch:
    """Searches what the index has published; a reranker, where there is one, has the last word.

    ``careful`` declines what might be a near miss.
    """

    def __init__(
        self,
        index: KnowledgeIndex,
        zone: tzinfo,
        reranker: Reranker | None = None,
        *,
        careful: bool = False,
    ) -> None:
        self._index = index
        self._zone = zone
        self._reranker = reranker
        self._careful = careful

    async def find(self, question: str, viewer: Viewer, now: datetime, k: int = 5) -> Found:
        """Return the best documents that may be shown now, and how sure the first is.

        Raise ``IndexNotReady`` before anything was published, ``Retryable`` where a model or a
        store fails.
        """
        if not self._index.ready:
            raise IndexNotReady
        weighed = await self.weigh(question, viewer, now)
        if weighed is None:
            return Found()
        abstention = Weights.of(weighed.models).abstention
        probability = abstention.probability(weighed.evidence)
        return Found(
            hits=_hits(weighed, k),
            probability=probability,
            confident=abstention.says_yes(weighed.evidence, careful=self._careful),
        )

    async def weigh(
        self, question: str, viewer: Viewer, now: datetime, weights: Weights | None = None
    ) -> Weighed | None:
        """Return all that is known for an answer; None where nothing is found.

        ``weights`` take the place of the fitted ones. Raise ``Retryable`` where a model or a
        store fails.
        """
        # The index goes over to new models while questions are being answered: each question
        # has the edition it began with, to the end.
        edition, question = self._index.edition, simplified(question)
        try:
            return await self._weighed(edition, question, viewer, now, weights)
        except Retryable:
            if self._index.models == edition.name:
                raise
        # Its stores are dropped as soon as the new edition answers.
        return await self._weighed(self._index.edition, question, viewer, now, weights)

    async def _weighed(
        self,
        edition: Edition,
        question: str,
        viewer: Viewer,
        now: datetime,
        weights: Weights | None,
    ) -> Weighed | None:
        shelf = self._index.shelf
        shown = shelf.shown(viewer, now.astimezone(self._zone).date())
        if not question.strip() or not shown.any():
            return None
        found = await gather(edition, shelf, shown, question)
        if found is None:
            return None
        seen = features(found)
        scores = (weights or Weights.of(edition.name)).ranking.scores(seen)
        order = np.argsort(-scores, kind="stable")
        order = await self._read_by_model(question, shelf, found, order)
        return Weighed(
            models=edition.name,
            shelf=shelf,
            candidates=found,
            seen=seen,
            scores=scores,
            order=order,
            evidence=evidence(question, shelf, found, seen, scores, int(order[0])),
        )

    async def _read_by_model(
        self, question: str, shelf: Shelf, found: Candidates, order: np.ndarray
    ) -> np.ndarray:
        """Let the model put the best in order; where it fails, theirs stays."""
        if self._reranker is None:
            return order
        best = order[:_READ_BY_MODEL]
        texts = [shelf.units[found.pool.units[found.best[place]]].text for place in best]
        try:
            scores = np.asarray(await self._reranker.scores(question, texts))
        except Retryable as error:
            log.warning("reranker_failed", reason=error.reason)
            return order
        return np.concatenate([best[np.argsort(-scores, kind="stable")], order[_READ_BY_MODEL:]])


def _hits(weighed: Weighed, k: int) -> tuple[Hit, ...]:
    """Return the best unit of each of the k best documents."""
    best: dict[int, int] = {}
    for place in weighed.order:
        if len(best) == k:
            break
        unit = weighed.candidates.pool.units[weighed.candidates.best[place]]
        best.setdefault(int(weighed.shelf.owners[unit]), int(place))
    return tuple(_hit(weighed, place) for place in best.values())


def _hit(weighed: Weighed, place: int) -> Hit:
    shelf, found = weighed.shelf, weighed.candidates
    unit = shelf.units[found.pool.units[found.best[place]]]
    document = shelf.documents[unit.document]
    scores = {name: round(float(values[place]), 4) for name, values in weighed.seen.items()}
    scores |= {name: round(float(found.of(name)[place]), 4) for name in found.pool.scores}
    return Hit(
        document=document,
        section=document.sections[unit.section],
        score=float(weighed.scores[place]),
        dense=float(found.of("dense")[place]),
        lexical=float(found.of("lexical")[place]),
        scores=scores,
    )
