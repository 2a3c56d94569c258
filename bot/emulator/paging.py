"""Opaque cursors over lists that only grow at their end."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from bot.emulator.wire import ApiError

BAD_CURSOR = 50100

T = TypeVar("T")


def page(items: Sequence[T], cursor: str, limit: int) -> tuple[Sequence[T], str]:
    """Return the page that begins at ``cursor`` and the next cursor, "" at the end."""
    start = _position(cursor)
    stop = start + limit
    return items[start:stop], _cursor(stop) if stop < len(items) else ""


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        mark, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
        position = int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise ApiError(BAD_CURSOR, "cursor") from error
    if mark != "at" or position < 0:
        raise ApiError(BAD_CURSOR, "cursor")
    return position
