"""How well an index finds and how honestly it declines, measured on a set of questions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC
from typing import Any, NamedTuple

import numpy as np

from bot.domain.knowledge import Viewer
from bot.knowledge.fitting import auroc, interval
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.questions import AT, Asked, QuestionSet
from bot.knowledge.search import KnowledgeSearch
from bot.ports import Reranker

_LOOKED_AT = 10
_DECLINED = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


class Outcome(NamedTuple):
    """A question, the documents found for it, how sure the first was, and how long it took."""

    asked: Asked
    found: tuple[str, ...]
    probability: float
    answered: bool
    seconds: float

    @property
    def place(self) -> int | None:
        """Return the place of the first right document, counted from 1; None where it is not."""
        places = (n for n, key in enumerate(self.found, start=1) if key in self.asked.relevant)
        return next(places, None)


async def ask_all(
    index: KnowledgeIndex,
    one: QuestionSet,
    reranker: Reranker | None = None,
    *,
    careful: bool = False,
) -> list[Outcome]:
    """Ask every question one after the other, as staff would, of an index that is published."""
    search = KnowledgeSearch(index, UTC, reranker, careful=careful)
    if one.asked:
        await search.find(one.asked[0].text, Viewer("staff"), AT)  # the models are read first
    out = []
    for asked in one.asked:
        began = time.perf_counter()
        found = await search.find(asked.text, Viewer("staff"), AT, _LOOKED_AT)
        spent = time.perf_counter() - began
        ids = tuple(hit.document.id for hit in found.hits)
        out.append(Outcome(asked, ids, found.probability, found.confident, spent))
    return out


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures; None where a set has no questions of the kind they are about."""
    right = [one for one in outcomes if one.asked.relevant]
    wrong = [one for one in outcomes if not one.asked.relevant]
    good = np.array([one.probability for one in right])
    bad = np.array([one.probability for one in wrong])
    spent = np.array([one.seconds for one in outcomes]) * 1000
    both = bool(right) and bool(wrong)
    low, high = interval(good, bad) if both else (None, None)
    return {
        "r@1": _mean([one.place == 1 for one in right]),
        "r@5": _mean([one.place is not None and one.place <= 5 for one in right]),
        "mrr@10": _mean([1 / one.place if one.place else 0.0 for one in right]),
        "answered_unanswerable": _mean([one.answered for one in wrong]),
        "declined_answerable": _mean([not one.answered for one in right]),
        "abstention_auroc": _rounded(auroc(good, bad)) if both else None,
        "abstention_auroc_95": [_rounded(low), _rounded(high)] if both else None,
        "leak_at_decline_20": _leak(good, bad, 0.2) if both else None,
        "ms_p50": _rounded(np.quantile(spent, 0.5), 1) if len(spent) else None,
        "ms_p95": _rounded(np.quantile(spent, 0.95), 1) if len(spent) else None,
        "queries": len(outcomes),
        "unanswerable": len(wrong),
        "curve": _curve(good, bad) if both else None,
    }


def _curve(good: np.ndarray, bad: np.ndarray) -> list[dict[str, float]]:
    """Return what leaks when so many of the answerable are declined, and the threshold for it."""
    return [
        {
            "declined_answerable": share,
            "answered_unanswerable": _leak(good, bad, share),
            "threshold": _rounded(np.quantile(good, share)),
        }
        for share in _DECLINED
    ]


def _leak(good: np.ndarray, bad: np.ndarray, share: float) -> float:
    return _rounded((bad >= np.quantile(good, share)).mean())


def _mean(values: Sequence[float]) -> float | None:
    return _rounded(float(np.mean(values))) if values else None


def _rounded(value: Any, digits: int = 4) -> float:
    return round(float(value), digits)
