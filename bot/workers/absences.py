"""Hands on what lies on the desk of somebody whose leave begins."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.ids import RmId
from bot.leads.away import Absences
from bot.leads.desk import LeadDesk
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.content import Content

log = logger(__name__)
_LEASE = timedelta(minutes=2)


class AbsenceWorker:
    """Gives away leads as a leave begins that was written down before."""

    watches = ("absences",)

    def __init__(self, database: Database, content: Content, desk: LeadDesk, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._absences = Absences(lambda: content.bank, desk, lambda: content.assigning)

    async def step(self) -> int:
        """Hand on the desks of those whose leave has begun; return how many they were."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            begun = await tx.desks.begun(now, lease=_LEASE)
        for one in begun:
            async with self._database.begin() as tx:
                deputy = one.deputy or None
                handed = await self._absences.hand_on(tx, RmId(one.userid), deputy, now, by=one.by)
                await tx.desks.handed_on(one.id)
            log.info("desk_handed_on", userid=one.userid, leads=len(handed))
        return len(begun)
