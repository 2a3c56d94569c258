"""Found: dense and lexical scores fused, audience and validity kept, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np

from bot.domain.knowledge import Found, Hit, Plane
from bot.knowledge.abstain import Abstention, Evidence
from bot.knowledge.index import KnowledgeIndex, Shelf

_TOP = 100
# Enough for a hundred units, each with a handful of wordings; what is hidden comes on top.
_FETCHED = 300
_FETCHED_AT_MOST = 2000
_DENSE_SHARE = 0.5


@dataclass(frozen=True)
class _Scores:
    """Both scores of every unit that may be shown; minus infinity where there is none."""

    dense: np.ndarray
    lexical: np.ndarray


class KnowledgeSearch:
    """Searches what the index has published."""

    def __init__(self, index: KnowledgeIndex, zone: tzinfo) -> None:
        self._index = index
        self._zone = zone
        self._abstention = Abstention.of(index.embedder.name)

    async def find(self, question: str, plane: Plane, now: datetime, k: int = 5) -> Found:
        """Return the best documents that may be shown there now, and how sure the first is."""
        hits, evidence = await self.weigh(question, plane, now, k)
        if evidence is None:
            return Found()
        probability = self._abstention.probability(evidence)
        return Found(
            hits=hits,
            probability=probability,
            confident=probability >= self._abstention.threshold,
        )

    async def weigh(
        self, question: str, plane: Plane, now: datetime, k: int = 5
    ) -> tuple[tuple[Hit, ...], Evidence | None]:
        """Return the best documents and the evidence for the first; None where nothing is found."""
        shelf = self._index.shelf
        shown = shelf.shown(plane, now.astimezone(self._zone).date())
        if not question.strip() or not shown.any():
            return (), None
        scores = await self._scores(shelf, shown, question)
        fused = fuse(scores.dense, scores.lexical)
        best = _best_of_each(shelf, np.argsort(-fused, kind="stable"), fused, k)
        if not best:
            return (), None
        hits = tuple(_hit(shelf, unit, fused, scores) for unit in best)
        return hits, _evidence(shelf, question, best[0], scores)

    async def _scores(self, shelf: Shelf, shown: np.ndarray, question: str) -> _Scores:
        vector = await self._index.embedder.query(question)
        hidden = int((~shown[shelf.rows]).sum())
        fetched = min(len(shelf.rows), _FETCHED + hidden, _FETCHED_AT_MOST)
        dense = np.full(len(shelf.units), -np.inf)
        for key, score in await self._index.store.search(vector, fetched):
            unit = shelf.unit_of.get(key)
            # The store may hold what a newer or an older shelf has: that is not searched here.
            if unit is not None and shown[unit]:
                dense[unit] = max(dense[unit], score)
        lexical = np.full(len(shelf.units), -np.inf)
        np.maximum.at(lexical, shelf.rows, shelf.lexical.scores(question))
        lexical[~shown | (lexical <= 0)] = -np.inf
        return _Scores(dense, lexical)


def fuse(dense: np.ndarray, lexical: np.ndarray) -> np.ndarray:
    """Return the mean of both z-scores over each one's top hundred; minus infinity elsewhere.

    A unit that only one of them found gets the other's lowest z-score.
    """
    first, second = _z_scores(dense), _z_scores(lexical)
    found = np.isfinite(first) | np.isfinite(second)
    mixed = _DENSE_SHARE * _filled(first) + (1 - _DENSE_SHARE) * _filled(second)
    return np.where(found, mixed, -np.inf)


def _z_scores(scores: np.ndarray) -> np.ndarray:
    top = np.argsort(-scores, kind="stable")[:_TOP]
    top = top[np.isfinite(scores[top])]
    out = np.full(len(scores), -np.inf)
    if len(top):
        spread = float(scores[top].std())
        out[top] = (scores[top] - scores[top].mean()) / (spread if spread > 1e-9 else 1.0)
    return out


def _filled(z_scores: np.ndarray) -> np.ndarray:
    known = np.isfinite(z_scores)
    lowest = float(z_scores[known].min()) if known.any() else 0.0
    return np.where(known, z_scores, lowest)


def _best_of_each(shelf: Shelf, order: np.ndarray, fused: np.ndarray, k: int) -> list[int]:
    """Return the best unit of each of the k best documents."""
    best: dict[int, int] = {}
    for unit in order:
        if len(best) == k or not np.isfinite(fused[unit]):
            break
        best.setdefault(shelf.units[unit].document, int(unit))
    return list(best.values())


def _hit(shelf: Shelf, unit: int, fused: np.ndarray, scores: _Scores) -> Hit:
    document = shelf.documents[shelf.units[unit].document]
    return Hit(
        document=document,
        section=document.sections[shelf.units[unit].section],
        score=float(fused[unit]),
        dense=_or_zero(scores.dense[unit]),
        lexical=_or_zero(scores.lexical[unit]),
    )


def _evidence(shelf: Shelf, question: str, best: int, scores: _Scores) -> Evidence:
    others = shelf.owners != shelf.owners[best]
    ceiling = shelf.lexical.ceiling(question) or 1.0
    dense, lexical = _or_zero(scores.dense[best]), _or_zero(scores.lexical[best])
    rival_dense, rival_lexical = _highest(scores.dense, others), _highest(scores.lexical, others)
    background = scores.dense[np.isfinite(scores.dense)]
    return Evidence(
        dense=dense,
        dense_lead=dense - rival_dense,
        dense_rise=dense - float(np.median(background)) if len(background) else 0.0,
        lexical=lexical / ceiling,
        lexical_lead=(lexical - rival_lexical) / ceiling,
        agreement=float(
            int(np.argmax(scores.dense)) == best and int(np.argmax(scores.lexical)) == best
        ),
        coverage=shelf.lexical.coverage(question, shelf.units[best].text),
    )


def _highest(scores: np.ndarray, among: np.ndarray) -> float:
    return _or_zero(scores[among].max()) if among.any() else 0.0


def _or_zero(score: float) -> float:
    return float(score) if np.isfinite(score) else 0.0
