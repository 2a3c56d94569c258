"""A doorbell that was lost is made up for: at a start, then every ten minutes, once over all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.channels.doorbells import own_doorbell
from bot.clock import FakeClock
from bot.domain.events import Notice, Received
from bot.domain.messages import Outbound, Receipt
from bot.errors import Retryable, Undeliverable
from bot.storage.db import Database
from bot.storage.tables import notices
from bot.workers.catching_up import CatchUp
from bot.workers.content import Content
from bot.workers.inbox import InboxWorker
from tests.make import ACCOUNT, NOON
from tests.workers.room import Room, open_room


@pytest.fixture
async def room(database: Database, content: Content) -> AsyncIterator[Room]:
    async with open_room(database, content) as opened:
        yield opened


class Source:
    """Counts how often it is read, and fails as it is told to."""

    name = "kf"

    def __init__(self) -> None:
        self.read: list[str] = []
        self.error: Exception | None = None

    def cursor_of(self, notice: Notice) -> str | None:
        return notice.lane

    async def receive(self, notice: Notice, cursor: str) -> Received:
        self.read.append(notice.lane)
        if self.error is not None:
            raise self.error
        return Received(cursor=cursor)

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        raise Undeliverable("not_here")


async def known(database: Database, *sources: str) -> None:
    async with database.begin() as tx:
        for source in sources:
            await tx.inbox.move_cursor(source, "", "c1")


async def looks(database: Database) -> list[tuple[str, str]]:
    async with database.read() as tx:
        rows = await tx.connection.execute(notices.select().order_by(notices.c.id))
        return [(row.lane, row.state) for row in rows]


async def test_what_was_asked_while_the_bot_was_down_is_answered_without_a_doorbell(
    room: Room,
) -> None:
    room.world.kf.customer_says(ACCOUNT, "wmA", "你们几点开门")
    await room.pull()
    room.clock.advance(seconds=5)
    await room.think()
    await room.send()
    room.world.callbacks.configs.clear()  # from here on no doorbell comes
    room.clock.advance(hours=30)
    room.world.kf.customer_says(ACCOUNT, "wmA", "周六开不开")
    room.clock.advance(hours=2)
    assert await CatchUp(room.database, own_doorbell, room.clock).step() == 1
    await room.inbox.step()
    room.clock.advance(seconds=5)
    await room.think()
    await room.send()
    said = [one.text for one in room.world.deliveries.select("kf", "wmA")]
    assert [text.count("周六开不开") for text in said] == [0, 1]


async def test_each_source_is_looked_at_at_the_start_and_then_every_ten_minutes(
    database: Database, clock: FakeClock
) -> None:
    await known(database, "kf:wkA", "kf:wkB", "archive", "sweep:senior")
    worker = CatchUp(database, own_doorbell, clock)
    found = []
    for _ in range(40):  # half an hour and a little, looked in upon again and again
        found.append(await worker.step())
        assert await worker.step() == 0
        clock.advance(seconds=50)
    assert [count for count in found if count] == [3, 3, 3, 3]
    assert {lane for lane, _ in await looks(database)} == {"kf:wkA", "kf:wkB", "archive"}


async def test_several_processes_look_once_together(database: Database, clock: FakeClock) -> None:
    await known(database, "kf:wkA")
    workers = []
    for _ in range(5):  # one is started after the other
        workers.append(CatchUp(database, own_doorbell, clock))
        await workers[-1].step()
        clock.advance(seconds=70)
    before = len(await looks(database))
    assert before <= 6
    for _ in range(60):
        for worker in workers:
            await worker.step()
        clock.advance(minutes=1)
    assert len(await looks(database)) - before <= 7


async def test_a_second_start_within_the_minute_looks_in_the_next_one(
    database: Database, clock: FakeClock
) -> None:
    await known(database, "kf:wkA")
    assert await CatchUp(database, own_doorbell, clock).step() == 1
    again = CatchUp(database, own_doorbell, clock)
    assert await again.step() == 0
    clock.advance(seconds=61)
    assert await again.step() == 1


async def test_a_bot_that_never_read_anything_asks_for_nothing(
    database: Database, clock: FakeClock
) -> None:
    assert await CatchUp(database, own_doorbell, clock).step() == 0
    assert await looks(database) == []


class BackwardClock(FakeClock):
    """A clock that somebody puts back."""

    def set(self, back: timedelta) -> None:
        self._start -= back


async def test_a_clock_that_was_put_back_stops_no_look(database: Database) -> None:
    clock = BackwardClock(NOON)
    await known(database, "kf:wkA")
    worker = CatchUp(database, own_doorbell, clock)
    assert await worker.step() == 1
    clock.set(timedelta(hours=1))
    assert await worker.step() == 1


@pytest.mark.parametrize(
    ("error", "state"),
    [(Undeliverable("wecom_95004"), "done"), (Retryable("wecom_45009"), "ready")],
)
async def test_a_source_that_is_gone_leaves_no_dead_letter_and_one_that_rests_is_asked_again(
    database: Database, clock: FakeClock, error: Exception, state: str
) -> None:
    await known(database, "kf:wkA")
    source = Source()
    source.error = error
    inbox = InboxWorker(database, {"kf": source}, clock)
    await CatchUp(database, own_doorbell, clock).step()
    await inbox.step()
    assert await looks(database) == [("kf:wkA", state)]
    clock.advance(minutes=2)
    await inbox.step()
    assert len(source.read) == (2 if state == "ready" else 1)
