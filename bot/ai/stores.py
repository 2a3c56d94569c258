"""Vectors without a database of vectors: in plain memory, or in one file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import numpy as np

from bot.domain.knowledge import VectorItem
from bot.errors import Retryable

T = TypeVar("T")
_ASK_AT_ONCE = 500
_SCAN_AT_ONCE = 4000


class MemoryStore:
    """Vectors in memory, searched whole: for tests and for a few thousand passages."""

    def __init__(self, dimensions: int) -> None:
        self._rows: dict[str, int] = {}
        self._ids: list[str] = []
        self._matrix = np.zeros((0, dimensions), dtype=np.float32)

    async def upsert(self, items: Sequence[VectorItem]) -> None:
        """Add the items, each replacing one of the same id."""
        fresh = {item.id: unit(item.vector) for item in items}
        for key in [key for key in fresh if key in self._rows]:
            self._matrix[self._rows[key]] = fresh.pop(key)
        if fresh:
            self._matrix = np.vstack([self._matrix, np.stack(list(fresh.values()))])
            self._number([*self._ids, *fresh])

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove the items; an unknown id is no error."""
        gone = set(ids)
        keep = [number for number, key in enumerate(self._ids) if key not in gone]
        self._matrix = self._matrix[keep]
        self._number([self._ids[number] for number in keep])

    async def search(self, vector: Sequence[float], k: int) -> Sequence[tuple[str, float]]:
        """Return the nearest ids, best first, with their cosine similarity."""
        scores = self._matrix @ unit(vector)
        best = np.argsort(-scores, kind="stable")[:k]
        return [(self._ids[number], float(scores[number])) for number in best]

    async def ids(self) -> set[str]:
        """Return every id that is kept."""
        return set(self._ids)

    async def vectors(self, ids: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Return the vectors of these ids as far as they are kept, each of length one."""
        return {key: self._matrix[self._rows[key]] for key in ids if key in self._rows}

    def _number(self, ids: list[str]) -> None:
        self._ids = ids
        self._rows = {key: number for number, key in enumerate(ids)}


class FileStore:
    """Vectors in one SQLite file, looked up by id: they cost no memory while nobody asks.

    A search reads the whole file, some tenths of a second at 100,000: this store is for those
    who ask for few vectors by their ids. Raise ``Retryable`` where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ready = False

    async def upsert(self, items: Sequence[VectorItem]) -> None:
        """Add the items, each replacing one of the same id."""
        rows = [(item.id, unit(item.vector).tobytes()) for item in items]

        def write(file: sqlite3.Connection) -> None:
            with file:
                file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

        await self._with(write)

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove the items; an unknown id is no error."""

        def remove(file: sqlite3.Connection) -> None:
            with file:
                file.executemany("DELETE FROM vectors WHERE id = ?", [(key,) for key in ids])

        await self._with(remove)

    async def search(self, vector: Sequence[float], k: int) -> Sequence[tuple[str, float]]:
        """Return the nearest ids, best first, with their cosine similarity."""
        asked = unit(vector)

        def scan(file: sqlite3.Connection) -> list[tuple[str, float]]:
            best: list[tuple[str, float]] = []
            rows = file.execute("SELECT id, vector FROM vectors ORDER BY id")
            while part := rows.fetchmany(_SCAN_AT_ONCE):
                scores = np.stack([_read(blob) for _, blob in part]) @ asked
                found = [(key, float(score)) for (key, _), score in zip(part, scores, strict=True)]
                best = sorted([*best, *found], key=lambda pair: -pair[1])[:k]
            return best

        return await self._with(scan)

    async def ids(self) -> set[str]:
        """Return every id that is kept."""
        return await self._with(lambda file: {key for (key,) in file.execute(_ALL_IDS)})

    async def vectors(self, ids: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Return the vectors of these ids as far as they are kept, each of length one."""

        def look_up(file: sqlite3.Connection) -> dict[str, Sequence[float]]:
            found: dict[str, Sequence[float]] = {}
            for part in _parts(ids):
                marks = ",".join("?" * len(part))
                statement = f"SELECT id, vector FROM vectors WHERE id IN ({marks})"  # noqa: S608 - only question marks are put in
                rows = file.execute(statement, part)
                found |= {key: _read(blob) for key, blob in rows}
            return found

        return await self._with(look_up)

    async def drop(self) -> None:
        """Remove the file."""
        await asyncio.to_thread(self._path.unlink, missing_ok=True)
        self._ready = False

    async def _with(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.to_thread(self._opened, work)

    def _opened(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._try(work)
        except sqlite3.OperationalError as error:
            raise Retryable(f"vector file: {error}") from error
        except sqlite3.DatabaseError:
            # What is no database holds nothing that could not be made again.
            self._path.unlink(missing_ok=True)
            self._ready = False
            return self._try(work)

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=30)) as file:
            if not self._ready:
                with file:
                    file.execute(
                        "CREATE TABLE IF NOT EXISTS vectors "
                        "(id TEXT PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
                    )
                self._ready = True
            return work(file)


_ALL_IDS = "SELECT id FROM vectors"


def _parts(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _ASK_AT_ONCE):
        yield list(ids[start : start + _ASK_AT_ONCE])


def _read(blob: bytes) -> np.ndarray:
    return np.frombuffer(blob, dtype=np.float32)


def unit(vector: Sequence[float]) -> np.ndarray:
    """Return the vector as an array of length one."""
    array = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(array))
    return array / length if length else array
