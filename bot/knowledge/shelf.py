"""All that is searched at one time: documents, their units, and the texts that stand for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import numpy as np

from bot.domain.knowledge import Document, Passage, Viewer, passages_of
from bot.knowledge.lexical import Lexical


@dataclass(frozen=True)
class Unit:
    """A section of a document: the smallest thing that answers."""

    document: int
    section: int
    text: str


class Few(NamedTuple):
    """The vectors of a few passages, each of length one, by their rows."""

    rows: np.ndarray
    matrix: np.ndarray


@dataclass(frozen=True)
class Shelf:
    """All that is searched at one time; a new one replaces it whole.

    ``owners`` gives each unit's document. ``ids`` and ``rows`` are, for each embedded text in
    turn, its passage and its unit, ``row_of`` the other way round; ``passages`` has the passages
    by their ids. ``few`` holds vectors by models and by what may be shown.
    """

    documents: tuple[Document, ...]
    by_id: Mapping[str, Document]
    units: tuple[Unit, ...]
    row_of: Mapping[str, int]
    owners: np.ndarray
    ids: tuple[str, ...]
    rows: np.ndarray
    passages: Mapping[str, Passage]
    lexical: Lexical
    few: dict[tuple[str, bytes], Few] = field(default_factory=dict)
    _masks: dict[tuple[Viewer, date], np.ndarray] = field(default_factory=dict)

    def shown(self, viewer: Viewer, day: date) -> np.ndarray:
        """Tell for each unit whether it may be shown to the viewer on that day."""
        mask = self._masks.get((viewer, day))
        if mask is None:
            open_documents = [
                document.shown_to(viewer) and document.live_on(day) for document in self.documents
            ]
            mask = np.array(open_documents, dtype=bool)[self.owners]
            for old in [key for key in self._masks if key[1] != day]:
                del self._masks[old]
                self.few.clear()
            self._masks[viewer, day] = mask
        return mask


def lay_out(documents: Sequence[Document]) -> Shelf:
    """Return the shelf of these documents; for a hundred thousand passages it takes seconds."""
    units: list[Unit] = []
    ids: list[str] = []
    rows: list[int] = []
    texts: list[str] = []
    passages: dict[str, Passage] = {}
    for number, document in enumerate(documents):
        first = len(units)
        by_section: list[list[str]] = [[] for _ in document.sections]
        for passage in passages_of(document):
            passages[passage.id] = passage
            ids.append(passage.id)
            rows.append(first + passage.section)
            texts.append(passage.text)
            by_section[passage.section].append(passage.text)
        units += [Unit(number, place, "\n".join(t)) for place, t in enumerate(by_section)]
    return Shelf(
        documents=tuple(documents),
        by_id={document.id: document for document in documents},
        units=tuple(units),
        row_of={key: row for row, key in enumerate(ids)},
        owners=np.array([unit.document for unit in units], dtype=np.int64),
        ids=tuple(ids),
        rows=np.array(rows, dtype=np.int64),
        passages=passages,
        lexical=Lexical(texts),
    )
