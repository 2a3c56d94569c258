"""Limits move with the calendar and the hours that people write into the bank's file."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import FakeClock
from bot.domain.bank import Bank
from bot.domain.business_time import ServiceHours
from bot.domain.lead import Need
from bot.storage.db import Database
from bot.workers.calendar_news import CalendarNews
from bot.workers.sla import SWEEP_LIMITS, LimitsAnew, note_hours
from bot.workers.sweeps import carry_out
from tests.domain.builders import starter_bank
from tests.make import local
from tests.rooms.leads.rooms import Room, opened, tables, the_lead

FRIDAY = local("16:30", "2026-10-09")
SATURDAY = local("10:00", "2026-10-10").date()  # worked, in exchange for the National Day


def with_hours(**hours: str) -> Bank:
    service = ServiceHours.model_validate({"工作日": "08:30-17:30", **hours})
    bank = starter_bank()
    place = bank.institution.model_copy(update={"service": service})
    return bank.model_copy(update={"institution": place})


async def test_a_day_declared_free_moves_the_open_limits_once(database: Database) -> None:
    clock, room = FakeClock(FRIDAY), Room()
    news = CalendarNews(database, clock)
    await news.look(tables())
    async with database.begin() as tx:
        lead = await opened(tx, room, Need.WEALTH, at=FRIDAY)
        assert lead.respond_by == local("11:30", "2026-10-10")
    days = dict(room.tables.workdays) | {SATURDAY: False}
    room.tables = room.tables.model_copy(update={"workdays": days})
    assert await news.look(room.tables)
    assert await carry_out(database, clock, SWEEP_LIMITS, LimitsAnew(room.desk)) == 2
    async with database.read() as tx:
        assert (await the_lead(tx, lead.id)).respond_by == local("12:30", "2026-10-10")
        assert SWEEP_LIMITS not in await tx.moving.under_way()
    assert await carry_out(database, clock, SWEEP_LIMITS, LimitsAnew(room.desk)) == 0


async def test_other_hours_in_the_file_move_them_too_and_the_same_hours_do_not(
    database: Database,
) -> None:
    clock, room = FakeClock(FRIDAY), Room()
    async with database.begin() as tx:
        await note_hours(tx, room.bank)  # the first look only remembers
        lead = await opened(tx, room, Need.WEALTH, at=FRIDAY)
        await note_hours(tx, room.bank)
        assert SWEEP_LIMITS not in await tx.moving.under_way()
        room.bank = with_hours(周末="休息")
        await note_hours(tx, room.bank)
    clock.jump(FRIDAY + timedelta(minutes=1))
    days = dict(room.tables.workdays) | {SATURDAY: False}
    room.tables = room.tables.model_copy(update={"workdays": days})
    await carry_out(database, clock, SWEEP_LIMITS, LimitsAnew(room.desk))
    async with database.read() as tx:
        assert (await the_lead(tx, lead.id)).respond_by == local("11:30", "2026-10-12")
