"""The units that may answer a question, gathered by both searches, with every score of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.domain.knowledge import DocumentKind
from bot.knowledge.edition import Edition
from bot.knowledge.fusion import fuse, top, z_scores
from bot.knowledge.nearest import dense_scores
from bot.knowledge.overlap import Asked, Overlap
from bot.knowledge.shelf import Shelf
from bot.knowledge.wanted import fitting

# So many are read once more; the answer is among them nearly as often as among a hundred.
READ_AGAIN = 30
# Among so many it is seen which of them are near to all the others.
_CROWD = 100
_NEIGHBOURS = 10


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
    fits: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """Return one score of each candidate."""
        scores: np.ndarray = self.pool.scores[name][self.best]
        return scores


async def gather(
    edition: Edition, shelf: Shelf, shown: np.ndarray, question: str
) -> Candidates | None:
    """Return the candidates for a question; None where nothing at all was found.

    ``shown`` tells for each unit whether it may be. The edition is one from the first look to
    the last: scores of two editions' models have no common scale.
    """
    pool = await _pool(edition, shelf, shown, question)
    if pool is None:
        return None
    crowd = top(pool.fused, _CROWD)
    best = crowd[:READ_AGAIN]
    rows = pool.rows[best]
    asked = Asked(question, shelf.lexical)
    texts = [shelf.passages[shelf.ids[row]].text for row in rows]
    return Candidates(
        pool=pool,
        best=best,
        overlaps=tuple(map(asked.compared, texts)),
        crowding=await _crowding(edition, [shelf.ids[row] for row in pool.rows[crowd]]),
        fits=_fits(shelf, pool.units[best], question, texts),
    )


def _fits(shelf: Shelf, units: np.ndarray, question: str, texts: list[str]) -> np.ndarray:
    """Return how well each tells what is asked for; 0 for Q&As, whose answer was not met."""
    owners = shelf.owners[units]
    plain = [n for n, one in enumerate(owners) if shelf.documents[one].kind is not DocumentKind.QA]
    fits = np.zeros(len(texts))
    fits[plain] = fitting(question, [texts[place] for place in plain])
    return fits


async def _pool(edition: Edition, shelf: Shelf, shown: np.ndarray, question: str) -> Pool | None:
    dense = await dense_scores(edition, shelf, shown, question)
    ceiling = shelf.lexical.ceiling(question) or 1.0
    lexical = shelf.lexical.scores(question) / ceiling
    lexical[~shown[shelf.rows] | (lexical <= 0)] = -np.inf
    units = _found(shelf, dense, lexical)
    if not len(units):
        return None
    rows = _met(shelf, units, dense, lexical)
    second = await edition.second_scores(question, [shelf.ids[row] for row in rows])
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


async def _crowding(edition: Edition, ids: list[str]) -> np.ndarray:
    """Return how near each candidate stands to its nearest neighbours; the best come first.

    One that is near to all others is near to every question, too, and says the less by being
    near to this one. In spreads, so that it has no scale of a model; the mean of all models.
    """
    kept = [crowding(ids, vectors, READ_AGAIN) for vectors in await edition.vectors(ids)]
    return np.mean(kept, axis=0) if kept else np.zeros(min(len(ids), READ_AGAIN))


def crowding(ids: list[str], vectors: Mapping[str, Sequence[float]], count: int) -> np.ndarray:
    """Return the first ones' mean cosine with the ten nearest of all, in spreads of all cosines."""
    count = min(count, len(ids))
    if len(ids) < 3 or any(key not in vectors for key in ids):
        return np.zeros(count)
    matrix = np.array([vectors[key] for key in ids], dtype=np.float32)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    near = matrix[:count] @ matrix.T
    # Each itself is the nearest of all, and is no neighbour.
    others = near[~np.eye(count, len(ids), dtype=bool)].reshape(count, -1)
    nearest = np.partition(others, -min(_NEIGHBOURS, others.shape[1]), axis=1)[:, -_NEIGHBOURS:]
    spread = float(others.std())
    crowd: np.ndarray = (nearest.mean(axis=1) - others.mean()) / (spread if spread > 1e-9 else 1.0)
    return crowd
