"""Tickets: one open for a talk, claimed at their time, found again when they are over."""

from __future__ import annotations

import asyncio

from bot.domain.tickets import Ticket
from bot.storage.db import Database
from bot.storage.retention import Retention
from tests.make import ACCOUNT, CUSTOMER, MINUTE, NOON, OWNER


async def opened(database: Database, **values: object) -> tuple[Ticket, bool]:
    async with database.begin() as tx:
        return await tx.tickets.open(CUSTOMER, ACCOUNT, "waiting", NOON, **values)


async def test_a_talk_has_one_open_ticket_however_many_ask_at_once(database: Database) -> None:
    made = await asyncio.gather(*(opened(database, wanted=OWNER) for _ in range(5)))
    assert sorted(fresh for _, fresh in made) == [False] * 4 + [True]
    assert len({ticket.id for ticket, _ in made}) == 1


async def test_one_that_is_over_makes_room_for_the_next(database: Database) -> None:
    first, _ = await opened(database)
    async with database.begin() as tx:
        await tx.tickets.change(first.id, state="over", how="ended", given_back_at=NOON + MINUTE)
        assert await tx.tickets.hold_open(CUSTOMER, ACCOUNT) is None
        last = await tx.tickets.last(CUSTOMER, ACCOUNT)
    assert last is not None
    assert (last.id, last.how, last.given_back_at) == (first.id, "ended", NOON + MINUTE)
    second, fresh = await opened(database)
    assert fresh
    async with database.read() as tx:
        assert [one.id for one in await tx.tickets.of(CUSTOMER)] == [first.id, second.id]


async def test_a_ticket_is_claimed_at_its_time_and_by_one(database: Database) -> None:
    ticket, _ = await opened(database, due_at=NOON + 15 * MINUTE)
    async with database.begin() as tx:
        assert await tx.tickets.claim(NOON + 14 * MINUTE) == []
        assert [one.id for one in await tx.tickets.claim(NOON + 15 * MINUTE)] == [ticket.id]
    async with database.begin() as tx:
        assert await tx.tickets.claim(NOON + 15 * MINUTE) == []
        due = await tx.due()  # a worker that dies leaves it to another
    assert NOON + 15 * MINUTE < due["kf_tickets"] <= NOON + 17 * MINUTE


async def test_who_was_invited_is_known_over_all_talks(database: Database) -> None:
    ticket, _ = await opened(database)
    async with database.begin() as tx:
        await tx.tickets.change(ticket.id, offered=OWNER, offered_at=NOON)
        assert await tx.tickets.was_offered(CUSTOMER, NOON - MINUTE)
        assert not await tx.tickets.was_offered(CUSTOMER, NOON + MINUTE)
        assert not await tx.tickets.was_offered("wmOther", NOON - MINUTE)


async def test_what_is_over_goes_with_the_history_and_what_is_open_stays(
    database: Database,
) -> None:
    done, _ = await opened(database)
    async with database.begin() as tx:
        await tx.tickets.change(done.id, state="over", how="ended", given_back_at=NOON)
    still, _ = await opened(database)
    async with database.begin() as tx:
        swept = await Retention(tx.connection).sweep("kf_tickets", NOON + MINUTE, 0)
        assert swept.removed == 1
        assert [one.id for one in await tx.tickets.of(CUSTOMER)] == [still.id]
