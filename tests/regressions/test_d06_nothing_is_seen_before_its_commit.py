"""D6: a peer told its consumers inside the transaction, and they looked before it was there."""

from __future__ import annotations

import asyncio

from bot.storage.db import Database
from tests.make import NOON, answer_terms, arrival, reply


class TakenBack(Exception):
    """The planning transaction failed at its end."""


async def seen(database: Database) -> tuple[bool, int]:
    """Tell whether there is work, and how much could be sent."""
    async with database.read() as tx:
        due = await tx.next_due(["events", "outbox"])
        return due is not None, sum((await tx.outbox.counts()).values())


async def test_what_is_planned_is_seen_by_nobody_before_it_is_committed(
    database: Database, url: str
) -> None:
    other = await Database.open(url, durable=False)
    news = database.listen()
    try:
        async with database.begin() as tx:
            await tx.inbox.add_events([arrival("e")], NOON)
            await tx.outbox.put("k", reply(), answer_terms(), NOON)
            await asyncio.sleep(0)
            assert not news.is_set(), "told before there was anything to be seen"
            assert await seen(other) == (False, 0)
        assert news.is_set()
        assert await seen(other) == (True, 1)
    finally:
        await other.close()


async def test_what_is_taken_back_is_never_told(database: Database) -> None:
    news = database.listen()
    try:
        async with database.begin() as tx:
            await tx.outbox.put("k", reply(), answer_terms(), NOON)
            raise TakenBack
    except TakenBack:
        pass
    assert not news.is_set()
    assert await seen(database) == (False, 0)
