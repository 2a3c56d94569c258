"""Workers are called when something of theirs is due, and otherwise left alone."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.clock import FakeClock
from bot.domain.events import Notice
from bot.storage.db import Database
from bot.workers.loop import run_for_ever
from tests.waiting import until

NOON = datetime(2026, 10, 12, 4, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path, migrated_sqlite):
    file = shutil.copyfile(migrated_sqlite, tmp_path / "a.db")
    opened = await Database.open(f"sqlite:///{file}", durable=False)
    yield opened
    await opened.close()


class Reader:
    """Reads notices; ``read`` wakes whoever waits for one."""

    watches = ("notices",)

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self._database = database
        self._clock = clock
        self.read: asyncio.Queue[str] = asyncio.Queue()
        self.steps = 0

    async def step(self) -> int:
        self.steps += 1
        async with self._database.begin() as tx:
            claimed = await tx.inbox.claim_notices(self._clock.now(), limit=1)
            for item in claimed:
                await tx.inbox.finish_notice(item)
        for item in claimed:
            self.read.put_nowait(item.notice.key)
        return len(claimed)


class Idler:
    """Has a table in which nothing ever happens."""

    watches = ("leads",)
    steps = 0

    async def step(self) -> int:
        self.steps += 1
        return 0


class Keeper:
    """Keeps time: what it has to do stands in no table."""

    watches = ()

    def __init__(self, pieces: int = 0) -> None:
        self.pieces = pieces
        self.steps = 0

    async def step(self) -> int:
        self.steps += 1
        if not self.pieces:
            return 0
        self.pieces -= 1
        return 1


class Broken:
    """Fails whenever it is called."""

    watches = ("notices",)
    steps = 0

    async def step(self) -> int:
        self.steps += 1
        raise OSError("broken")


async def put(database: Database, key: str, due_at: datetime = NOON) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([Notice(key=key, channel="kf", body="")], due_at)


async def within(seconds: float, *workers, database, clock, then) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(run_for_ever(workers, database, clock, stopping))
    try:
        await asyncio.wait_for(then(), seconds)
    finally:
        stopping.set()
        await running


async def test_news_wakes_whoever_it_is_for_and_nobody_else(database):
    clock = FakeClock(NOON)
    reader, idler = Reader(database, clock), Idler()

    async def three_come() -> None:
        for key in ("a", "b", "c"):
            await put(database, key)
        assert [await reader.read.get() for _ in range(3)] == ["a", "b", "c"]

    await within(5, reader, idler, database=database, clock=clock, then=three_come)
    assert idler.steps == 0


async def test_a_batch_that_was_full_is_followed_by_the_next_without_news(database):
    clock = FakeClock(NOON)
    reader = Reader(database, clock)
    for number in range(20):
        await put(database, f"n{number}")

    async def all_read() -> None:
        for _ in range(20):
            await reader.read.get()

    await within(5, reader, database=database, clock=clock, then=all_read)


async def test_who_keeps_time_is_not_asked_after_every_commit_but_soon_after_the_last(database):
    clock = FakeClock(NOON)
    reader, keeper = Reader(database, clock), Keeper()
    for number in range(60):
        await put(database, f"n{number:02}")

    began = asyncio.get_running_loop().time()

    async def then() -> None:
        for _ in range(60):
            await reader.read.get()
        seen = keeper.steps
        assert seen <= 2 + (asyncio.get_running_loop().time() - began) / 0.02
        await until(lambda: keeper.steps > seen)

    await within(10, reader, keeper, database=database, clock=clock, then=then)


async def test_who_keeps_time_and_has_more_to_do_is_asked_again_at_once(database):
    keeper = Keeper(pieces=200)

    async def then() -> None:
        await until(lambda: not keeper.pieces)

    await within(1.0, keeper, database=database, clock=FakeClock(NOON), then=then)


async def test_what_falls_due_later_is_worked_on_at_its_moment(database):
    clock = FakeClock(NOON)
    reader = Reader(database, clock)
    await put(database, "later", NOON + timedelta(milliseconds=300))

    async def its_moment_comes() -> None:
        clock.advance(milliseconds=299)
        assert reader.read.empty()
        clock.advance(milliseconds=1)
        assert await reader.read.get() == "later"

    await within(5, reader, database=database, clock=clock, then=its_moment_comes)


async def test_a_worker_that_fails_stops_no_other(database):
    clock = FakeClock(NOON)
    reader, broken = Reader(database, clock), Broken()

    async def read_all_the_same() -> None:
        await put(database, "a")
        assert await reader.read.get() == "a"

    await within(5, broken, reader, database=database, clock=clock, then=read_all_the_same)
    assert broken.steps >= 1


async def test_what_came_before_the_clock_was_put_back_does_not_wait_for_it(database):
    hour_ago = FakeClock(NOON - timedelta(hours=1))
    reader = Reader(database, hour_ago)
    await put(database, "a", NOON)

    async def read_at_once() -> None:
        assert await reader.read.get() == "a"

    await within(5, reader, database=database, clock=hour_ago, then=read_at_once)


class Slow:
    """Begins a step and waits; with ``hands`` it may be at several."""

    watches = ("notices",)

    def __init__(self, database: Database, clock: FakeClock, hands: int) -> None:
        self._database = database
        self._clock = clock
        self.hands = hands
        self.at_work = 0
        self.most = 0
        self.go_on = asyncio.Event()

    async def step(self) -> int:
        async with self._database.begin() as tx:
            claimed = await tx.inbox.claim_notices(self._clock.now(), limit=1)
        if not claimed:
            return 0
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        await self.go_on.wait()
        self.at_work -= 1
        async with self._database.begin() as tx:
            for item in claimed:
                await tx.inbox.finish_notice(item)
        return 1


@pytest.mark.parametrize("hands", [1, 3])
async def test_a_slow_step_holds_up_the_next_only_where_there_is_no_other_hand(database, hands):
    clock = FakeClock(NOON)
    worker = Slow(database, clock, hands)
    for number in range(5):
        await put(database, f"n{number}")

    async def all_hands_are_full_and_then_all_is_done() -> None:
        await until(lambda: worker.at_work == hands)
        await asyncio.sleep(0.1)  # time in which one more would begin, if it could
        assert worker.most == hands
        worker.go_on.set()

        async def nothing_left() -> bool:
            async with database.read() as tx:
                return await tx.next_due() is None

        await until(nothing_left)

    await within(
        5, worker, database=database, clock=clock, then=all_hands_are_full_and_then_all_is_done
    )
    assert worker.most == hands


async def test_work_that_waits_behind_its_lane_does_not_keep_the_loop_spinning(database):
    clock = FakeClock(NOON)
    async with database.begin() as tx:
        rung = [Notice(key=key, channel="kf", body="", lane="kf:wkA") for key in ("a", "b")]
        await tx.inbox.add_notices(rung, NOON)
        assert len(await tx.inbox.claim_notices(NOON)) == 1  # by another process
    reader = Reader(database, clock)

    async def a_while() -> None:
        await asyncio.sleep(0.4)

    await within(5, reader, database=database, clock=clock, then=a_while)
    assert reader.steps <= 3


async def test_the_same_error_again_and_again_is_told_once(database):
    clock = FakeClock(NOON)
    broken = Broken()
    await put(database, "a")

    async def three_failures() -> None:
        await until(lambda: broken.steps == 3)

    with capture_logs() as logs:
        await within(8, broken, database=database, clock=clock, then=three_failures)
    assert [line["event"] for line in logs] == ["worker_failed"]


async def test_a_loop_that_is_cancelled_leaves_nothing_going(database):
    clock = FakeClock(NOON)
    worker = Slow(database, clock, 2)
    await put(database, "n0")
    before = asyncio.all_tasks()
    running = asyncio.create_task(run_for_ever([worker], database, clock, asyncio.Event()))
    await until(lambda: worker.at_work == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert asyncio.all_tasks() <= before
