"""Which questions mean the same: their vectors compared against those of what is known already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Vectors = Sequence[np.ndarray]
"""One matrix for each model, a row for each text."""

# Standard deviations above two questions that have nothing in common. Chosen on made-up questions
# of fifteen meanings, tried on eight others: pairwise F1 .88 and .92 (tests/teaching/sayings.py).
SAME = 2.4
JOINS = 2.6
_MANY = 15  # below it there is no density to tell a crowd from a chance
_FEWEST = 3
_TOP = 12.0
_FEW_KNOWN = 30
_UNIT = 0.13  # the bundled models' spread, where too little is known to measure one


class Measure:
    """Compares questions by each model's cosine, in units of how unlike questions differ.

    ``known`` are vectors of questions about all sorts of things: they give each model its zero and
    its unit, so that any model, and several together, can be held to one bound.
    """

    def __init__(self, known: Vectors) -> None:
        self._centres: list[np.ndarray] = []
        self._zeros: list[tuple[float, float]] = []
        for matrix in known:
            rows = _unit(matrix)
            centre = rows.mean(axis=0)
            apart = _unit(rows - centre)
            cosines = (apart @ apart.T)[~np.eye(len(apart), dtype=bool)]
            spread = float(cosines.std()) if len(apart) > 2 else 0.0
            self._centres.append(centre)
            self._zeros.append((float(cosines.mean()) if spread else 0.0, spread or _UNIT))

    def between(self, some: Vectors, others: Vectors) -> np.ndarray:
        """Return how alike each of some is to each of the others, over all models."""
        total: np.ndarray | None = None
        for one, other, centre, (zero, unit) in zip(
            some, others, self._centres, self._zeros, strict=True
        ):
            cosines = _unit(_unit(one) - centre) @ _unit(_unit(other) - centre).T
            part = (cosines - zero) / unit
            total = part if total is None else total + part
        if total is None:
            return np.zeros((0, 0))
        return np.asarray(total / len(self._centres))


def groups_of(alike: np.ndarray) -> list[list[int]]:
    """Return the groups of at least two, largest first; who fits nowhere is in none.

    Many are grouped by density (HDBSCAN), few by their mean likeness: among a handful there is no
    density that a group could stand out from.
    """
    count = len(alike)
    if count < 2:
        return []
    apart = np.clip(_TOP - alike, 0.0, None)
    np.fill_diagonal(apart, 0.0)
    labels = _by_density(apart) if count >= _MANY else _by_mean(apart)
    found: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        if label >= 0:
            found.setdefault(int(label), []).append(place)
    groups = [group for group in found.values() if len(group) > 1]
    return sorted(groups, key=lambda group: (-len(group), group[0]))


def _by_density(apart: np.ndarray) -> np.ndarray:
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(
        min_cluster_size=_FEWEST,
        min_samples=1,
        metric="precomputed",
        cluster_selection_method="leaf",
        copy=True,
    )
    return np.asarray(model.fit_predict(apart))


def _by_mean(apart: np.ndarray) -> np.ndarray:
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(
        n_clusters=None,
        metric="precomputed",
        linkage="average",
        distance_threshold=_TOP - SAME,
    )
    return np.asarray(model.fit_predict(apart))


def best_group(alike: np.ndarray, groups: Sequence[Sequence[int]]) -> int | None:
    """Return which of some groups a question belongs to by its mean likeness; None for none."""
    means = [float(alike[list(group)].mean()) for group in groups]
    if not means or max(means) < JOINS:
        return None
    return int(np.argmax(means))


def middle_first(alike: np.ndarray) -> list[int]:
    """Order a group's members: the most typical, then each time the one least like those before."""
    if not len(alike):
        return []
    order = [int(np.argmax(alike.sum(axis=1)))]
    while len(order) < len(alike):
        nearest = alike[:, order].max(axis=1)
        nearest[order] = np.inf
        order.append(int(np.argmin(nearest)))
    return order


def enough_known(known: Vectors) -> bool:
    """Tell whether there are enough known questions to compare against."""
    return bool(known) and all(len(matrix) >= _FEW_KNOWN for matrix in known)


def _unit(matrix: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.where(lengths > 0, lengths, 1.0))
