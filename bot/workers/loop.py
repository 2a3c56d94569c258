"""Runs workers: by hand until nothing is due, or for ever, woken by news and by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database

log = logger(__name__)
_LONGEST_SLEEP = timedelta(seconds=1)  # other processes may put in work without waking us
_PAUSE_AFTER_FAILURE = 1.0


async def side_by_side(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do pieces of work together, so that a slow one holds up nobody else."""
    await asyncio.gather(*works)


async def one_by_one(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do pieces of work in their order, so that the same story plays the same way twice."""
    for work in works:
        await work


Manner = Callable[[Iterable[Coroutine[Any, Any, None]]], Awaitable[None]]


class Worker(Protocol):
    """Something that works on a batch at a time."""

    @property
    def watches(self) -> tuple[str, ...]:
        """Name the tables whose due rows this worker works on; none for one that keeps time."""

    async def step(self) -> int:
        """Work on one batch; return how many pieces it held."""


async def run_until_idle(workers: Sequence[Worker], database: Database, clock: Clock) -> int:
    """Step every worker that has something due until none has; return the pieces worked on."""
    total = 0
    while True:
        async with database.read() as tx:
            due = await tx.due()
        ready = _ready(due, clock.now())
        worked = 0
        for worker in workers:
            if not worker.watches or ready.intersection(worker.watches):
                worked += await worker.step()
        total += worked
        if not worked:
            return total


async def run_for_ever(
    workers: Sequence[Worker], database: Database, clock: Clock, stopping: asyncio.Event
) -> None:
    """Step each worker whenever something of its own is due, until told to stop.

    One look at the database after each commit serves all of them; each then works by itself, and
    an error stops none. What they have in hand when told to stop is worked to its end.
    """
    foreman = _Foreman(workers, database, clock)
    while not stopping.is_set():
        due = await foreman.call()
        await foreman.rest(due, stopping)
    await foreman.dismiss()


class _Foreman:
    """Calls the workers that have something to do; never one that is still at work."""

    def __init__(self, workers: Sequence[Worker], database: Database, clock: Clock) -> None:
        self._workers = workers
        self._database = database
        self._clock = clock
        self._news = database.listen()
        self._at_work: dict[Worker, asyncio.Task[None]] = {}
        self._wanted_again: set[Worker] = set()

    async def call(self) -> dict[str, datetime]:
        """Set to work whoever has something due; return when the next piece falls due."""
        self._news.clear()
        due: dict[str, datetime] = {}
        try:
            async with self._database.read() as tx:
                due = await tx.due()
        except Exception:
            log.exception("due_not_read")
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
        ready = _ready(due, self._clock.now())
        for worker in self._workers:
            called = not worker.watches or ready.intersection(worker.watches)
            if called and worker in self._at_work:
                self._wanted_again.add(worker)
            elif called:
                self._at_work[worker] = asyncio.create_task(self._work(worker))
        return due

    async def _work(self, worker: Worker) -> None:
        worked = 0
        try:
            worked = await worker.step()
        except Exception:
            log.exception("worker_failed", worker=type(worker).__name__)
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
        finally:
            del self._at_work[worker]
            if worked or worker in self._wanted_again:
                # There may be more; where nothing could be had, only news or time brings it.
                self._wanted_again.discard(worker)
                self._news.set()

    async def rest(self, due: dict[str, datetime], stopping: asyncio.Event) -> None:
        """Wait for a commit, the next due moment, the order to stop, or the longest sleep."""
        now = self._clock.now()
        later = [moment for moment in due.values() if moment > now]
        until = min([*later, now + _LONGEST_SLEEP])
        waits = [
            asyncio.ensure_future(self._news.wait()),
            asyncio.ensure_future(stopping.wait()),
            asyncio.ensure_future(self._clock.wait_until(until)),
            asyncio.ensure_future(asyncio.sleep(_LONGEST_SLEEP.total_seconds())),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def dismiss(self) -> None:
        """Wait until everybody has ended what is in hand."""
        await asyncio.gather(*self._at_work.values())


def _ready(due: dict[str, datetime], now: datetime) -> set[str]:
    return {name for name, moment in due.items() if moment <= now}
