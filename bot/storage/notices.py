"""Callbacks are stored in groups: one commit for all that arrived meanwhile."""

from __future__ import annotations

import asyncio

from bot.domain.events import Notice
from bot.ports import Clock
from bot.storage.db import Database

_AT_ONCE = 64


class NoticeWriter:
    """Stores notices durably; many callers share one commit."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[tuple[Notice, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def add(self, notice: Notice) -> None:
        """Return once the notice is on disk; raise what the database raised."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((notice, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        await future

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            try:
                async with self._database.begin() as tx:
                    await tx.inbox.add_notices([notice for notice, _ in batch], self._clock.now())
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for _, future in batch:
                if not future.done():
                    future.set_result(None)
