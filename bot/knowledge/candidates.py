"""The units that may answer a question, gathered by both searches, with every score of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.knowledge.fusion import fuse, top, z_scores
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.nearest import dense_scores
from bot.knowledge.overlap import Asked, Overlap
from bot.knowledge.shelf import Shelf

# So many are read once more; the answer is among them nearly as often as among a hundred.
READ_AGAIN = 30
_NEIGHBOURS = 5


@dataclass(frozen=True)
class Pool:
    """What both searches found: units, and their scores, as arrays of one length.

    ``rows`` is the passage of each unit that the question met, ``scores`` and ``z`` have
    "dense", "lexical" and, where there is a second model, "second"; ``fused`` is made of ``z``.
    """

    units: np.ndarray
    rows: np.ndarray
    scores: Mapping[str, np.ndarray]
    z: Mapping[str, np.ndarray]
    fused: np.ndarray


@dataclass(frozen=True)
class Candidates:
    """The best of a pool, by its fused score, and what was seen when they were read again."""

    pool: Pool
    best: np.ndarray
    overlaps: tuple[Overlap, ...]
    crowding: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """Return one score of each candidate."""
        scores: np.ndarray = self.pool.scores[name][self.best]
        return scores


async def gather(
    index: KnowledgeIndex, shelf: Shelf, shown: np.ndarray, question: str
) -> Candidates | None:
    """Return the candidates for a question; None where nothing at all was found.

    ``shown`` tells for each unit whether it may be.
    """
    pool = await _pool(index, shelf, shown, question)
    if pool is None:
        return None
    best = top(pool.fused, READ_AGAIN)
    rows = pool.rows[best]
    asked = Asked(question, shelf.lexical)
    texts = [shelf.passages[shelf.ids[row]].text for row in rows]
    return Candidates(
        pool=pool,
        best=best,
        overlaps=tuple(map(asked.compared, texts)),
        crowding=await _crowding(index, [shelf.ids[row] for row in rows]),
    )


async def _pool(
    index: KnowledgeIndex, shelf: Shelf, shown: np.ndarray, question: str
) -> Pool | None:
    dense = await dense_scores(index, shelf, shown, question)
    ceiling = shelf.lexical.ceiling(question) or 1.0
    lexical = shelf.lexical.scores(question) / ceiling
    lexical[~shown[shelf.rows] | (lexical <= 0)] = -np.inf
    units = _found(shelf, dense, lexical)
    if not len(units):
        return None
    rows = _met(shelf, units, dense, lexical)
    second = await index.second_scores(question, [shelf.ids[row] for row in rows])
    by_row = {"dense": dense[rows], "lexical": lexical[rows]}
    if second:
        by_row["second"] = np.array([second.get(shelf.ids[row], -np.inf) for row in rows])
    places = np.searchsorted(units, shelf.rows[rows])
    scores = {name: _highest(values, places, len(units)) for name, values in by_row.items()}
    z = {name: z_scores(values) for name, values in scores.items()}
    # Of a unit's wordings, the one that all together find the nearest was met.
    whole = np.add.reduce([_without_holes(values) for values in by_row.values()])
    order = np.lexsort((-whole, places))
    _, first = np.unique(places[order], return_index=True)
    return Pool(
        units=units,
        rows=rows[order[first]],
        scores={name: _without_holes(values) for name, values in scores.items()},
        z=z,
        fused=fuse(z),
    )


def _found(shelf: Shelf, dense: np.ndarray, lexical: np.ndarray) -> np.ndarray:
    """Return the hundred best units of either search, in the shelf's order."""
    found = [top(_highest(scores, shelf.rows, len(shelf.units))) for scores in (dense, lexical)]
    return np.unique(np.concatenate(found))


def _met(shelf: Shelf, units: np.ndarray, dense: np.ndarray, lexical: np.ndarray) -> np.ndarray:
    """Return for each unit the passage nearest by either search: one or two."""
    wanted = np.zeros(len(shelf.units), dtype=bool)
    wanted[units] = True
    rows = np.flatnonzero(wanted[shelf.rows])
    met = []
    for scores in (dense, lexical):
        order = np.lexsort((-scores[rows], shelf.rows[rows]))
        _, first = np.unique(shelf.rows[rows][order], return_index=True)
        met.append(rows[order[first]])
    return np.unique(np.concatenate(met))


def _highest(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    out = np.full(size, -np.inf)
    known = np.flatnonzero(np.isfinite(values))
    np.maximum.at(out, places[known], values[known])
    return out


def _without_holes(values: np.ndarray) -> np.ndarray:
    """Put the lowest score there is where there is none."""
    known = np.isfinite(values)
    return np.where(known, values, values[known].min() if known.any() else 0.0)


async def _crowding(index: KnowledgeIndex, ids: list[str]) -> np.ndarray:
    """Return how near each candidate stands to its five nearest neighbours among them.

    One that is near to all others is near to every question, too, and says the less by being
    near to this one. In spreads, so that it has no scale of a model; the mean of all models.
    """
    kept = [crowding(ids, vectors) for vectors in await index.vectors(ids)]
    return np.mean(kept, axis=0) if kept else np.zeros(len(ids))


def crowding(ids: list[str], vectors: Mapping[str, Sequence[float]]) -> np.ndarray:
    """Return the mean cosine with the five nearest others, in spreads of all cosines."""
    if len(ids) < 3 or any(key not in vectors for key in ids):
        return np.zeros(len(ids))
    matrix = np.array([vectors[key] for key in ids], dtype=np.float64)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    near = matrix @ matrix.T
    others = near[~np.eye(len(ids), dtype=bool)]
    np.fill_diagonal(near, -np.inf)
    nearest = np.sort(near, axis=1)[:, 1:][:, -_NEIGHBOURS:]
    spread = float(others.std())
    crowd: np.ndarray = (nearest.mean(axis=1) - others.mean()) / (spread if spread > 1e-9 else 1.0)
    return crowd
