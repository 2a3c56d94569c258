"""The kf message log of one account: cursors, three days, and the doorbell's tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.emulator.wire import ApiError

KEPT_FOR = timedelta(days=3)
TOKEN_LIFE = timedelta(minutes=10)
_CURSOR_PREFIX = "4gw7MepFLfgF2VC5nvX"


@dataclass(frozen=True)
class Entry:
    """One line of the log, as sync_msg gives it."""

    at: datetime
    item: dict[str, object]


@dataclass
class MessageLog:
    """What sync_msg reads: only ever appended to."""

    entries: list[Entry] = field(default_factory=list)
    _tokens: dict[str, datetime] = field(default_factory=dict)

    def append(self, at: datetime, item: dict[str, object]) -> None:
        """Add one line."""
        self.entries.append(Entry(at, item))

    def page(
        self, cursor: str, limit: int, now: datetime
    ) -> tuple[list[dict[str, object]], str, bool]:
        """Return lines after ``cursor``, the next cursor, and whether more are left."""
        start = self._position(cursor)
        while start < len(self.entries) and self.entries[start].at < now - KEPT_FOR:
            start += 1
        stop = min(start + limit, len(self.entries))
        items = [entry.item for entry in self.entries[start:stop]]
        return items, self._cursor(stop), stop < len(self.entries)

    def here(self, cursor: str) -> str:
        """Return a cursor at the place of ``cursor``, for a page with nothing on it."""
        return self._cursor(self._position(cursor))

    def give_token(self, token: str, now: datetime) -> None:
        """Let a doorbell's token open the log for ten minutes."""
        self._tokens = {old: end for old, end in self._tokens.items() if end > now}
        self._tokens[token] = now + TOKEN_LIFE

    def check_token(self, token: str, now: datetime) -> None:
        """Refuse a token that is unknown or more than ten minutes old."""
        if not self.knows_token(token, now):
            raise ApiError(95007)

    def knows_token(self, token: str, now: datetime) -> bool:
        """Tell whether this is a token of this log that is still good."""
        ends_at = self._tokens.get(token)
        return ends_at is not None and ends_at > now

    def _position(self, cursor: str) -> int:
        if not cursor:
            return 0
        digits = cursor.removeprefix(_CURSOR_PREFIX)
        if not cursor.startswith(_CURSOR_PREFIX) or not (digits.isascii() and digits.isdigit()):
            raise ApiError(50100)
        position = int(digits)
        if position > len(self.entries):
            raise ApiError(50100)
        return position

    def _cursor(self, position: int) -> str:
        return f"{_CURSOR_PREFIX}{position:010d}"
