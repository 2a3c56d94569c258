"""The numbers in brackets by which a model says what it wrote from."""

from __future__ import annotations

import re

_MARK = re.compile(
    r"\s*[\[［【]\s*(?:资料|编号)*\s*(\d{1,2}(?:\s*[,，、]\s*(?:资料)?\d{1,2})*)\s*[\]］】]"
)
_NUMBER = re.compile(r"\d{1,2}")


def without_marks(text: str) -> str:
    """Return the words without the marks of their sources."""
    return _MARK.sub("", text)


def cited_in(text: str) -> tuple[int, ...]:
    """Return the numbers of the passages that are named, each once, in their order."""
    numbers = (int(number) for mark in _MARK.findall(text) for number in _NUMBER.findall(mark))
    return tuple(dict.fromkeys(numbers))
