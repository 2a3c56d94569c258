"""What is known about candidates, as numbers: for their order, and for whether to answer at all."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from bot.knowledge.candidates import Candidates
from bot.knowledge.lexical import plain
from bot.knowledge.shelf import Shelf

Evidence = Mapping[str, float]
Features = Mapping[str, np.ndarray]
_BACKGROUND = 10


def features(found: Candidates) -> Features:
    """Return every candidate's numbers by name: scores among the others', and words in common."""
    pool = found.pool
    out: dict[str, np.ndarray] = {
        "fused": pool.fused[found.best],
        "crowding": found.crowding,
        "fits": found.fits,
    }
    for name, scores in pool.scores.items():
        out[f"z_{name}"] = pool.z[name][found.best]
        out[f"gap_{name}"] = found.of(name) - scores.max()
    columns = zip(*found.overlaps, strict=True)
    out |= {
        name: np.array(column)
        for name, column in zip(found.overlaps[0]._fields, columns, strict=True)
    }
    return out


def evidence(
    question: str, shelf: Shelf, found: Candidates, seen: Features, scores: np.ndarray, first: int
) -> Evidence:
    """Return what speaks for and against the candidate that was put first.

    ``scores`` are those the candidates were put in order by, ``first`` its place among them.
    """
    pool, best = found.pool, found.best
    owners = shelf.owners[pool.units]
    others = owners != owners[best[first]]
    out = {name: float(values[first]) for name, values in seen.items()}
    out |= _standing(scores, others[best], first)
    agreeing = 0
    for name, values in pool.scores.items():
        mine, rivals = float(values[best[first]]), values[others]
        rival = float(rivals.max()) if len(rivals) else 0.0
        out[name] = mine
        out[f"{name}_lead"] = mine - rival
        out[f"{name}_rise"] = mine - float(np.median(values))
        out[f"{name}_crowd"] = mine - _mean_of_best(rivals)
        agreeing += mine >= rival
    out["agreement"] = agreeing / len(pool.scores)
    out["coverage_anywhere"] = float(seen["coverage"].max())
    out["missing_anywhere"] = float(seen["missing"].min())
    out["asked"] = math.log(len(plain(question)) + 1)
    return out


def _standing(scores: np.ndarray, others: np.ndarray, first: int) -> dict[str, float]:
    """Return how far the first is before the candidates of other documents, and how sure."""
    share = np.exp(scores - scores.max())
    share /= share.sum()
    rivals = scores[others]
    return {
        "rank": float(scores[first]),
        "rank_lead": float(scores[first] - rivals.max()) if len(rivals) else 0.0,
        "rank_share": float(share[~others].sum()),
        "doubt": float(-(share * np.log(share + 1e-12)).sum()),
    }


def _mean_of_best(values: np.ndarray) -> float:
    best = np.sort(values)[-_BACKGROUND:]
    return float(best.mean()) if len(best) else 0.0
