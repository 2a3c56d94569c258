"""PostgreSQL goes away, or two transactions meet: work goes on by itself, and nothing crashes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.clock import SystemClock
from bot.errors import DatabaseFailed
from bot.storage.db import Database
from bot.workers.loop import run_for_ever
from tests.make import notice
from tests.processes.conftest import Open
from tests.waiting import until

_KILL = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name LIKE 'zhilin%' AND pid <> pg_backend_pid()"
)


async def cut(database: Database) -> None:
    """End every other connection, as a restart of the server does."""
    async with database.engine.connect() as connection:
        await connection.execute(_KILL)


async def add(database: Database, key: str, clock: SystemClock) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice(key)], clock.now())


class Reader:
    """Finishes notices, and remembers their keys."""

    watches = ("notices",)

    def __init__(self, database: Database, clock: SystemClock) -> None:
        self._database = database
        self._clock = clock
        self.read: list[str] = []

    async def step(self) -> int:
        async with self._database.begin() as tx:
            claimed = await tx.inbox.claim_notices(self._clock.now())
            for item in claimed:
                await tx.inbox.finish_notice(item)
        self.read += [item.notice.key for item in claimed]
        return len(claimed)


async def test_a_connection_that_died_while_it_lay_idle_is_never_noticed(
    another: Open, clock: SystemClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.engines._IDLE_S", 0.0)
    mine, other = await another(), await another()
    await add(mine, "a", clock)
    await cut(other)
    await add(mine, "b", clock)
    async with mine.read() as tx:
        assert await tx.next_due() is not None


async def test_a_transaction_whose_connection_is_cut_fails_in_our_words_and_the_next_one_works(
    another: Open, clock: SystemClock
) -> None:
    mine, other = await another(), await another()

    async def cut_in_the_middle() -> None:
        async with mine.begin() as tx:
            await tx.inbox.add_notices([notice("a")], clock.now())
            await cut(other)
            await tx.inbox.add_notices([notice("b")], clock.now())

    with pytest.raises(DatabaseFailed) as failed:
        await cut_in_the_middle()
    assert failed.value.reason == "unreachable"
    await add(mine, "c", clock)
    async with mine.begin() as tx:
        claimed = await tx.inbox.claim_notices(clock.now())
    assert [item.notice.key for item in claimed] == ["c"]


async def test_workers_go_on_by_themselves_after_every_connection_was_cut(
    another: Open, clock: SystemClock
) -> None:
    mine, other = await another(), await another()
    mine.share_news(ring=False)
    await mine.hears()
    reader, stopping = Reader(mine, clock), asyncio.Event()
    running = asyncio.create_task(run_for_ever([reader], mine, clock, stopping))
    await add(other, "before", clock)
    await until(lambda: reader.read == ["before"])
    await cut(other)
    await add(other, "after", clock)
    await until(lambda: reader.read == ["before", "after"], within_s=10)
    stopping.set()
    await running


async def test_of_two_transactions_that_wait_for_each_other_one_is_told_to_try_again(
    another: Open, clock: SystemClock
) -> None:
    databases = [await another(), await another()]
    for key in ("a", "b"):
        await add(databases[0], key, clock)
    both_hold_one = asyncio.Barrier(2)
    touch = text("UPDATE notices SET error = 'x' WHERE key = :key")

    async def take(database: Database, first: str, second: str) -> str:
        try:
            async with database.begin() as tx:
                await tx.connection.execute(touch, {"key": first})
                await both_hold_one.wait()
                await tx.connection.execute(touch, {"key": second})
        except DatabaseFailed as error:
            return error.reason
        return "done"

    ends = await asyncio.gather(take(databases[0], "a", "b"), take(databases[1], "b", "a"))
    assert sorted(ends) == ["conflict", "done"]


async def test_no_statement_and_no_wait_for_a_lock_lasts_for_ever(another: Open) -> None:
    database = await another()
    async with database.begin() as tx:
        shown = {
            name: (await tx.connection.execute(text(f"SHOW {name}"))).scalar_one()
            for name in ("statement_timeout", "lock_timeout")
        }
        await tx.connection.execute(text("SET LOCAL statement_timeout = 20"))
        with pytest.raises(Exception, match="canceling statement"):
            await tx.connection.execute(text("SELECT pg_sleep(5)"))
    assert shown == {"statement_timeout": "30s", "lock_timeout": "10s"}


async def test_a_lane_that_two_took_at_once_is_a_conflict_and_not_a_crash(
    another: Open, clock: SystemClock
) -> None:
    database = await another()
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice(key, lane="kf:wkA") for key in "ab"], clock.now())

    async def take_both() -> None:
        async with database.begin() as tx:
            await tx.connection.execute(text("UPDATE notices SET state = 'running'"))

    with pytest.raises(DatabaseFailed) as failed:
        await take_both()
    assert failed.value.reason == "conflict"


async def test_a_pool_gives_no_more_connections_than_it_was_allowed(shared_url: str) -> None:
    database = await Database.open(shared_url, pool=2)
    try:
        entered = 0
        leave = asyncio.Event()

        async def hold() -> None:
            nonlocal entered
            async with database.begin() as tx:
                await tx.connection.execute(text("SELECT 1"))
                entered += 1
                await leave.wait()

        tasks = [asyncio.create_task(hold()) for _ in range(3)]
        await until(lambda: entered == 2)
        leave.set()
        await asyncio.gather(*tasks)
        assert entered == 3
    finally:
        await database.close()


async def test_a_killed_workers_claim_is_free_after_its_lease_and_an_ended_ones_at_once(
    another: Open, clock: SystemClock
) -> None:
    dead, ended, next_one = await another(), await another(), await another()
    for database, key in ((dead, "of the dead"), (ended, "of the ended")):
        await add(database, key, clock)
        async with database.begin() as tx:
            assert len(await tx.inbox.claim_notices(clock.now())) == 1
    assert await ended.let_go(clock.now()) == 1
    async with next_one.begin() as tx:
        claimed = await tx.inbox.claim_notices(clock.now())
        assert [item.notice.key for item in claimed] == ["of the ended"]
        later = await tx.inbox.claim_notices(clock.now() + timedelta(seconds=61))
        assert "of the dead" in [item.notice.key for item in later]


async def test_the_bell_is_hung_up_again_after_its_line_was_cut(
    another: Open, clock: SystemClock
) -> None:
    mine, other = await another(), await another()
    mine.share_news(ring=False)
    await mine.hears()
    await cut(other)
    other.share_news(ring=True)
    await other.hears()
    news = mine.listen()
    await asyncio.wait_for(news.wait(), 10)  # it looks at once for what was told meanwhile
    news.clear()
    await mine.hears()
    await add(other, "a", clock)
    await asyncio.wait_for(news.wait(), 5)
