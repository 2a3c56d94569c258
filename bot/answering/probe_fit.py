"""Fitting the probes: sentences that people judged in, weights and cross-validated rates out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bot.answering.probe import (
    NOTHING,
    PIECE_COUNTS,
    PIECES,
    Probe,
    packed,
    places_in,
)
from bot.answering.red_flags import FLAGS

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_FOLDS = 5
# The vector's numbers are brought to one spread, and together count as much as the pieces.
_VECTOR_COUNTS = 3.0
_LOOSENESS = 3.0
# Well over half of the ordinary texts for trouble are near misses, which people seldom write.
_MISTAKEN = 0.01


class Rates(NamedTuple):
    """What cross-validation found: shares of each kind heard, and of ordinary texts mistaken."""

    texts: int
    threshold: float
    mistaken: float
    heard: dict[str, float]


def read_said(paths: Iterable[Path]) -> dict[str, str]:
    """Read what customers say: a text a line under "# kind"; kinds that are no trouble are 无."""
    told: dict[str, str] = {}
    for path in paths:
        for kind, text in _sections(path):
            told[text] = kind if kind in FLAGS else NOTHING
    return told


def _sections(path: Path) -> Iterator[tuple[str, str]]:
    """Give each text of a file with the heading it stands under."""
    kind = NOTHING
    for raw in path.read_text("utf-8").splitlines():
        line = raw.strip()
        if line.startswith("# "):
            kind = line[2:].strip()
        elif line:
            yield kind, line


def fit(told: Mapping[str, str], vectors: Mapping[str, np.ndarray]) -> tuple[Probe, Rates]:
    """Return a probe with the threshold that cross-validation chose, and what it promises."""
    texts = list(told)
    kinds = np.array([told[text] for text in texts])
    directions = np.array([vectors[text] for text in texts])
    mean, spread = directions.mean(axis=0), directions.std(axis=0) + 1e-9
    counts = _VECTOR_COUNTS / (spread * np.sqrt(directions.shape[1]))
    looks = _looks(texts, (directions - mean) * counts)
    sure = _cross_validated(looks, kinds)
    ordinary = kinds == NOTHING
    chance = 1 - np.array([one[NOTHING] for one in sure])
    threshold = float(np.quantile(chance[ordinary], 1 - _MISTAKEN, method="higher"))
    threshold = min(threshold + 1e-4, 0.9999)
    model = _learnt(looks, kinds)
    weights, leaning = _both_sides(model)
    of_vector = weights[:, : len(mean)] * counts
    probe = Probe(
        tuple(map(str, model.classes_)),
        of_vector,
        weights[:, len(mean) :],
        leaning - of_vector @ mean,
        threshold,
    )
    heard = chance >= threshold
    shares = {str(kind): float(heard[kinds == kind].mean()) for kind in np.unique(kinds)}
    return probe, Rates(len(texts), threshold, shares.pop(NOTHING), shares)


def written(fitted: Mapping[str, Probe]) -> str:
    """Return the file of weights, by embedding model."""
    models = {name: packed(probe) for name, probe in fitted.items()}
    return json.dumps({"models": models}, ensure_ascii=False, indent=1) + "\n"


def _looks(texts: Sequence[str], vectors: np.ndarray) -> csr_matrix:
    from scipy.sparse import csr_matrix, hstack

    places = [places_in(text) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(one) for one in places])
    share = [np.full(len(one), PIECE_COUNTS * max(len(one), 1) ** -0.5) for one in places]
    pieces = csr_matrix(
        (np.concatenate(share), (rows, np.concatenate(places))), shape=(len(texts), PIECES)
    )
    return csr_matrix(hstack([csr_matrix(vectors), pieces]))


def _learnt(looks: csr_matrix, kinds: np.ndarray) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=_LOOSENESS, max_iter=1000).fit(looks, kinds)


def _both_sides(model: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return weights for each kind; of two, the library keeps the second's alone."""
    if len(model.classes_) > 2:
        return model.coef_, model.intercept_
    return np.vstack([-model.coef_, model.coef_]) / 2, np.array([-1, 1]) * model.intercept_ / 2


def _cross_validated(looks: csr_matrix, kinds: np.ndarray) -> list[dict[str, float]]:
    """Return each text's chances as a model says that has not seen it."""
    from sklearn.model_selection import StratifiedKFold

    said: list[dict[str, float]] = [{}] * len(kinds)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    for seen, unseen in folds.split(looks, kinds):
        model = _learnt(looks[seen], kinds[seen])
        for place, row in zip(unseen, model.predict_proba(looks[unseen]), strict=True):
            said[place] = dict(zip(map(str, model.classes_), row.tolist(), strict=True))
    return said
