"""A pause in one process holds in every other within a second, and ends as quickly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta

import pytest

from bot.bench.ground import SCRIPT, content_of, fill, with_one_step
from bot.clock import FakeClock
from bot.domain.messages import CHANNEL_OF
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.content import Content, Snapshot
from bot.workers.loop import run_for_ever
from bot.workers.orders import Orders
from bot.workers.outbox import OutboxWorker
from bot.workers.publish import publish
from bot.workers.runs import RunWorker
from bot.workspace import Workspace
from tests.make import local
from tests.planner.conftest import snapshot as snapshot
from tests.planner.conftest import workspace as workspace
from tests.processes.conftest import Open
from tests.waiting import until
from tests.workers.line import Line

GROUPS = 40
EVERY = timedelta(milliseconds=50)
SECOND = timedelta(seconds=1)


class Timed(Line):
    """A line that remembers when each message went over it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.moments: list[datetime] = []

    async def send(self, *given: object, **more: object):  # type: ignore[no-untyped-def, override]
        """Take a message."""
        self.moments.append(self._clock.now())
        return await super().send(*given, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def sending(
    database: Database, content: Content, line: Line, clock: Clock
) -> AsyncIterator[None]:
    """Send as a process of its own does."""
    stopping = asyncio.Event()
    worker = OutboxWorker(database, dict.fromkeys(CHANNEL_OF.values(), line), content, clock)
    running = asyncio.create_task(run_for_ever([worker], database, clock, stopping))
    try:
        yield
    finally:
        stopping.set()
        await running


async def all_due_in_turn(database: Database, content: Content, clock: Clock) -> None:
    """Let every group's step be in the outbox, one due shortly after the other."""
    await fill(database, content, GROUPS, clock.now())
    async with database.begin() as tx:
        await tx.connection.exec_driver_sql("UPDATE enrolments SET due_at = 1")
        await tx.connection.exec_driver_sql("UPDATE run_steps SET opens_at = 1")
    while await RunWorker(database, content, clock).step():
        pass
    begin = int((clock.now() + SECOND).timestamp() * 1_000_000)
    async with database.begin() as tx:
        step = int(EVERY.total_seconds() * 1_000_000)
        await tx.connection.exec_driver_sql(
            f"UPDATE outbox SET batch = '', due_at = {begin} + id % {GROUPS} * {step}"
        )


@pytest.mark.timeout(60, func_only=True)
async def test_two_senders_stop_within_a_second_of_a_pause_in_a_third_process(
    another: Open, workspace: Workspace, snapshot: Snapshot
) -> None:
    clock = FakeClock(local("10:00"), running=True)
    files = with_one_step(snapshot, time(9, 0), time(23, 0))
    content = content_of(workspace, files, clock.now())
    first, second, third = await another(), await another(), await another()
    await publish(first, files, clock.now())
    await all_due_in_turn(first, content, clock)
    line = Timed(clock)
    orders = Orders(third, files.bank, clock, "王芳", "演练")
    (target,) = await orders.meant([SCRIPT])
    async with sending(first, content, line, clock), sending(second, content, line, clock):
        await until(lambda: len(line.moments) >= 5, 20)
        await orders.hold(target, "pause")
        paused_at = clock.now()
        last = paused_at + EVERY * GROUPS + SECOND  # by then everything would have gone
        await until(lambda: clock.now() >= last, 20)
        assert max(line.moments) - paused_at < SECOND
        assert len(line.moments) < GROUPS
        await orders.resume(target)
        await until(lambda: len(line.moments) >= GROUPS, 20)
    assert len({key for key, _ in line.sent}) == len(line.sent) == GROUPS
