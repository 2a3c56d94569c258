"""Comes round by itself: collects what was not known every hour, and groups it at night."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.search import KnowledgeSearch
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.collecting import Collector
from bot.workers.content import Content
from bot.workers.placing import Placer

_EVERY = timedelta(hours=1)
_PLACED = "teaching:placed"
_FROM, _UNTIL = time(1), time(5)  # in the bank's zone, when nobody waits for the models


class TeachingWorker:
    """Keeps the list of what should be taught."""

    watches: tuple[str, ...] = ()

    def __init__(
        self,
        database: Database,
        collector: Collector,
        placer: Placer,
        content: Content,
        clock: Clock,
    ) -> None:
        self._database = database
        self._collector = collector
        self._placer = placer
        self._content = content
        self._clock = clock
        self._next_at: datetime | None = None
        self._placed_on = ""

    async def step(self) -> int:
        """Collect a batch if it is time; return how many entries were looked at."""
        now = self._clock.now()
        if self._next_at is None:
            self._next_at = now + _EVERY
        if now >= self._next_at:
            read, _ = await self._collector.step()
            if not read:
                self._next_at = now + _EVERY
            return read
        local = now.astimezone(self._content.bank.zone)
        tonight = local.date().isoformat()
        if not _FROM <= local.time() < _UNTIL or self._placed_on == tonight:
            return 0
        self._placed_on = tonight
        async with self._database.begin() as tx:
            last = await tx.inbox.cursor(_PLACED)
            mine = last != tonight and await tx.inbox.move_cursor(_PLACED, last, tonight)
        return (await self._placer.place()).questions if mine else 0


def teaching_worker(
    database: Database, content: Content, index: KnowledgeIndex, clock: Clock
) -> TeachingWorker:
    """Join what collects and what groups."""
    find = KnowledgeSearch(index, content.bank.zone).find
    placer = Placer(database, index, find, clock)
    collector = Collector(database, lambda: content.snapshot, clock)
    return TeachingWorker(database, collector, placer, content, clock)
