"""The dense half of a search: more is fetched than is wanted, and what is hidden is left out.

A store that filters by itself takes hundreds of milliseconds at 100,000 passages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np

from bot.knowledge.edition import Edition
from bot.knowledge.shelf import Few, Shelf

# Enough for a hundred units, each with a handful of wordings; what is hidden comes on top.
_WANTED = 300
_AT_MOST = 2000


async def dense_scores(
    edition: Edition, shelf: Shelf, shown: np.ndarray, question: str
) -> np.ndarray:
    """Return each passage's cosine with the question; minus infinity where it was not found.

    ``shown`` tells for each unit whether it may be.
    """
    may_be = shown[shelf.rows]
    dense = np.full(len(shelf.rows), -np.inf)
    total = len(shelf.rows)
    # Hidden ones are taken to lie anywhere: of so many that are near, enough may be shown.
    fetched = min(total, _WANTED * total // max(int(may_be.sum()), 1))
    if fetched > _AT_MOST:
        few = await _few(edition, shelf, may_be)
        vector = np.asarray(await edition.embedder.query(question), dtype=np.float32)
        if len(few.rows):
            dense[few.rows] = few.matrix @ (vector / (np.linalg.norm(vector) or 1.0))
        return dense
    for key, score in await edition.nearest(question, fetched):
        row = shelf.row_of.get(key)
        # The store may hold what a newer or an older shelf has: that is not searched here.
        if row is not None and may_be[row]:
            dense[row] = score
    return dense


async def _few(edition: Edition, shelf: Shelf, may_be: np.ndarray) -> Few:
    """Return the vectors of what may be shown, where that is little of much.

    Among the nearest of all there would be hardly any of them. They are read once for a shelf.
    """
    key = (edition.name, may_be.tobytes())
    few = shelf.few.get(key)
    if few is None:
        rows = np.flatnonzero(may_be)
        kept = await edition.store.vectors([shelf.ids[row] for row in rows])
        few = shelf.few[key] = await asyncio.to_thread(_matrix, shelf, rows, kept)
    return few


def _matrix(shelf: Shelf, rows: np.ndarray, kept: Mapping[str, Sequence[float]]) -> Few:
    there = np.array([row for row in rows if shelf.ids[row] in kept], dtype=np.int64)
    matrix = np.array([kept[shelf.ids[row]] for row in there], dtype=np.float32)
    if not len(there):
        return Few(there, np.zeros((0, 0), dtype=np.float32))
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return Few(there, matrix / np.where(lengths > 0, lengths, 1.0))
