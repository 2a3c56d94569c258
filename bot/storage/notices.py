"""Callbacks are stored in groups: one statement and one commit for all that arrived meanwhile."""

from __future__ import annotations

import asyncio

from bot.domain.events import Notice
from bot.errors import DatabaseFailed
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.notice_rows import insert_notices

_AT_ONCE = 256
_Waiting = list[tuple[Notice, asyncio.Future[None]]]
log = logger(__name__)


class NoticeWriter:
    """Stores notices durably; many callers share one commit."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: _Waiting = []
        self._task: asyncio.Task[None] | None = None

    async def add(self, notice: Notice) -> None:
        """Return once the notice is on disk; raise what the database raised."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((notice, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        await future

    async def _drain(self) -> None:
        """Store what waits, group by group.

        A group is taken only when the loop has seen to everything else that is ready: requests
        that came together are stored together.
        """
        group: _Waiting = []
        try:
            while self._waiting:
                await asyncio.sleep(0)
                group, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
                await self._store(group)
        finally:
            self._task = None
            for _, future in group:  # whoever still waits for a writer that was ended
                future.cancel()

    async def _store(self, group: _Waiting) -> None:
        """Store a group, and tell each who waits for it."""
        try:
            await self._insert([notice for notice, _ in group])
        except DatabaseFailed as error:
            _tell(group, error)
        except Exception as error:
            if len(group) == 1:
                _tell(group, error)
                return
            # One that the database does not take must not hold up the others of its group.
            log.warning("notices_stored_one_by_one", count=len(group), reason=type(error).__name__)
            for one in group:
                await self._store([one])
        else:
            _tell(group, None)

    async def _insert(self, notices: list[Notice]) -> None:
        on_sqlite = self._database.kind == "sqlite"
        await self._database.run_alone(*insert_notices(notices, self._clock.now(), on_sqlite))


def _tell(group: _Waiting, error: Exception | None) -> None:
    for _, future in group:
        if future.done():  # nobody waits for it any more
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
