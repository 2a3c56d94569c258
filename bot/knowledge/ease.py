"""Answers that are hard to read for old people: worth a look, and nothing is left out for it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.compliance import Rules
from bot.domain.knowledge import Document, DocumentKind
from bot.domain.style import Limits, slips
from bot.errors import Problem

# An answer is cut to its room when it is sent; a sheet is long by nature.
_OF_A_MESSAGE = frozenset({"long_message", "two_ideas"})
_ONE_PICTURE = 1


def check_ease(document: Document, rules: Rules, sentence_chars: int) -> Iterator[Problem]:
    """Note what is hard to read in the answers that customers get."""
    if document.kind is not DocumentKind.QA or not document.audience.shown_on("kf"):
        return
    limits = Limits(sentence=sentence_chars, emoji=_ONE_PICTURE)
    for section in document.sections:
        for slip in slips(section.text, limits, rules.jargon):
            if slip.kind not in _OF_A_MESSAGE:
                line = section.line or document.line
                yield Problem(document.file, line, "答", slip.what, slip.mend, note=True)
