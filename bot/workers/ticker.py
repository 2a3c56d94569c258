"""What comes round by itself: leads that were put off wake, questions get no answer."""

from __future__ import annotations

from bot.leads.desk import LeadDesk
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.saved_files import ContentWorker as ContentWorker


class LeadWorker:
    """Wakes the leads whose sleep is over, and closes those whose customer never answered."""

    watches = ("leads",)

    def __init__(self, database: Database, desk: LeadDesk, clock: Clock) -> None:
        self._database = database
        self._desk = desk
        self._clock = clock

    async def step(self) -> int:
        """See to the leads whose time has come; return how many there were."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            due = await tx.leads.claim(now)
            for lead in due:
                if lead.stage == "later":
                    await self._desk.wake(tx, lead, now)
                elif lead.stage == "new":  # opened by a version that kept no limits
                    await self._desk.adopt(tx, lead, now)
                elif lead.stage == "asking":
                    await self._desk.give_up(tx, lead, now)
                else:
                    await tx.leads.change(lead.id, due_at=None)
        return len(due)
