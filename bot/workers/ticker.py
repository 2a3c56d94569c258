"""What comes round by itself: leads that wait too long."""

from __future__ import annotations

from bot.leads.watch import LeadWatch
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.saved_files import ContentWorker as ContentWorker


class LeadWorker:
    """Watches the time that leads wait."""

    watches = ("leads",)

    def __init__(
        self, database: Database, content: Content, clock: Clock, *, card_link: str = ""
    ) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._card_link = card_link

    async def step(self) -> int:
        """Look at the leads whose time has come; return how many there were."""
        async with self._database.begin() as tx:
            leads = await tx.leads.claim(self._clock.now())
            watch = LeadWatch(self._content.bank, self._card_link)
            for lead in leads:
                await watch.look(tx, lead, self._clock.now())
        return len(leads)
