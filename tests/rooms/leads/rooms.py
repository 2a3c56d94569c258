"""A desk with a fake clock's moments: leads are opened, and looked at whenever something is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import select

from bot.calendars import calendar_tables
from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.ids import RmId
from bot.domain.lead import Lead, Moved, Need
from bot.domain.sla import Timer
from bot.leads.desk import LeadDesk
from bot.leads.watch import LeadWatch
from bot.storage.db import Tx
from bot.storage.tables import ledger, outbox
from tests.domain.builders import starter_bank
from tests.make import CUSTOMER, NOON, OWNER, signal

LINK = "https://bank.example/leads"


@cache
def tables() -> CalendarTables:
    return calendar_tables([2026])


class Room:
    """The desk of a bank, and who watches it."""

    def __init__(self, bank: Bank | None = None, *, link: str = "", **rules: int) -> None:
        self.bank = bank or starter_bank()
        self.tables = tables()
        self.rules = AssigningRules.model_validate(rules)
        self.desk = LeadDesk(
            lambda: self.bank, tables=lambda: self.tables, rules=lambda: self.rules
        )
        self.watch = LeadWatch(lambda: self.bank, self.desk, link)

    async def look(self, tx: Tx, now: datetime) -> int:
        """Look once, as the worker does."""
        due = await tx.timers.due(now)
        await self.watch.look(tx, due, now)
        return len(due)

    async def until(self, tx: Tx, end: datetime) -> None:
        """Look at every moment at which something falls due."""
        while (due := await tx.next_due(["lead_timers"])) is not None and due <= end:
            assert await self.look(tx, due)


async def the_lead(tx: Tx, number: int) -> Lead:
    lead = await tx.leads.get(number)
    assert lead is not None
    return lead


async def timers_of(tx: Tx, number: int) -> dict[str, Timer]:
    """Return a lead's timers by kind; of several that wait for an answer the newest."""
    return {timer.kind: timer for _, timer in await tx.timers.of([number])}


async def told(tx: Tx, kinds: Sequence[str] = ("staff_text", "staff_notice")) -> list[str]:
    """Return whom words are on their way to, in their order."""
    rows = await tx.connection.execute(
        select(outbox.c.body).where(outbox.c.bucket.in_(kinds)).order_by(outbox.c.id)
    )
    return [body["to"] if isinstance(body["to"], str) else body["to"][0] for (body,) in rows]


async def entries(tx: Tx, kind: str) -> list[dict[str, Any]]:
    rows = await tx.connection.execute(
        select(ledger.c.facts).where(ledger.c.kind == kind).order_by(ledger.c.id)
    )
    return list(rows.scalars())


async def opened(
    tx: Tx,
    room: Room,
    need: Need = Need.SERVICE,
    *,
    at: datetime = NOON,
    customer: str = CUSTOMER,
    minutes: int | None = None,
) -> Lead:
    said = signal(need, at=at, customer=customer, minutes=minutes)
    return await room.desk.open(tx, said, owner=OWNER, group="", now=at)


async def taken(tx: Tx, room: Room, need: Need = Need.SERVICE, at: datetime = NOON) -> Lead:
    lead = await opened(tx, room, need, at=at)
    assert isinstance(await room.desk.take(tx, lead.id, OWNER, at), Moved)
    return lead


def with_superior(userid: str, superior: RmId) -> Bank:
    staff = tuple(
        one.model_copy(update={"superior": superior}) if one.userid == userid else one
        for one in starter_bank().staff
    )
    return starter_bank().model_copy(update={"staff": staff})
