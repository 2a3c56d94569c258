"""What comes round by itself: leads that wait too long, files that were saved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.errors import ContentError
from bot.leads.watch import LeadWatch
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.content import Content, Snapshot, read_snapshot, signature
from bot.workers.publish import Sweeper, publish

log = logger(__name__)
_LOOK_EVERY = 1.0  # seconds


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


class ContentWorker:
    """Notices saved files; what passes every check is published, what does not is told."""

    watches: tuple[str, ...] = ()

    def __init__(
        self,
        database: Database,
        content: Content,
        index: Callable[[Snapshot], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._database = database
        self._content = content
        self._index = index
        self._clock = clock
        self._sweeper = Sweeper(database, content, clock)
        self._swept = False
        self._seen = signature(content.workspace)
        self._looked_at = time.monotonic()  # files change in the machine's time, not the clock's

    async def step(self) -> int:
        """Look at the files, at most once a second; return 1 where something changed."""
        if not self._swept:
            return await self._sweep()
        if time.monotonic() - self._looked_at < _LOOK_EVERY:
            return 0
        self._looked_at = time.monotonic()
        seen = await asyncio.to_thread(signature, self._content.workspace)
        if seen == self._seen:
            return 0
        await self.reload()
        self._seen = seen  # only now: where the index could not be made, it is tried again
        return 1

    async def reload(self) -> bool:
        """Read every file anew; False, and nothing changes, where any has a problem."""
        today = self._clock.now().astimezone(self._content.bank.zone).date()
        try:
            snapshot = await asyncio.to_thread(read_snapshot, self._content.workspace, today)
        except ContentError as error:
            self._content.problems = error.problems
            for problem in error.problems:
                log.error("file_refused", file=problem.file, line=problem.line, what=problem.what)
            return False
        await self._index(snapshot)
        await publish(self._database, snapshot, self._clock.now())
        self._content.adopt(snapshot)  # only now: what is not published must not be worked by
        self._swept = False
        log.info("files_published", scripts=len(snapshot.scripts))
        await self._sweep()
        return True

    async def _sweep(self) -> int:
        """Carry out what publications left to be done, also those of a process that has ended."""
        met = await self._sweeper.sweep()
        self._swept = True
        return met
