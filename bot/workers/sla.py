"""Watches the limits of leads, a batch at a time, and keeps the sums of what lies on desks."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from bot.domain.bank import Bank
from bot.leads.desk import LeadDesk
from bot.leads.watch import LeadWatch
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.workers.content import Content
from bot.workers.sweeps import Chunk

log = logger(__name__)
SWEEP_LIMITS = "lead-limits"
_HOURS = "service-hours"
_AT_ONCE = 200
_RECOUNT_EVERY = timedelta(days=1)


class SlaWorker:
    """Looks at up to 200 limits in one transaction: what it reads and writes is so for all.

    It needs no lease: nothing is sent from here, and who dies in it leaves everything as it was.
    """

    watches = ("lead_timers",)

    def __init__(
        self,
        database: Database,
        content: Content,
        desk: LeadDesk,
        clock: Clock,
        *,
        card_link: str = "",
    ) -> None:
        self._database = database
        self._clock = clock
        self._watch = LeadWatch(lambda: content.bank, desk, card_link)
        self._counted_at: datetime | None = None

    async def step(self) -> int:
        """Look at what is due; return how much it was."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            due = await tx.timers.due(now, limit=_AT_ONCE)
            await self._watch.look(tx, due, now)
            await self._count(tx, now)
        return len(due)

    async def _count(self, tx: Tx, now: datetime) -> None:
        """Count once a day what lies on each desk: rows that people changed by hand count, too."""
        if self._counted_at is not None and now - self._counted_at < _RECOUNT_EVERY:
            return
        self._counted_at = now
        if wrong := await tx.desks.recount():
            log.info("desks_recounted", desks=wrong)


async def note_hours(tx: Tx, bank: Bank) -> None:
    """Have limits reckoned anew where the file says other hours than those they were begun by."""
    own = {branch.id: branch.service for branch in bank.branches if branch.service is not None}
    hours = repr((bank.institution.zone_name, bank.institution.service, sorted(own.items())))
    now_known = hashlib.sha256(hours.encode()).hexdigest()[:32]
    before = await tx.moving.known(_HOURS)
    if before == now_known:
        return
    await tx.moving.keep(_HOURS, now_known)
    if before is not None:
        await tx.moving.begin(SWEEP_LIMITS)


class LimitsAnew:
    """Reckons every limit anew that runs by the calendar or the bank's hours, both as they are now.

    What has passed of a limit has passed by the new calendar, too: a day that is free now does not
    count, whether it lies before or after today.
    """

    def __init__(self, desk: LeadDesk) -> None:
        self._desk = desk

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Reckon the next limits, in the order of their numbers."""
        after = int(reached or 0)
        found = await tx.timers.running(after, limit=limit)
        if not found:
            return Chunk(0, 0, reached, over=True)
        moved = await self._desk.timers.reckon(tx, found)
        return Chunk(moved, len(found), str(max(timer.id for _, timer in found)))
