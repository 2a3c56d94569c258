"""Where vectors are kept: Chroma in a folder, or plain memory."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bot.domain.knowledge import VectorItem

_WRITE_AT_ONCE = 2000


class MemoryStore:
    """Vectors in memory, searched whole: for tests and for a few thousand passages."""

    def __init__(self, dimensions: int) -> None:
        self._rows: dict[str, int] = {}
        self._ids: list[str] = []
        self._matrix = np.zeros((0, dimensions), dtype=np.float32)

    async def upsert(self, items: Sequence[VectorItem]) -> None:
        """Add the items, each replacing one of the same id."""
        fresh = {item.id: _unit(item.vector) for item in items}
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
        scores = self._matrix @ _unit(vector)
        best = np.argsort(-scores, kind="stable")[:k]
        return [(self._ids[number], float(scores[number])) for number in best]

    async def ids(self) -> set[str]:
        """Return every id that is kept."""
        return set(self._ids)

    def _number(self, ids: list[str]) -> None:
        self._ids = ids
        self._rows = {key: number for number, key in enumerate(ids)}


class ChromaStore:
    """An embedded Chroma collection, one for each embedding model; nothing is downloaded.

    No ``where`` filter is used: it costs up to 333 ms at 100,000 rows. Who may see what is
    decided by the caller, over more results than it needs.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self._folder = folder
        self._name = collection_name(model)
        self._model = model
        self._collection: Any = None
        self._opening = asyncio.Lock()

    async def _open(self) -> Any:
        async with self._opening:
            if self._collection is None:
                self._collection = await asyncio.to_thread(self._connect)
        return self._collection

    def _connect(self) -> Any:
        import chromadb
        from chromadb.config import Settings

        self._folder.mkdir(parents=True, exist_ok=True)
        client = chromadb.PersistentClient(
            path=str(self._folder), settings=Settings(anonymized_telemetry=False)
        )
        return client.get_or_create_collection(
            self._name,
            embedding_function=None,
            metadata={"model": self._model},
            configuration={"hnsw": {"space": "cosine"}},
        )

    async def upsert(self, items: Sequence[VectorItem]) -> None:
        """Add the items, each replacing one of the same id."""
        collection = await self._open()
        for start in range(0, len(items), _WRITE_AT_ONCE):
            part = items[start : start + _WRITE_AT_ONCE]
            await asyncio.to_thread(
                collection.upsert,
                ids=[item.id for item in part],
                embeddings=[np.asarray(item.vector, dtype=np.float32) for item in part],
                metadatas=[{"document": item.document_id} for item in part],
            )

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove the items; an unknown id is no error."""
        collection = await self._open()
        for start in range(0, len(ids), _WRITE_AT_ONCE):
            part = list(ids[start : start + _WRITE_AT_ONCE])
            await asyncio.to_thread(collection.delete, ids=part)

    async def search(self, vector: Sequence[float], k: int) -> Sequence[tuple[str, float]]:
        """Return the nearest ids, best first, with their cosine similarity."""
        collection = await self._open()
        found = await asyncio.to_thread(
            collection.query,
            query_embeddings=[np.asarray(vector, dtype=np.float32)],
            n_results=k,
            include=["distances"],
        )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [(key, 1.0 - float(distance)) for key, distance in pairs]

    async def ids(self) -> set[str]:
        """Return every id that is kept."""
        collection = await self._open()
        kept = await asyncio.to_thread(collection.get, include=[])
        return set(kept["ids"])


def collection_name(model: str) -> str:
    """Name the collection of a model: Chroma takes 3 to 512 characters of a small alphabet."""
    plain = re.sub(r"[^a-zA-Z0-9]+", "-", model).strip("-")[:40]
    mark = hashlib.sha256(model.encode()).hexdigest()[:8]
    return f"zhilin-{plain}-{mark}" if plain else f"zhilin-{mark}"


def _unit(vector: Sequence[float]) -> np.ndarray:
    array = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(array))
    return array / length if length else array
