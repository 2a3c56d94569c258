"""The contact ledger as rows: planned, used, given back, and what others sent beside it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.domain.quota import LEARNT, PERSONAL, Slot, planned_at
from bot.storage.db import Database, Tx
from bot.storage.quota import QuotaRow
from tests.make import CHAT, CUSTOMER, NOON, ZONE

DAY = timedelta(days=1)
MORNING = planned_at(NOON.date(), ZONE)
KEY = "sop:1:d02"


def row(key: str = KEY, day: int = 0, kind: str = "broadcast", priority: int = 3) -> QuotaRow:
    return QuotaRow(CHAT, kind, key, MORNING + day * DAY, priority)


async def slots(tx: Tx, subject: str = CHAT) -> list[Slot]:
    found = await tx.quota.slots_of([subject], NOON - 90 * DAY, NOON + 90 * DAY)
    return sorted(found[subject])


async def test_a_place_is_planned_moved_used_and_stays_where_it_was_used(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await tx.quota.place_many([row(), row(kind="product")])
        await tx.quota.place_many([row(day=1, priority=5)])
        first, second = await slots(tx)
        assert (first.at, first.priority, first.state) == (MORNING + DAY, 5, "planned")
        assert (second.kind, second.at) == ("product", MORNING)
        await tx.quota.use_many([QuotaRow(CHAT, "broadcast", KEY, NOON, 5)])
        await tx.quota.place_many([row(day=3)])
        used, _ = await slots(tx)
        assert (used.at, used.state) == (NOON, "used")


async def test_a_place_that_nobody_planned_can_be_used_and_is_confirmed_when_it_was_sent(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await tx.quota.use_many([row()])
        sent_at = NOON + timedelta(hours=3)
        await tx.quota.confirm_many([(KEY, sent_at), ("sop:9:none", sent_at)])
        (slot,) = await slots(tx)
        assert (slot.at, slot.state) == (sent_at, "used")


async def test_what_ends_unsent_gives_its_places_back_whatever_try_it_was(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await tx.quota.use_many([row(), row(kind="product"), row("sop:1:d03")])
        await tx.quota.release(f"{KEY}:2")
        assert [slot.key for slot in await slots(tx)] == ["sop:1:d03"]
        await tx.quota.plan_again(["sop:1:d03"], MORNING + DAY)
        (slot,) = await slots(tx)
        assert (slot.state, slot.at) == ("planned", MORNING + DAY)
        await tx.quota.release_many(["sop:1:d03", KEY])
        assert await slots(tx) == []


async def test_places_are_read_for_many_subjects_within_a_span(database: Database) -> None:
    async with database.begin() as tx:
        await tx.quota.use_many([row(f"sop:1:d{day:02}", day) for day in range(9)])
        await tx.quota.use_many([QuotaRow(CUSTOMER, "private", "sop:2:w1", NOON)])
        found = await tx.quota.slots_of([CHAT, CUSTOMER, "wrNone"], MORNING, MORNING + 7 * DAY)
        assert {subject: len(those) for subject, those in found.items()} == {
            CHAT: 7,
            CUSTOMER: 1,
            "wrNone": 0,
        }


async def test_what_people_sent_is_known_once_and_nothing_of_ours_moves_it(
    database: Database,
) -> None:
    own = QuotaRow(CHAT, "broadcast", "personal:1", NOON)
    async with database.begin() as tx:
        assert await tx.quota.put_personal([own]) == 1
        assert await tx.quota.put_personal([own]) == 0
        await tx.quota.learn_full([QuotaRow(CHAT, "broadcast", "full:1", NOON)])
        assert [slot.source for slot in await slots(tx)] == [LEARNT, PERSONAL]


async def test_two_processes_that_place_and_use_one_step_make_one_place_of_it(
    database: Database, url: str
) -> None:
    other = await Database.open(url, durable=False)

    async def work(mine: Database, number: int) -> None:
        for day in range(10):
            async with mine.begin() as tx:
                await tx.quota.place_many([row(day=day), row("sop:1:d03", day)])
            async with mine.begin() as tx:
                await tx.quota.use_many([QuotaRow(CHAT, "broadcast", KEY, NOON, number)])

    try:
        await asyncio.gather(work(database, 1), work(other, 2))
    finally:
        await other.close()
    async with database.read() as tx:
        used, planned = await slots(tx)
    assert (used.key, used.state, used.at) == (KEY, "used", NOON)
    assert (planned.state, planned.at) == ("planned", MORNING + 9 * DAY)
