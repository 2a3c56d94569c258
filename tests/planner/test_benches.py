"""What the measures stand on, in small: every timer runs once, every callback is stored."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.bench.bare import write_bare
from bot.bench.ground import with_one_step
from bot.bench.plan import play, prepare
from bot.bench.reschedule import reschedule
from bot.bench.sleepers import put_to_sleep
from bot.bench.timers import wake
from bot.clock import FakeClock
from bot.storage.db import Database
from bot.workers.content import Content, Snapshot, read_snapshot
from bot.workers.loop import _Foreman
from bot.workspace import Workspace
from tests.planner.conftest import START
from tests.planner.test_planning import rows

SLEEPING, WAKING = 20_000, 60


@pytest.fixture
def today(workspace: Workspace) -> Snapshot:
    return read_snapshot(workspace, datetime.now(UTC).date())


async def test_each_of_the_timers_that_fall_due_runs_once_and_the_others_sleep_on(
    url: str, database: Database, workspace: Workspace, today: Snapshot
) -> None:
    snapshot = with_one_step(today, time(0, 1), time(23, 59))
    found = await wake(url, workspace, snapshot, SLEEPING, WAKING, 0.5)
    assert found["due_to_run"]["count"] == WAKING
    keys = await rows(database, "SELECT key FROM outbox")
    assert {key for (key,) in keys} == {f"sop:{n}:d02-rules:1" for n in range(1, WAKING + 2)}
    asleep = await rows(database, "SELECT count(*) FROM enrolments WHERE due_at IS NOT NULL")
    assert asleep == [(SLEEPING - WAKING - 1,)]


async def test_an_edit_moves_every_timer_and_loses_no_callback(
    database: Database, content: Content, today: Snapshot
) -> None:
    content.adopt(with_one_step(today, time(9, 30), time(10, 30)))
    await put_to_sleep(database, content.snapshot, 2_500, 0, datetime.now(UTC))
    found = await reschedule(database, content, with_one_step(today, time(10, 0), time(11, 0)))
    assert found["moved"] == 2_500
    stored = await rows(database, "SELECT count(*) FROM notices")
    assert stored == [(found["callback_wait"]["count"],)]
    assert stored[0][0] > 0
    assert len(await rows(database, "SELECT DISTINCT opens_at FROM run_steps")) == 1


async def test_the_same_rows_are_written_beside_the_planner(
    url: str, database: Database, content: Content
) -> None:
    moments = await prepare(database, content, 40)
    steps, seconds = await play(database, content, moments)
    assert steps > 40 * 15
    assert seconds > 0
    assert await write_bare(url) > 0
    assert len(await rows(database, "SELECT id FROM outbox")) == 2 * steps


class _Hurrying(FakeClock):
    """A clock that is a second further at each look: whatever one does takes its time."""

    def now(self) -> datetime:
        self._start += timedelta(seconds=1)
        return self._start


async def test_what_falls_due_while_workers_are_called_is_not_slept_over(
    database: Database, content: Content
) -> None:
    """It was due neither when the database was asked nor, if asked again, later than now."""
    await prepare(database, content, 1)
    clock = _Hurrying(START)
    foreman = _Foreman((), database, clock)
    async with database.begin() as tx:
        await tx.runs.set_due(1, START + timedelta(seconds=2.5))  # the look is at 2, the rest at 3
    due = await foreman.call()
    began = asyncio.get_running_loop().time()
    await foreman.rest(due, asyncio.Event())
    assert asyncio.get_running_loop().time() - began < 0.5
