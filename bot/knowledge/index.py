"""The index: what is new is embedded, what is gone is removed, then the new shelf is published."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from bot.domain.knowledge import Document, Passage, Plane, VectorItem, passages_of
from bot.knowledge.lexical import Lexical
from bot.ports import Embedder, VectorStore

Progress = Callable[[int, int], None]

# Small enough for a progress bar that moves and a kill that loses little.
_EMBED_AT_ONCE = 16


@dataclass(frozen=True)
class Unit:
    """A section of a document: the smallest thing that answers."""

    document: int
    section: int
    text: str


@dataclass(frozen=True)
class Shelf:
    """All that is searched at one time; a new one replaces it whole.

    ``owners`` gives each unit's document, ``rows`` each embedded text's unit.
    """

    documents: tuple[Document, ...]
    by_id: dict[str, Document]
    units: tuple[Unit, ...]
    unit_of: dict[str, int]
    owners: np.ndarray
    rows: np.ndarray
    lexical: Lexical
    _masks: dict[tuple[Plane, date], np.ndarray] = field(default_factory=dict)

    def shown(self, plane: Plane, day: date) -> np.ndarray:
        """Tell for each unit whether it may be shown there on that day."""
        mask = self._masks.get((plane, day))
        if mask is None:
            open_documents = [
                document.audience.shown_on(plane) and document.live_on(day)
                for document in self.documents
            ]
            mask = np.array([open_documents[unit.document] for unit in self.units], dtype=bool)
            self._masks[plane, day] = mask
        return mask


@dataclass(frozen=True)
class Published:
    """What one publishing did."""

    documents: int
    passages: int
    embedded: int
    removed: int
    seconds: float


def lay_out(documents: Sequence[Document]) -> tuple[Shelf, dict[str, Passage]]:
    """Return the shelf of these documents and their passages by id."""
    units: list[Unit] = []
    unit_of: dict[str, int] = {}
    rows: list[int] = []
    texts: list[str] = []
    passages: dict[str, Passage] = {}
    for number, document in enumerate(documents):
        first = len(units)
        by_section: list[list[str]] = [[] for _ in document.sections]
        for passage in passages_of(document):
            passages[passage.id] = passage
            unit_of[passage.id] = first + passage.section
            rows.append(first + passage.section)
            texts.append(passage.text)
            by_section[passage.section].append(passage.text)
        units += [Unit(number, place, "\n".join(t)) for place, t in enumerate(by_section)]
    shelf = Shelf(
        documents=tuple(documents),
        by_id={document.id: document for document in documents},
        units=tuple(units),
        unit_of=unit_of,
        owners=np.array([unit.document for unit in units], dtype=np.int64),
        rows=np.array(rows, dtype=np.int64),
        lexical=Lexical(texts),
    )
    return shelf, passages


class KnowledgeIndex:
    """Keeps the store in step with the documents, and holds the shelf that is searched."""

    def __init__(self, embedder: Embedder, store: VectorStore) -> None:
        self.embedder = embedder
        self.store = store
        self.shelf, _ = lay_out(())

    def document(self, document_id: str) -> Document | None:
        """Return a published document by its 编号."""
        return self.shelf.by_id.get(document_id)

    async def publish(
        self, documents: Iterable[Document], progress: Progress | None = None
    ) -> Published:
        """Make these documents the ones that are searched, embedding only what is new.

        The old shelf is searched until the new one is complete. A kill on the way loses nothing:
        what was embedded is kept and not done again.
        """
        began = time.monotonic()
        shelf, passages = lay_out(tuple(documents))
        kept = await self.store.ids()
        fresh = [passage for key, passage in passages.items() if key not in kept]
        for start in range(0, len(fresh), _EMBED_AT_ONCE):
            await self._embed(fresh[start : start + _EMBED_AT_ONCE])
            if progress is not None:
                progress(min(start + _EMBED_AT_ONCE, len(fresh)), len(fresh))
        self.shelf = shelf
        gone = sorted(kept - passages.keys())
        await self.store.delete(gone)
        return Published(
            documents=len(shelf.documents),
            passages=len(passages),
            embedded=len(fresh),
            removed=len(gone),
            seconds=time.monotonic() - began,
        )

    async def _embed(self, passages: Sequence[Passage]) -> None:
        vectors = await self.embedder.passages([passage.text for passage in passages])
        await self.store.upsert(
            [
                VectorItem(passage.id, vector, passage.document_id)
                for passage, vector in zip(passages, vectors, strict=True)
            ]
        )
