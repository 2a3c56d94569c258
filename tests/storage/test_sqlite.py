"""SQLite under SQLAlchemy: few hops, and every promise of a transaction kept."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.domain.events import Notice
from bot.errors import ConfigError
from bot.storage.db import Database
from bot.storage.migrate import upgrade

CREATE = text("CREATE TABLE sums (name TEXT PRIMARY KEY, amount INTEGER NOT NULL)")
ADD = text("INSERT INTO sums VALUES (:name, :amount)")
ALL = text("SELECT name, amount FROM sums ORDER BY name")


@pytest.fixture(params=["in a thread", "in place"])
def in_place(request):
    return request.param == "in place"


@pytest.fixture
async def database(tmp_path, in_place):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    opened = await Database.open(url, durable=not in_place, in_place=in_place)
    async with opened.begin() as tx:
        await tx.connection.execute(CREATE)
    yield opened
    await opened.close()


async def rows(database: Database) -> list[tuple[str, int]]:
    async with database.read() as tx:
        return [tuple(row) for row in await tx.connection.execute(ALL)]


async def add(tx, name: str, amount: int | None = 1) -> None:
    await tx.connection.execute(ADD, {"name": name, "amount": amount})


async def test_the_disk_is_waited_for_and_readers_never_wait_for_the_writer(database, in_place):
    async with database.begin() as tx:
        pragmas = [
            (await tx.connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        ]
        assert pragmas == ["wal", 0 if in_place else 2, 15000]
        await add(tx, "a")
        assert await rows(database) == []
    assert await rows(database) == [("a", 1)]


async def test_a_writing_transaction_locks_out_other_writers_from_its_first_statement(
    database, tmp_path
):
    async with database.begin() as tx:
        await tx.connection.execute(ALL)
        other = sqlite3.connect(tmp_path / "a.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


async def test_a_failed_transaction_leaves_nothing_and_the_next_one_works(database):
    async def half_done() -> None:
        async with database.begin() as tx:
            await add(tx, "a")
            await add(tx, "b", None)

    with pytest.raises(IntegrityError):
        await half_done()
    async with database.begin() as tx:
        await add(tx, "c")
    assert await rows(database) == [("c", 1)]


async def test_a_statement_sqlite_refuses_is_an_error_of_sqlalchemy(database):
    async with database.read() as tx:
        with pytest.raises(OperationalError, match="no such table"):
            await tx.connection.execute(text("SELECT * FROM nowhere"))
    assert await rows(database) == []


async def test_a_cancelled_transaction_is_taken_back(database):
    entered = asyncio.Event()

    async def writes_and_waits() -> None:
        async with database.begin() as tx:
            await add(tx, "a")
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(writes_and_waits())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.begin() as tx:
        await add(tx, "b")
    assert await rows(database) == [("b", 1)]


async def test_a_reading_transaction_sees_one_moment(database):
    async with database.read() as tx:
        assert (await tx.connection.execute(ALL)).all() == []
        async with database.begin() as writing:
            await add(writing, "a")
        assert (await tx.connection.execute(ALL)).all() == []
    assert await rows(database) == [("a", 1)]


async def test_counts_and_returned_rows_are_right(database):
    async with database.begin() as tx:
        many = [{"name": name, "amount": 1} for name in "abc"]
        assert (await tx.connection.execute(ADD, many)).rowcount == 3
        raised = text("UPDATE sums SET amount = amount + 1 WHERE name <> 'b' RETURNING name")
        result = await tx.connection.execute(raised)
        assert sorted(row.name for row in result) == ["a", "c"]
        gone = await tx.connection.execute(text("DELETE FROM sums WHERE amount = 1"))
        assert gone.rowcount == 1


async def test_an_empty_transaction_asks_nothing_and_wakes_nobody(database):
    news = database.listen()
    async with database.begin():
        pass
    async with database.begin() as tx:
        await tx.connection.execute(ALL)
    assert not news.is_set()


async def test_only_one_process_works_on_a_file_and_it_takes_what_a_dead_one_held(
    database, tmp_path
):
    now = datetime(2026, 10, 12, tzinfo=UTC)
    other = await Database.open(f"sqlite:///{tmp_path / 'b.db'}")
    same = await Database.open(f"sqlite:///{tmp_path / 'b.db'}")
    try:
        await upgrade(other)
        assert await other.take_over(now) == 0
        with pytest.raises(ConfigError, match="另一个知邻正在用"):
            await same.take_over(now)
        async with other.begin() as tx:
            await tx.inbox.add_notices([Notice(key="a", channel="kf", body="")], now)
            assert len(await tx.inbox.claim_notices(now)) == 1
            assert await tx.leases.take("token", "the dead", now, timedelta(seconds=15))
        await other.close()
        assert await same.take_over(now) == 1, "what the dead one had in hand"
        async with same.begin() as tx:
            assert await tx.leases.holder("token", now) == ""
            assert len(await tx.inbox.claim_notices(now)) == 1
    finally:
        await other.close()
        await same.close()
