"""The values of expressions, what is asked for them, and how two of them compare."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol


class Grade(NamedTuple):
    """A customer's risk tolerance C1–C5, or a product's risk R1–R5; compared by the number."""

    letter: str
    number: int

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.letter}{self.number}"


Known = bool | int | float | str | date | datetime | Grade

FUNCTIONS: Mapping[str, int] = {
    "天数自": 1,
    "天数到": 1,
    "次数": 2,
    "最近": 1,
    "有标签": 1,
    "在剧本": 1,
    "走完剧本": 1,
}
"""The functions with how many arguments each takes."""
BY_VALUE = frozenset({"天数自", "天数到"})
"""Functions of a value; the others take a name first."""


class Lookup(Protocol):
    """What is known of a subject at one moment, by the names that files use."""

    def value(self, name: str) -> Known | None:
        """Return what a name stands for; None where it is not known."""

    def days_from(self, moment: date | datetime) -> int:
        """Return how many of the bank's days lie between that day and today."""

    def times(self, event: str, days: float) -> int | None:
        """Count how often an event happened within so many days."""

    def last(self, event: str) -> datetime | None:
        """Return when an event happened last."""

    def has(self, what: str, name: str) -> bool | None:
        """Answer 有标签, 在剧本 or 走完剧本."""


_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}


_NUMBERS = frozenset({int, float})


def truth(value: Known | None) -> bool | None:
    """Return what a value says where yes or no is wanted; anything else is unknown."""
    return value if isinstance(value, bool) else None


def compare(sign: str, left: Known | None, right: Known | None) -> bool | None:
    """Compare two values; those of two kinds, texts by size, and unknown ones give unknown."""
    if left is None or right is None:
        return None
    if type(left) in _NUMBERS and type(right) in _NUMBERS:  # most comparisons are of numbers
        return _SIGNS[sign](left, right)
    if isinstance(left, datetime) != isinstance(right, datetime):
        left = left.date() if isinstance(left, datetime) else left
        right = right.date() if isinstance(right, datetime) else right
    kind = _kind(left)
    if kind != _kind(right) or (kind in ("text", "truth") and sign not in ("=", "!=")):
        return None
    if isinstance(left, Grade) and isinstance(right, Grade):
        return _SIGNS[sign](left.number, right.number)
    return _SIGNS[sign](left, right)


def _kind(value: Known) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, Grade):
        return "grade"
    return "text" if isinstance(value, str) else "day"


def number(value: float) -> str:
    """Write a number without a needless fraction."""
    return str(int(value)) if value == int(value) else str(value)


def grade_of(text: str) -> Grade | None:
    """Return the grade that a word is, C1 to C5 or R1 to R5; None for any other word."""
    word = text.strip().upper()
    if len(word) != 2 or word[0] not in "CR" or word[1] not in "12345":
        return None
    return Grade(word[0], int(word[1]))
