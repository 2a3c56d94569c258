"""One puller per source: doorbells are answered together, and none that came too late."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from bot.clock import FakeClock
from bot.domain.events import Arrival, Notice, Received
from bot.domain.messages import Outbound, Receipt
from bot.errors import Retryable, Undeliverable
from bot.storage.db import Database
from bot.storage.tables import events, notices
from bot.workers.inbox import InboxWorker
from tests.make import arrival, notice
from tests.waiting import until

LANE = "kf:wkA"


class Log:
    """An account's log; while a page is pulled, ``meanwhile`` may ring once more."""

    name = "kf"

    def __init__(self) -> None:
        self.items: list[Arrival] = []
        self.page = 2
        self.pulled: list[tuple[str, str]] = []
        self.errors: list[Exception] = []
        self.meanwhile = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    def cursor_of(self, notice: Notice) -> str | None:
        return "kf:wkA"

    async def receive(self, notice: Notice, cursor: str) -> Received:
        self.pulled.append((notice.body, cursor))
        if self.errors:
            raise self.errors.pop(0)
        start = int(cursor or 0)
        page = self.items[start : start + self.page]
        more = start + self.page < len(self.items)
        if not more:
            self.meanwhile.set()
            await self.go_on.wait()
        return Received(arrivals=tuple(page), cursor=str(start + len(page)), more=more)

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        raise Undeliverable("read_only")


async def ring(database: Database, clock: FakeClock, *keys: str, lane: str = LANE) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices(
            [notice(key, body=f"token of {key}", lane=lane) for key in keys], clock.now()
        )


async def stored(database: Database) -> list[str]:
    async with database.read() as tx:
        rows = await tx.connection.execute(select(events.c.key).order_by(events.c.id))
        return [row.key for row in rows]


async def unread(database: Database) -> list[str]:
    async with database.read() as tx:
        rows = await tx.connection.execute(
            select(notices.c.key).where(notices.c.due_at.is_not(None)).order_by(notices.c.id)
        )
        return [row.key for row in rows]


async def test_many_doorbells_are_answered_by_one_pull_with_the_newest_token(
    database: Database, clock: FakeClock
) -> None:
    log = Log()
    log.items = [arrival(str(number), "a") for number in range(5)]
    await ring(database, clock, "n1", "n2", "n3")
    assert await InboxWorker(database, {"kf": log}, clock).step() == 1
    assert log.pulled == [("token of n3", ""), ("token of n3", "2"), ("token of n3", "4")]
    assert await stored(database) == ["0", "1", "2", "3", "4"]
    assert await unread(database) == []


async def test_a_doorbell_that_rings_during_the_last_page_is_pulled_for_again(
    database: Database, clock: FakeClock
) -> None:
    log = Log()
    log.items = [arrival("1", "a")]
    log.go_on.clear()
    worker = InboxWorker(database, {"kf": log}, clock)
    await ring(database, clock, "n1", "n2")
    pulling = asyncio.create_task(worker.step())
    await log.meanwhile.wait()  # WeCom has put the page together, and now a message comes
    log.items.append(arrival("2", "a"))
    await ring(database, clock, "n3")
    assert await worker.step() == 0, "two pulls of one account"
    log.go_on.set()
    await pulling
    assert await unread(database) == ["n3"]
    assert await worker.step() == 1
    assert await stored(database) == ["1", "2"]
    assert await unread(database) == []


async def test_two_accounts_are_pulled_side_by_side(database: Database, clock: FakeClock) -> None:
    class Accounts(Log):
        def cursor_of(self, notice: Notice) -> str | None:
            return notice.lane

    log = Accounts()
    log.go_on.clear()
    await ring(database, clock, "a")
    await ring(database, clock, "b", lane="kf:wkB")
    pulling = asyncio.create_task(InboxWorker(database, {"kf": log}, clock).step())
    await until(lambda: len(log.pulled) == 2)  # the second begins while the first still waits
    log.go_on.set()
    assert await pulling == 2


async def test_a_lane_in_trouble_tries_again_within_a_minute_however_long_it_lasts(
    database: Database, clock: FakeClock
) -> None:
    log = Log()
    worker = InboxWorker(database, {"kf": log}, clock)
    await ring(database, clock, "n1")
    log.errors = [Retryable("wecom_-1") for _ in range(60)]
    for _ in range(60):
        assert await worker.step() == 1
        async with database.read() as tx:
            due = await tx.next_due(["notices"])
        assert due is not None
        assert due - clock.now() <= timedelta(seconds=60)
        clock.jump(due)
    log.items = [arrival("1", "a")]
    await worker.step()
    assert await stored(database) == ["1"]


async def test_whoever_lost_the_lane_stores_nothing_of_its_page(
    database: Database, clock: FakeClock
) -> None:
    log = Log()
    log.items = [arrival("1", "a")]
    log.go_on.clear()
    worker = InboxWorker(database, {"kf": log}, clock)
    await ring(database, clock, "n1")
    slow = asyncio.create_task(worker.step())
    await log.meanwhile.wait()
    clock.advance(seconds=61)  # its lease is over
    async with database.begin() as tx:
        (taken,) = await tx.inbox.claim_notices(clock.now())
    log.go_on.set()
    await slow
    assert await stored(database) == []
    async with database.begin() as tx:
        assert await tx.inbox.cursor("kf:wkA") == ""
        assert await tx.inbox.finish_notice(taken)


async def test_a_source_that_promises_more_and_never_moves_is_left_for_a_while(
    database: Database, clock: FakeClock
) -> None:
    class Stuck(Log):
        async def receive(self, notice: Notice, cursor: str) -> Received:
            self.pulled.append((notice.body, cursor))
            return Received(cursor=cursor, more=True)

    log = Stuck()
    await ring(database, clock, "n1")
    await InboxWorker(database, {"kf": log}, clock).step()
    assert 1 < len(log.pulled) < 50
    async with database.read() as tx:
        due = await tx.next_due(["notices"])
    assert due is not None
    assert due > clock.now()


class Plain:
    """A channel whose notices are the news themselves; one of them cannot be read."""

    name = "app"

    def cursor_of(self, notice: Notice) -> str | None:
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        if notice.key == "odd":
            raise ValueError("not a message")
        return Received(arrivals=(arrival(notice.key, notice.key),))

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        raise Undeliverable("read_only")


async def test_news_of_many_notices_is_stored_by_one_commit_and_a_bad_one_waits_alone(
    database: Database, clock: FakeClock
) -> None:
    commits: list[str] = []
    event.listen(database.engine.sync_engine, "commit", lambda _: commits.append("commit"))
    async with database.begin() as tx:
        keys = [*(f"n{number}" for number in range(40)), "odd"]
        await tx.inbox.add_notices([notice(key, "app") for key in keys], clock.now())
    commits.clear()
    assert await InboxWorker(database, {"app": Plain()}, clock).step() == 41
    assert len(commits) == 3, "the claim, the bad one put off, the news of all others"
    assert len(await stored(database)) == 40
    assert await unread(database) == ["odd"]


async def test_a_notice_of_a_channel_that_is_gone_does_not_hold_up_the_others(
    database: Database, clock: FakeClock
) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice("old", "gone"), notice("new", "app")], clock.now())
    await InboxWorker(database, {"app": Plain()}, clock).step()
    assert await stored(database) == ["new"]
    assert await unread(database) == ["old"]


@pytest.mark.parametrize("lane", ["", LANE])
async def test_a_process_that_ends_gives_back_what_it_had_in_hand(
    database: Database, clock: FakeClock, lane: str
) -> None:
    await ring(database, clock, "n1", lane=lane)
    async with database.begin() as tx:
        assert len(await tx.inbox.claim_notices(clock.now())) == 1
    assert await database.let_go(clock.now()) == 1
    async with database.begin() as tx:
        (again,) = await tx.inbox.claim_notices(clock.now())
    assert again.attempt == 2
