"""Doorbells may be lost while nobody listens: each source is looked at once by ourselves.

At a start, so that what came meanwhile is not left until somebody writes again; then every ten
minutes. One look at a source in each span, whichever process takes it: a pull without WeCom's
token is strictly limited.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.events import Notice
from bot.domain.ids import digest
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.inbox import OWN_LOOK

log = logger(__name__)
_EVERY = timedelta(minutes=10)
_AT_START = timedelta(minutes=1)  # a process that dies again and again does not pull each time

Doorbell = Callable[[str, str], Notice | None]
"""Makes the notice by which a source is pulled, of a key."""


class CatchUp:
    """Rings for every source that was ever read: the inbox pulls what no doorbell told of."""

    watches: tuple[str, ...] = ()

    def __init__(self, database: Database, doorbell: Doorbell, clock: Clock) -> None:
        self._database = database
        self._doorbell = doorbell
        self._clock = clock
        self._started = False
        self._looked_at: datetime | None = None

    async def step(self) -> int:
        """Ring where it is time to; return for how many sources."""
        now = self._clock.now()
        span = _EVERY if self._started else _AT_START
        # A clock that was put back must not make the wait longer.
        if self._looked_at is not None and timedelta(0) <= now - self._looked_at < span:
            return 0
        async with self._database.read() as tx:
            sources = await tx.inbox.sources()
        bells = [bell for source in sources if (bell := self._ring(source, span, now)) is not None]
        rung = 0
        if bells:
            async with self._database.begin() as tx:
                rung = await tx.inbox.add_notices(bells, now)
        self._looked_at = now
        # Another start in this very minute has looked already: then once more in the next one.
        self._started = self._started or bool(rung) or not bells
        if rung:
            log.info("sources_looked_at", sources=rung)
        return rung

    def _ring(self, source: str, span: timedelta, now: datetime) -> Notice | None:
        slot = int(now.timestamp() // span.total_seconds())
        name = digest(source, str(int(span.total_seconds())), str(slot))
        return self._doorbell(source, OWN_LOOK + name)
