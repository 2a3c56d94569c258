"""D9: a peer's table of reminders had no unique key, and two nodes reminded twice."""

from __future__ import annotations

import asyncio
from datetime import date

from sqlalchemy import func, select

from bot.storage.db import Database
from bot.storage.tables import enrolments, outbox
from tests.make import CHAT, NOON, OWNER, arrival, reply, staff_terms

NODES = 4


async def nodes(url: str) -> list[Database]:
    return [await Database.open(url, durable=False) for _ in range(NODES)]


async def count(database: Database, table) -> int:  # type: ignore[no-untyped-def]
    async with database.read() as tx:
        return (await tx.connection.execute(select(func.count()).select_from(table))).scalar_one()


async def test_the_same_message_put_by_several_nodes_at_once_is_one_row(
    database: Database, url: str
) -> None:
    async def put(node: Database) -> bool:
        async with node.begin() as tx:
            return await tx.outbox.put("sop:1:d02:1", reply(), staff_terms(), NOON)

    opened = await nodes(url)
    try:
        first = await asyncio.gather(*(put(node) for node in opened for _ in range(3)))
    finally:
        for node in opened:
            await node.close()
    assert sorted(first) == [False] * (3 * NODES - 1) + [True]
    assert await count(database, outbox) == 1


async def test_the_same_group_enrolled_by_several_nodes_at_once_has_one_run(
    database: Database, url: str
) -> None:
    async def enrol(node: Database) -> bool:
        async with node.begin() as tx:
            run = await tx.runs.enrol(
                script="senior-21d",
                version="v1",
                subject=CHAT,
                owner=OWNER,
                branch="b01",
                anchor=date(2026, 10, 12),
                state="running",
                now=NOON,
            )
        return run is not None

    opened = await nodes(url)
    try:
        first = await asyncio.gather(*(enrol(node) for node in opened))
    finally:
        for node in opened:
            await node.close()
    assert sorted(first) == [False] * (NODES - 1) + [True]
    assert await count(database, enrolments) == 1


async def test_several_nodes_that_look_at_once_never_take_the_same_row(
    database: Database, url: str
) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival(f"e{n}", f"lane{n}") for n in range(60)], NOON)

    async def take(node: Database) -> list[str]:
        taken: list[str] = []
        while True:
            async with node.begin() as tx:
                claimed = await tx.inbox.claim_events(NOON, limit=7)
            if not claimed:
                return taken
            taken += [item.key for item in claimed]

    opened = await nodes(url)
    try:
        taken = await asyncio.gather(*(take(node) for node in opened))
    finally:
        for node in opened:
            await node.close()
    assert sorted(key for keys in taken for key in keys) == sorted(f"e{n}" for n in range(60))
