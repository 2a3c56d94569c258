"""Vectors kept between runs, so that a text is embedded once by each model."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from bot.hanzi import simplified
from bot.ports import Embedder

_ASK_AT_ONCE = 500
_QUERIES_KEPT = 2048


class CacheUnusable(Exception):
    """The file cannot be opened or written."""


class VectorCache:
    """A file of vectors by model and text hash; each call opens it, so threads share nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(self._open()) as file, file:
                file.execute(
                    "CREATE TABLE IF NOT EXISTS vectors "
                    "(model TEXT, text TEXT, vector BLOB, PRIMARY KEY (model, text)) WITHOUT ROWID"
                )
        except sqlite3.Error as error:
            raise CacheUnusable(str(path)) from error

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30)

    def get(self, model: str, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the vectors that are known, by text."""
        by_hash = {_hash(text): text for text in texts}
        hashes = list(by_hash)
        found: dict[str, np.ndarray] = {}
        with closing(self._open()) as file:
            for start in range(0, len(hashes), _ASK_AT_ONCE):
                part = hashes[start : start + _ASK_AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = file.execute(
                    f"SELECT text, vector FROM vectors WHERE model = ? AND text IN ({marks})",  # noqa: S608 - only question marks are put in
                    (model, *part),
                )
                for key, blob in rows:
                    found[by_hash[key]] = np.frombuffer(blob, dtype=np.float32)
        return found

    def missing(self, model: str, texts: Sequence[str]) -> int:
        """Return how many of the texts, each counted once, have no vector yet."""
        hashes = list({_hash(text) for text in texts})
        known = 0
        with closing(self._open()) as file:
            for start in range(0, len(hashes), _ASK_AT_ONCE):
                part = hashes[start : start + _ASK_AT_ONCE]
                marks = ",".join("?" * len(part))
                statement = f"SELECT count(*) FROM vectors WHERE model = ? AND text IN ({marks})"  # noqa: S608 - only question marks are put in
                known += file.execute(statement, (model, *part)).fetchone()[0]
        return len(hashes) - known

    def put(self, model: str, vectors: dict[str, np.ndarray]) -> None:
        """Keep the vectors in one transaction."""
        rows = [
            (model, _hash(text), np.asarray(vector, dtype=np.float32).tobytes())
            for text, vector in vectors.items()
        ]
        with closing(self._open()) as file, file:
            file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)


class CachedEmbedder:
    """An embedder that remembers: passages in a file, the latest questions in memory."""

    def __init__(self, embedder: Embedder, cache: VectorCache) -> None:
        self.name = embedder.name
        self.dimensions = embedder.dimensions
        self._embedder = embedder
        self._cache = cache
        self._queries: OrderedDict[str, Sequence[float]] = OrderedDict()

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Embed texts, asking the model only for those it has not seen."""
        texts = [simplified(text) for text in texts]
        known = await asyncio.to_thread(self._cache.get, self.name, texts)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            made = await self._embedder.passages(missing)
            fresh = {
                text: np.asarray(vector, dtype=np.float32)
                for text, vector in zip(missing, made, strict=True)
            }
            await asyncio.to_thread(self._cache.put, self.name, fresh)
            known |= fresh
        return [known[text].tolist() for text in texts]

    async def query(self, text: str) -> Sequence[float]:
        """Embed a question, or return the vector it had a moment ago."""
        text = simplified(text)
        if text in self._queries:
            self._queries.move_to_end(text)
            return self._queries[text]
        vector = await self._embedder.query(text)
        self._queries[text] = vector
        if len(self._queries) > _QUERIES_KEPT:
            self._queries.popitem(last=False)
        return vector


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
