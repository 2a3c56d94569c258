"""Runs workers: by hand until nothing is due, or for ever, woken by news and by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database

log = logger(__name__)
_LONGEST_SLEEP = timedelta(seconds=1)  # other processes may put in work without waking us
_PAUSE_AFTER_FAILURE = 1.0


class Worker(Protocol):
    """Something that works on a batch at a time."""

    @property
    def watches(self) -> tuple[str, ...]:
        """Name the tables whose due rows this worker works on."""

    async def step(self) -> int:
        """Work on one batch; return how many pieces it held."""


async def run_until_idle(workers: Sequence[Worker], database: Database, clock: Clock) -> int:
    """Step every worker that has something due until none has; return the pieces worked on."""
    total = 0
    while True:
        async with database.read() as tx:
            due = await tx.due()
        now = clock.now()
        ready = {name for name, moment in due.items() if moment <= now}
        worked = 0
        for worker in workers:
            if not worker.watches or ready.intersection(worker.watches):
                worked += await worker.step()
        total += worked
        if not worked:
            return total


async def run_for_ever(
    worker: Worker, database: Database, clock: Clock, stopping: asyncio.Event
) -> None:
    """Step a worker whenever something is due, until told to stop; never die of an error."""
    news = database.listen()
    while not stopping.is_set():
        news.clear()
        try:
            worked = await worker.step()
        except Exception:
            log.exception("worker_failed", worker=type(worker).__name__)
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
            continue
        if not worked:
            async with database.read() as tx:
                due = await tx.next_due(worker.watches)
            await _rest(news, due, clock, stopping)


async def _rest(
    news: asyncio.Event, due: datetime | None, clock: Clock, stopping: asyncio.Event
) -> None:
    now = clock.now()
    until = now + _LONGEST_SLEEP
    if due is not None and now < due < until:
        until = due
    waits = [
        asyncio.ensure_future(news.wait()),
        asyncio.ensure_future(stopping.wait()),
        asyncio.ensure_future(clock.wait_until(until)),
        asyncio.ensure_future(asyncio.sleep(_LONGEST_SLEEP.total_seconds())),
    ]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
