"""Desks: never more than one may have, whoever gives at the same moment; and who is away."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.domain.ids import RmId
from bot.domain.lead import Lead, Need
from bot.storage.db import Database
from bot.storage.tables import leads
from tests.make import CUSTOMER, NOON

LI, WANG = RmId("li.min"), RmId("wang.haoran")
HOUR = timedelta(hours=1)
WORKERS = 8


def lead(rm: str = LI, need: Need = Need.WEALTH, **more: object) -> Lead:
    values = {"id": 1, "customer": CUSTOMER, "need": need, "stage": "new", "rm": rm}
    return Lead.model_validate({**values, "opened_at": NOON, "respond_by": NOON} | more)


async def load_of(database: Database, userid: RmId = LI) -> int:
    async with database.read() as tx:
        return (await tx.desks.all())[userid].load


async def reserve(
    database: Database,
    userid: RmId = LI,
    weight: int = 1,
    now: datetime = NOON,
    *,
    capacity: int | None = 5,
    per_hour: int | None = 100,
) -> bool:
    async with database.begin() as tx:
        return await tx.desks.reserve(userid, weight, now, capacity=capacity, per_hour=per_hour)


@pytest.mark.parametrize("weight", [1, 2])
async def test_eight_workers_never_put_more_on_a_desk_than_it_holds(
    database: Database, weight: int
) -> None:
    async def work() -> int:
        return sum([await reserve(database, weight=weight, capacity=11) for _ in range(5)])

    given = sum(await asyncio.gather(*(work() for _ in range(WORKERS))))
    assert given == 11 // weight
    assert await load_of(database) == given * weight


async def test_eight_workers_never_give_more_in_an_hour_than_may_be(database: Database) -> None:
    async def work(now: datetime) -> int:
        some = [await reserve(database, now=now, capacity=1000, per_hour=7) for _ in range(4)]
        return sum(some)

    assert sum(await asyncio.gather(*(work(NOON) for _ in range(WORKERS)))) == 7
    later = NOON + HOUR
    assert sum(await asyncio.gather(*(work(later) for _ in range(WORKERS)))) == 7
    assert await load_of(database) == 14


async def test_what_is_grave_knows_no_limit(database: Database) -> None:
    for _ in range(3):
        assert await reserve(database, weight=3, capacity=None, per_hour=None)
    assert not await reserve(database)
    assert await load_of(database) == 9


async def test_a_lead_that_moves_moves_its_weight(database: Database) -> None:
    async with database.begin() as tx:
        await tx.desks.shift(None, lead())
        await tx.desks.shift(lead(), lead(stage="taken"))
        assert (await tx.desks.all())[LI].load == 1
        await tx.desks.shift(lead(need=Need.RED_FLAG), lead(WANG, Need.RED_FLAG))
        loads = {userid: desk.load for userid, desk in (await tx.desks.all()).items()}
        assert loads == {LI: 0, WANG: 3}  # a sum never goes below nothing
        await tx.desks.shift(lead(WANG, Need.RED_FLAG), lead(WANG, Need.RED_FLAG, closed_at=NOON))
        assert (await tx.desks.all())[WANG].load == 0
        await tx.desks.shift(lead(stage="asking"), lead(""))
        assert {desk.load for desk in (await tx.desks.all()).values()} == {0}


async def test_the_sums_are_counted_anew_from_the_leads(database: Database) -> None:
    async with database.begin() as tx:
        await tx.desks.reserve(WANG, 2, NOON, capacity=None, per_hour=None)
        row = {"customer": CUSTOMER, "need": "投诉", "stage": "taken", "rm": LI, "evidence": []}
        await tx.connection.execute(leads.insert().values(**row, opened_at=NOON, respond_by=NOON))
        assert await tx.desks.recount() == 2
        loads = {userid: desk.load for userid, desk in (await tx.desks.all()).items()}
        assert loads == {LI: 2, WANG: 0}
        assert await tx.desks.recount() == 0


async def test_who_is_away_is_away_from_then_until_then(database: Database) -> None:
    tomorrow, week = NOON + timedelta(days=1), NOON + timedelta(days=7)
    async with database.begin() as tx:
        await tx.desks.absent(LI, tomorrow, week, NOON, deputy=WANG, by="ops")
        assert await tx.desks.away(NOON) == {}
        assert await tx.desks.away(tomorrow) == {LI: WANG}
        assert await tx.desks.away(week) == {}
        await tx.desks.absent(LI, NOON, tomorrow, NOON)
        assert await tx.desks.away(NOON) == {LI: None}
        assert await tx.desks.away(tomorrow) == {LI: WANG}  # of another time: it stays
        longer = tomorrow + HOUR
        await tx.desks.absent(LI, NOON, longer, NOON)
        assert await tx.desks.away(longer) == {}  # of the same time: it is over
        assert await tx.desks.absences(NOON) == [(LI, NOON, longer, "")]
        assert await tx.desks.back(LI, NOON + HOUR) == 1
        assert await tx.desks.away(NOON + 2 * HOUR) == {}
