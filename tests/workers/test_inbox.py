"""Doorbells are read page by page; the cursor is stored together with what it leads past."""

from __future__ import annotations

import pytest

from bot.clock import FakeClock
from bot.domain.events import Arrival, Notice, Received
from bot.domain.messages import Outbound, Receipt
from bot.errors import Retryable, Undeliverable
from bot.storage.db import Database
from bot.storage.work import MAX_ATTEMPTS
from bot.workers.inbox import InboxWorker
from tests.make import arrival, notice


class Source:
    """A channel whose log is a list of pages; any page may be an error once."""

    name = "kf"

    def __init__(self, pages: list[list[Arrival] | Exception]) -> None:
        self.pages = pages
        self.pulled: list[str] = []

    def cursor_of(self, notice: Notice) -> str | None:
        return "kf:wkA" if notice.channel == "kf" else None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        self.pulled.append(cursor)
        number = int(cursor or 0)
        if number >= len(self.pages):
            return Received(cursor=cursor)
        page = self.pages[number]
        if isinstance(page, Exception):
            self.pages[number] = []
            raise page
        more = number + 1 < len(self.pages)
        return Received(arrivals=tuple(page), cursor=str(number + 1), more=more)

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        raise Undeliverable("read_only")


async def ring(database: Database, clock: FakeClock, *keys: str) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice(key) for key in keys], clock.now())


async def events(database: Database, clock: FakeClock) -> list[str]:
    async with database.begin() as tx:
        return [item.key for item in await tx.inbox.claim_events(clock.now(), limit=100)]


async def test_every_page_is_read_even_over_empty_ones(
    database: Database, clock: FakeClock
) -> None:
    source = Source([[arrival("1", "a")], [], [], [arrival("2", "b")]])
    await ring(database, clock, "n1")
    assert await InboxWorker(database, {"kf": source}, clock).step() == 1
    assert await events(database, clock) == ["1", "2"]
    async with database.read() as tx:
        assert await tx.inbox.cursor("kf:wkA") == "4"
        assert await tx.next_due(["notices"]) is None


async def test_doorbells_of_one_source_are_read_with_one_pull(
    database: Database, clock: FakeClock
) -> None:
    source = Source([[arrival("1")]])
    await ring(database, clock, "n1", "n2", "n3")
    assert await InboxWorker(database, {"kf": source}, clock).step() == 3
    assert source.pulled == [""]
    async with database.read() as tx:
        assert await tx.next_due(["notices"]) is None


@pytest.mark.parametrize("error", [Retryable("wecom_-1"), RuntimeError("bug"), Undeliverable("x")])
async def test_an_error_between_pages_loses_and_doubles_nothing(
    database: Database, clock: FakeClock, error: Exception
) -> None:
    source = Source([[arrival("1", "a")], error, [arrival("2", "b")]])
    worker = InboxWorker(database, {"kf": source}, clock)
    await ring(database, clock, "n1")
    await worker.step()
    assert await events(database, clock) == ["1"]
    assert await worker.step() == 0
    clock.advance(minutes=1)
    assert await worker.step() == 1
    assert source.pulled == ["", "1", "1", "2"]
    assert await events(database, clock) == ["2"]


async def test_a_source_that_never_answers_ends_among_the_dead_letters(
    database: Database, clock: FakeClock
) -> None:
    class Broken(Source):
        async def receive(self, notice: Notice, cursor: str) -> Received:
            self.pulled.append(cursor)
            raise Undeliverable("wecom_60020")

    source = Broken([])
    worker = InboxWorker(database, {"kf": source}, clock)
    await ring(database, clock, "n1")
    for _ in range(3 * MAX_ATTEMPTS):
        await worker.step()
        clock.advance(hours=1)
    assert len(source.pulled) == MAX_ATTEMPTS
    async with database.read() as tx:
        assert await tx.next_due(["notices"]) is None


async def test_two_processes_that_pull_the_same_page_store_it_once(
    database: Database, clock: FakeClock
) -> None:
    pages: list[list[Arrival] | Exception] = [[arrival("1", "a"), arrival("2", "b")]]
    await ring(database, clock, "n1")
    await InboxWorker(database, {"kf": Source(list(pages))}, clock).step()
    async with database.begin() as tx:  # the other one had read the cursor before
        await tx.inbox.add_events([arrival("1", "a"), arrival("2", "b")], clock.now())
        assert not await tx.inbox.move_cursor("kf:wkA", "", "1")
    assert await events(database, clock) == ["1", "2"]
