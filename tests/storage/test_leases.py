"""One holder at a time, and a stream that any process writes and any process reads."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.storage.db import Database
from tests.make import NOON

SPAN = timedelta(seconds=10)


async def take(database: Database, holder: str, seconds: float = 0) -> bool:
    async with database.begin() as tx:
        return await tx.leases.take("bot", holder, NOON + timedelta(seconds=seconds), SPAN)


async def test_a_lease_has_one_holder_who_may_renew_it(database: Database) -> None:
    assert await take(database, "a")
    assert not await take(database, "b", 9)
    assert await take(database, "a", 9)
    assert not await take(database, "b", 18)
    assert await take(database, "b", 19)
    assert not await take(database, "a", 20)
    async with database.read() as tx:
        assert await tx.leases.holder("bot", NOON + timedelta(seconds=20)) == "b"
        assert await tx.leases.holder("bot", NOON + timedelta(seconds=29)) == ""


async def test_a_lease_that_is_given_up_is_free_at_once(database: Database) -> None:
    assert await take(database, "a")
    async with database.begin() as tx:
        await tx.leases.release("bot", "b")
    assert not await take(database, "b", 1)
    async with database.begin() as tx:
        await tx.leases.release("bot", "a")
    assert await take(database, "b", 1)


async def test_of_many_who_take_it_at_once_one_gets_it(database: Database) -> None:
    taken = await asyncio.gather(*(take(database, f"holder-{number}") for number in range(8)))
    assert sum(taken) == 1


async def test_a_stream_grows_until_it_is_finished(database: Database) -> None:
    async with database.begin() as tx:
        assert await tx.streams.open("s", NOON)
        assert not await tx.streams.open("s", NOON)
        assert await tx.streams.write("s", "正在", finished=False)
        assert await tx.streams.write("s", "正在查", finished=True)
        assert not await tx.streams.write("s", "太晚", finished=True)
        assert not await tx.streams.write("t", "没有", finished=True)
    async with database.read() as tx:
        found = await tx.streams.get("s")
        assert found is not None
        assert (found.content, found.finished, found.at) == ("正在查", True, NOON)
        assert await tx.streams.get("t") is None
    async with database.begin() as tx:
        assert await tx.streams.drop_before(NOON) == 0
        assert await tx.streams.drop_before(NOON + SPAN) == 1
