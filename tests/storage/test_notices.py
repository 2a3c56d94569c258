"""Callbacks are stored in groups, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from bot.clock import FakeClock
from bot.storage.db import Database
from bot.storage.notices import NoticeWriter
from tests.make import NOON, notice


async def test_many_callbacks_share_few_commits_and_each_is_on_disk(database: Database) -> None:
    news = database.listen()
    writer = NoticeWriter(database, FakeClock(NOON))
    await asyncio.gather(*(writer.add(notice(f"n{number}")) for number in range(150)))
    assert news.is_set()
    async with database.begin() as tx:
        assert len(await tx.inbox.claim_notices(NOON, limit=1000)) == 150


async def test_a_callback_that_cannot_be_stored_is_not_acknowledged(database: Database) -> None:
    writer = NoticeWriter(database, FakeClock(NOON))
    broken = notice("broken").model_copy(update={"channel": None})
    refused, taken = await asyncio.gather(
        writer.add(broken), writer.add(notice("with-it")), return_exceptions=True
    )
    assert isinstance(refused, Exception)
    assert taken is None, "it does not take those with it that came together with it"
    await writer.add(notice("after"))
    async with database.begin() as tx:
        claimed = await tx.inbox.claim_notices(NOON)
        assert [item.notice.key for item in claimed] == ["with-it", "after"]


async def test_who_does_not_wait_any_more_takes_nobody_with_him(database: Database) -> None:
    writer = NoticeWriter(database, FakeClock(NOON))
    waiting = [asyncio.create_task(writer.add(notice(f"n{number}"))) for number in range(5)]
    await asyncio.sleep(0)
    waiting[2].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results].count(asyncio.CancelledError) == 1
    assert results.count(None) == 4
    async with database.begin() as tx:
        assert len(await tx.inbox.claim_notices(NOON)) == 5


async def test_a_callback_is_kept_as_it_came(database: Database) -> None:
    body = """<xml><Content><![CDATA[ 「好」"\\ \u2028\x1f\n{}[]'%s$1 😀 ]]></Content></xml>"""
    await NoticeWriter(database, FakeClock(NOON)).add(notice("odd", "kf", body + "\0", "kf:wk1"))
    async with database.begin() as tx:
        (claimed,) = await tx.inbox.claim_notices(NOON)
    assert (claimed.notice.body, claimed.notice.lane) == (body, "kf:wk1")


@pytest.mark.parametrize("workers", [1, 12])
async def test_callbacks_do_not_stand_in_the_queue_of_the_workers(
    database: Database, workers: int
) -> None:
    """One write connection of SQLite, and workers that begin again as soon as they end."""
    begun, stored, turns = asyncio.Event(), asyncio.Event(), 0

    async def work() -> None:
        nonlocal turns
        while not stored.is_set() and turns < 1000:
            async with database.begin() as tx:
                await tx.inbox.cursor("any")
                begun.set()
            turns += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
        await begun.wait()
        before = turns
        await NoticeWriter(database, FakeClock(NOON)).add(notice())
        waited = turns - before
        stored.set()
    assert waited <= 8 if database.kind == "sqlite" else turns < 1000
