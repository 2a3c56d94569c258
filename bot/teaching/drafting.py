"""A drafted answer out of what is approved already: its sentences, word for word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bot.domain.knowledge import Citation, Document, Found, Hit, Section
from bot.teaching.cleaning import alike

LEAST = 0.25
"""How likely a section has to answer, on the mean of the wordings, to be drafted from."""
_ROOM = 160
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]?")


class Source(NamedTuple):
    """A section that may answer, and how likely it does over all wordings."""

    document: Document
    section: Section
    probability: float

    @property
    def citation(self) -> Citation:
        """Return where it stands."""
        return Citation(
            document_id=self.document.id,
            title=self.document.title,
            section=self.section.title,
            file=self.document.file,
            line=self.section.line or self.document.line,
            page=self.section.page,
            place=self.document.place,
            basis=self.document.basis,
        )


def sources_of(found: Sequence[Found]) -> list[Source]:
    """Return what several wordings found between them, the likeliest first."""
    totals: dict[tuple[str, str], tuple[Hit, float]] = {}
    for one in found:
        for rank, hit in enumerate(one.hits):
            key = (hit.document.id, hit.section.title)
            worth = one.probability / (rank + 1)
            totals[key] = (hit, totals.get(key, (hit, 0.0))[1] + worth)
    ranked = sorted(totals.values(), key=lambda pair: -pair[1])
    count = max(1, len(found))
    return [Source(hit.document, hit.section, total / count) for hit, total in ranked]


def extract(source: Source, questions: Iterable[str]) -> str:
    """Return the sentences of a section that speak of the questions, in their order."""
    sentences = [match[0].strip() for match in _SENTENCE.finditer(source.section.text)]
    sentences = [one for one in sentences if one]
    asked = list(questions)
    if len("".join(sentences)) <= _ROOM:
        return "".join(sentences)
    worth = [max((alike(one, ask) for ask in asked), default=0.0) for one in sentences]
    best = max(range(len(sentences)), key=lambda at: worth[at])
    first = last = best
    while True:  # what stands beside it explains it
        grown = [at for at in (last + 1, first - 1) if 0 <= at < len(sentences)]
        room = _ROOM - sum(map(len, sentences[first : last + 1]))
        fits = [at for at in grown if len(sentences[at]) <= room]
        if not fits:
            return "".join(sentences[first : last + 1])
        at = fits[0]
        first, last = min(first, at), max(last, at)
