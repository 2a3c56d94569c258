"""How often an API may be called, by the world's clock (basic frequency limits)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.emulator.wire import ApiError

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)
TOO_OFTEN = 45009
Rule = tuple[timedelta, int]
"""So many in so long."""


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
    ip_per_minute: int = 20_000
    ip_per_hour: int = 600_000
    api_at_once: int = 0
    """Calls of one API that may run at the same time (45033 beyond); 0 means no limit."""
    bad_secrets_per_hour: int = 2000
    """Erroneous gettoken calls from one address; more close it for an hour."""
    sync_without_token_per_minute: int = 60
    """WeCom calls it strict and does not say how strict; this is our guess."""
    member_per_minute: int = 30
    member_per_hour: int = 1000
    app_messages_per_member_day: int = 200
    """Times the members of the corp: what one app may send in a day."""
    appchat_created_per_day: int = 1000
    appchat_updated_per_hour: int = 1000
    appchat_times_per_minute: int = 20_000
    appchat_times_per_hour: int = 300_000
    appchat_member_per_minute: int = 200
    appchat_member_per_day: int = 10_000
    corp_tickets_per_hour: int = 400
    app_tickets_per_hour: int = 100
    pictures_per_day: int = 1000
    pictures_per_month: int = 3000
    moment_tasks_per_minute: int = 10
    temp_sessions_per_day: int = 100_000
    _windows: dict[tuple[str, timedelta], Window] = field(default_factory=dict)
    _blocked: dict[str, datetime] = field(default_factory=dict)

    def allow_api(self, path: str, now: datetime, ip: str = "") -> bool:
        """Count a call of an API; refuse for the length of the limit that was broken."""
        corp = ((MINUTE, self.api_per_minute), (HOUR, self.api_per_hour))
        address = ((MINUTE, self.ip_per_minute), (HOUR, self.ip_per_hour))
        return self.allow(f"api:{path}", now, *corp) and self.allow(
            f"ip:{ip}:{path}", now, *address
        )

    def allow_bare_sync(self, now: datetime) -> bool:
        """Count a sync_msg without the callback's token."""
        return self.allow("sync", now, (MINUTE, self.sync_without_token_per_minute))

    def allow_member(self, agent_id: int, userid: str, now: datetime) -> bool:
        """Count an app message to a member; what is too much is dropped in silence."""
        rules = ((MINUTE, self.member_per_minute), (HOUR, self.member_per_hour))
        return self.allow(f"member:{agent_id}:{userid}", now, *rules, block=False)

    def spend(self, key: str, now: datetime, *rules: Rule, count: int = 1) -> None:
        """Count ``count`` events under a name of the caller's own; refuse with 45009."""
        for _ in range(count):
            if not self.allow(key, now, *rules):
                raise ApiError(TOO_OFTEN)

    def block(self, path: str, now: datetime, span: timedelta) -> None:
        """Let an API be refused (45009) from now on for ``span``."""
        self._blocked[f"api:{path}"] = now + span

    def allow(self, key: str, now: datetime, *rules: Rule, block: bool = True) -> bool:
        """Count one event; with ``block`` a broken limit refuses for as long as it spans."""
        if self._blocked.get(key, now) > now:
            return False
        windows = [(self._window(key, span), limit) for span, limit in rules]
        for window, limit in windows:
            if window.full(now, limit):
                if block:
                    self._blocked[key] = now + window.span
                return False
        for window, _ in windows:
            window.note(now)
        return True

    def is_open(self, key: str, now: datetime) -> bool:
        """Tell whether a name is not blocked; nothing is counted."""
        return self._blocked.get(key, now) <= now

    def _window(self, key: str, span: timedelta) -> Window:
        return self._windows.setdefault((key, span), Window(span))
