"""Where the time comes from: the machine, or a hand that turns it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return this moment, aware, in UTC."""
        return datetime.now(UTC)

    async def wait_until(self, moment: datetime) -> None:
        """Return once ``moment`` has come; at once if it is past."""
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))


class FakeClock:
    """A time that stands still until somebody moves it on.

    With ``running`` it also flows with the machine's time from where it was put: the demo's
    clock, which can be pushed while people type.
    """

    def __init__(self, start: datetime, *, running: bool = False) -> None:
        self._start = start
        self._running = running
        self._began = datetime.now(UTC)
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Return this clock's moment, aware, in UTC."""
        if self._running:
            return self._start + (datetime.now(UTC) - self._began)
        return self._start

    def advance(self, **delta: float) -> None:
        """Move on by a ``timedelta`` given in keywords (days, hours, minutes, seconds)."""
        self.jump(self.now() + timedelta(**delta))

    def jump(self, moment: datetime) -> None:
        """Move on to ``moment``; a moment in the past is not gone to."""
        now = self.now()
        if moment > now:
            self._start += moment - now
            self._moved.set()
            self._moved = asyncio.Event()

    async def wait_until(self, moment: datetime) -> None:
        """Return once ``moment`` has come, by itself or by a push."""
        while (left := (moment - self.now()).total_seconds()) > 0:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), timeout=left if self._running else None)
            except TimeoutError:
                return
