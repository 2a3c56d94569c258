"""Several scores of the same units made into one: z-scores over each one's best, averaged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

# Over more, the z-scores of the good ones would hang on how many bad ones there are.
TOP = 100
# A model that only scores what others found counts as much as the words in common.
_WITH_SECOND = {"dense": 0.4, "second": 0.3, "lexical": 0.3}
_WITHOUT = {"dense": 0.5, "lexical": 0.5}


def top(scores: np.ndarray, count: int = TOP) -> np.ndarray:
    """Return the places of the best scores, best first; those at minus infinity are left out."""
    if len(scores) > count:
        best = np.argpartition(-scores, count - 1)[:count]
        best = best[np.lexsort((best, -scores[best]))]
    else:
        best = np.argsort(-scores, kind="stable")
    known: np.ndarray = best[np.isfinite(scores[best])]
    return known


def z_scores(scores: np.ndarray) -> np.ndarray:
    """Return each score's distance from the mean of the best hundred, in their spreads.

    What is not among them gets the lowest of theirs: it is no better than that.
    """
    best = top(scores)
    if not len(best):
        return np.zeros(len(scores))
    values = scores[best]
    spread = float(values.std())
    known = (values - values.mean()) / (spread if spread > 1e-9 else 1.0)
    out = np.full(len(scores), known.min())
    out[best] = known
    return out


def fuse(z: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the weighted mean of z-scores, by name: dense and lexical, second where there is."""
    shares = _WITH_SECOND if "second" in z else _WITHOUT
    mixed = np.zeros(len(z["dense"]))
    for name, share in shares.items():
        mixed += share * z[name]
    return mixed
