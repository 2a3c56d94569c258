"""Vectors that were asked for lately, kept in memory in front of their store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bot.domain.knowledge import VectorItem
from bot.ports import VectorStore

# Forty megabytes with 512 numbers each: all that a bank's usual questions come near to.
_KEPT = 20_000


class RecentStore:
    """A store whose vectors are read once, not for every question that comes near to them.

    Another process may write to the same store: a passage's id is made of its text, so that
    what is kept here under an id is what is kept there.
    """

    def __init__(self, store: VectorStore, kept: int = _KEPT) -> None:
        self._store = store
        self._most = kept
        self._kept: OrderedDict[str, Sequence[float]] = OrderedDict()

    async def upsert(self, items: Sequence[VectorItem]) -> None:
        """Add the items, each replacing one of the same id."""
        try:
            await self._store.upsert(items)
        finally:
            self._forget(item.id for item in items)

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove the items; an unknown id is no error."""
        try:
            await self._store.delete(ids)
        finally:
            self._forget(ids)

    async def search(self, vector: Sequence[float], k: int) -> Sequence[tuple[str, float]]:
        """Return the nearest ids, best first, with their cosine similarity."""
        return await self._store.search(vector, k)

    async def ids(self) -> set[str]:
        """Return every id that is kept."""
        return await self._store.ids()

    async def vectors(self, ids: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Return the vectors of these ids as far as they are kept."""
        found: dict[str, Sequence[float]] = {}
        unknown = []
        for key in ids:
            vector = self._kept.get(key)
            if vector is None:
                unknown.append(key)
            else:
                self._kept.move_to_end(key)
                found[key] = vector
        if unknown:
            found |= await self._read(unknown)
        return found

    async def _read(self, ids: Sequence[str]) -> Mapping[str, Sequence[float]]:
        read = await self._store.vectors(ids)
        if len(ids) <= self._most:
            self._kept |= {key: _copied(one) for key, one in read.items()}
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return read

    def _forget(self, ids: Iterable[str]) -> None:
        for key in ids:
            self._kept.pop(key, None)


def _copied(vector: Sequence[float]) -> Sequence[float]:
    """Copy a row, which would keep the whole of what it was read with."""
    copy: Any = np.array(vector, dtype=np.float32)
    row: Sequence[float] = copy
    return row
