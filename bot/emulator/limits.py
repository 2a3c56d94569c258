"""How often an API may be called, by the world's clock (basic frequency limits)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass
class Window:
    """The events of the last ``span``."""

    span: timedelta
    _seen: deque[datetime] = field(default_factory=deque)

    def full(self, now: datetime, limit: int) -> bool:
        """Tell whether one more event now would be more than ``limit``."""
        while self._seen and self._seen[0] <= now - self.span:
            self._seen.popleft()
        return len(self._seen) >= limit

    def note(self, now: datetime) -> None:
        """Count one event."""
        self._seen.append(now)


@dataclass
class Limits:
    """The numbers, and a window for each thing they count."""

    api_per_minute: int = 10_000
    api_per_hour: int = 150_000
    sync_without_token_per_minute: int = 60
    """WeCom calls it strict and does not say how strict; this is our guess."""
    member_per_minute: int = 30
    member_per_hour: int = 1000
    _windows: dict[tuple[str, timedelta], Window] = field(default_factory=dict)
    _blocked: dict[str, datetime] = field(default_factory=dict)

    def allow_api(self, path: str, now: datetime) -> bool:
        """Count a call of an API; refuse for the length of the limit that was broken."""
        spans = ((MINUTE, self.api_per_minute), (HOUR, self.api_per_hour))
        return self._allow(f"api:{path}", spans, now, block=True)

    def allow_bare_sync(self, now: datetime) -> bool:
        """Count a sync_msg without the callback's token."""
        return self._allow("sync", ((MINUTE, self.sync_without_token_per_minute),), now, block=True)

    def allow_member(self, agent_id: int, userid: str, now: datetime) -> bool:
        """Count an app message to a member; what is too much is dropped in silence."""
        spans = ((MINUTE, self.member_per_minute), (HOUR, self.member_per_hour))
        return self._allow(f"member:{agent_id}:{userid}", spans, now, block=False)

    def _allow(
        self, key: str, spans: tuple[tuple[timedelta, int], ...], now: datetime, *, block: bool
    ) -> bool:
        if self._blocked.get(key, now) > now:
            return False
        windows = [(self._window(key, span), limit) for span, limit in spans]
        for window, limit in windows:
            if window.full(now, limit):
                if block:
                    self._blocked[key] = now + window.span
                return False
        for window, _ in windows:
            window.note(now)
        return True

    def _window(self, key: str, span: timedelta) -> Window:
        return self._windows.setdefault((key, span), Window(span))
