"""Reads fields of WeCom's JSON; a field that is absent or of the wrong kind reads as empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def text(source: Mapping[str, object], key: str) -> str:
    """Return a string field; a number comes as its digits."""
    value = source.get(key)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def number(source: Mapping[str, object], key: str) -> int:
    """Return a whole-number field, also one written as a string of digits."""
    value = source.get(key)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return int(value) if isinstance(value, int | float) else 0


def strings(source: Mapping[str, object], key: str) -> tuple[str, ...]:
    """Return a list field's strings."""
    value = source.get(key)
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))


def record(source: Mapping[str, object], key: str) -> dict[str, object]:
    """Return an object field."""
    value = source.get(key)
    return dict(value) if isinstance(value, dict) else {}


def records(source: Mapping[str, object], key: str) -> list[dict[str, object]]:
    """Return a list field's objects."""
    value = source.get(key)
    items = value if isinstance(value, list) else []
    return [dict(item) for item in items if isinstance(item, dict)]


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
