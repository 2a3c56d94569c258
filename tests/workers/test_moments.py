"""Moments: one for all who come to a step, asked after until posted, over, or never known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.doubt import MadeTask
from bot.domain.mass_messages import Moment, Task
from bot.domain.messages import Text
from bot.errors import ChannelError, Retryable, Undeliverable
from bot.storage.db import Database
from bot.storage.letters import seal
from bot.storage.tables import moments, outbox
from bot.workers.content import Content
from bot.workers.moments import MomentWorker
from bot.workers.outbox import OutboxWorker
from bot.workers.reconcile import DoubtWorker
from tests.make import MINUTE, NOON, OWNER, local, new_step
from tests.workers.line import Line, Lost, work

CLOSES = local("18:00")
SAID = Moment(manager=OWNER, contents=(Text(text="下周开放日"),))


class Wall:
    """WeCom's moments, as a test makes them."""

    def __init__(self) -> None:
        self.made_as = "mom-1"
        self.is_posted = False
        self.trouble: ChannelError | None = None

    async def made(self, job: str) -> str:
        if self.trouble is not None:
            raise self.trouble
        return self.made_as

    async def posted(self, moment: str, manager: str) -> bool:
        assert (moment, manager) == ("mom-1", OWNER)
        if self.trouble is not None:
            raise self.trouble
        return self.is_posted


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def looks(database: Database, wall: Wall, clock: FakeClock) -> MomentWorker:
    return MomentWorker(database, wall, clock)


async def come(database: Database, clock: FakeClock, *people: str) -> None:
    """Let customers come to the step whose words are a moment."""
    now = clock.now()
    async with database.begin() as tx:
        for person in people:
            run = await tx.runs.enrol(
                script="friends",
                version="1",
                subject=person,
                owner=OWNER,
                branch="",
                anchor=date(2026, 10, 12),
                state="running",
                now=now,
            )
            assert run is not None
            await tx.runs.add_steps(run, [new_step("d02")], now)
            (step,) = await tx.runs.steps(run)
            await tx.runs.set_step(step.id, now, state="queued", iteration=1)
            terms = Terms(
                purpose="control",
                subject=person,
                step="d02",
                enrolment=run,
                run_step=step.id,
                closes_at=max(CLOSES, now + timedelta(hours=2)),
            )
            await tx.planning.send([seal(f"sop:{run}:d02:1", SAID, terms)], now)


async def ended(database: Database) -> dict[tuple[str, str], int]:
    async with database.read() as tx:
        return await tx.runs.outcomes()


async def test_a_posted_moment_confirms_all_who_came_and_all_who_come_later(
    database: Database,
    worker: OutboxWorker,
    line: Line,
    clock: FakeClock,
    looks: MomentWorker,
    wall: Wall,
) -> None:
    await come(database, clock, "wmA", "wmB")
    clock.advance(minutes=1)
    await work(worker)
    assert line.kinds == ["moment"]
    await come(database, clock, "wmC")
    clock.advance(minutes=1)
    await work(worker)
    assert line.kinds == ["moment"]
    assert await ended(database) == {("waiting", ""): 3}
    assert await looks.step() == 1
    wall.is_posted = True
    clock.advance(minutes=10)
    await looks.step()
    assert await ended(database) == {("confirmed", ""): 3}
    clock.advance(days=2)
    await come(database, clock, "wmD")
    clock.advance(minutes=1)
    await work(worker)
    assert line.kinds == ["moment"]
    assert await ended(database) == {("confirmed", ""): 4}


async def test_after_a_week_the_same_words_are_a_new_moment(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock, looks: MomentWorker
) -> None:
    await come(database, clock, "wmA")
    clock.advance(minutes=1)
    await work(worker)
    clock.advance(days=7)
    await come(database, clock, "wmB")
    clock.advance(minutes=1)
    await work(worker)
    assert line.kinds == ["moment", "moment"]


async def test_while_a_moment_is_on_its_way_nobody_makes_a_second(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    await come(database, clock, "wmA")
    clock.advance(minutes=1)
    async with database.begin() as tx:  # another process has it in hand
        (held,) = await tx.outbox.claim(clock.now(), limit=1, urgent=False)
        await tx.parcels.mark_leaving([held], clock.now())
    await come(database, clock, "wmB")
    clock.advance(seconds=15)
    await work(worker)
    assert line.kinds == []
    async with database.begin() as tx:
        await tx.outbox.settle(held.id, held.attempt, "failed", clock.now())
    clock.advance(seconds=10)
    await work(worker)
    assert line.kinds == ["moment"]


async def test_a_moment_that_wecom_could_not_make_is_a_failed_step(
    database: Database,
    worker: OutboxWorker,
    clock: FakeClock,
    looks: MomentWorker,
    wall: Wall,
) -> None:
    await come(database, clock, "wmA")
    clock.advance(minutes=1)
    await work(worker)
    wall.trouble = Undeliverable("wecom_40003")
    clock.advance(minutes=2)
    await looks.step()
    assert await ended(database) == {("failed", "wecom_40003"): 1}


async def test_wecom_being_down_ends_nothing_before_the_day_after(
    database: Database,
    worker: OutboxWorker,
    clock: FakeClock,
    looks: MomentWorker,
    wall: Wall,
) -> None:
    await come(database, clock, "wmA")
    clock.advance(minutes=1)
    await work(worker)
    wall.trouble = Retryable("down")
    while clock.now() < CLOSES + timedelta(days=1):
        assert await ended(database) == {("waiting", ""): 1}
        clock.advance(minutes=30)
        await looks.step()
    clock.advance(minutes=30)
    await looks.step()
    assert await ended(database) == {("failed", "in_doubt"): 1}


async def test_an_unposted_moment_is_cancelled_and_asked_after_once_more(
    database: Database,
    worker: OutboxWorker,
    line: Line,
    clock: FakeClock,
    looks: MomentWorker,
    wall: Wall,
) -> None:
    await come(database, clock, "wmA")
    clock.advance(minutes=1)
    await work(worker)
    clock.jump(CLOSES)
    await looks.step()
    assert await ended(database) == {("waiting", ""): 1}
    await work(worker)
    assert line.kinds == ["moment", "moment_cancel"]
    wall.is_posted = True  # the manager was quicker than the cancel
    clock.advance(minutes=1)
    await looks.step()
    assert await ended(database) == {("confirmed", ""): 1}


class Listed:
    """WeCom's list of moments."""

    def __init__(self, *made: MadeTask) -> None:
        self.made = made

    async def between(
        self, message: Task | Moment, start: datetime, end: datetime
    ) -> Sequence[MadeTask]:
        return self.made

    async def receivers(self, made: str, message: Task | Moment) -> frozenset[str]:
        return frozenset({OWNER})


async def test_a_moment_in_doubt_is_found_in_wecoms_list_and_goes_on(
    database: Database,
    worker: OutboxWorker,
    line: Line,
    clock: FakeClock,
    looks: MomentWorker,
    wall: Wall,
    content: Content,
) -> None:
    line.outcomes = [Lost("timeout")]
    await come(database, clock, "wmA", "wmB")
    for _ in range(2):
        clock.advance(minutes=1)
        await work(worker)
    found = Listed(MadeTask(msgid="mom-1", text="下周开放日"))
    clock.advance(minutes=3)
    await DoubtWorker(database, found, content, clock).step()
    async with database.read() as tx:
        rows = (await tx.connection.execute(select(moments))).all()
        states = (await tx.connection.execute(select(outbox.c.state))).scalars().all()
    assert [(row.ref, row.moment) for row in rows] == [("moment:mom-1", "mom-1")]
    assert states == ["sent", "sent"]
    wall.is_posted = True
    clock.jump(NOON + 10 * MINUTE)
    await looks.step()
    assert await ended(database) == {("confirmed", ""): 2}
