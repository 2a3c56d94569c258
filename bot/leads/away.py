"""Somebody is away: what lies on the desk goes to colleagues, shown before it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.domain.assigning import Staffing, Wanted, Why
from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.ids import RmId
from bot.domain.lead import GRAVE, Lead
from bot.domain.lead_rights import BY_OPS
from bot.domain.value import Value
from bot.leads.desk import LeadDesk
from bot.storage.db import Tx


class HandedOn(Value):
    """A lead of somebody who is away, and who has it instead; "" where it goes to the pool."""

    lead: Lead
    to: RmId
    why: Why


def problem_with(bank: Bank, userid: str, deputy: str, until: datetime, now: datetime) -> str:
    """Say why somebody cannot be written down as away, "" where it can be done."""
    if bank.member(userid) is None:
        return f"员工里没有 {userid}：请核对账号，或先在 sop/_workspace.yaml 的「员工」里加上。"
    if until <= now:
        return "回来的日子已经过了，请写今天以后的日期。"
    if not deputy:
        return ""
    stand_in = bank.member(deputy)
    if deputy == userid:
        return "代班的人和请假的人是同一个人，请换一位。"
    if stand_in is None:
        return f"员工里没有 {deputy}：请换一位代班的同事。"
    return "" if stand_in.on_duty else f"{stand_in.name}({deputy})不在岗，不能代班，请换一位。"


class Absences:
    """Plans who takes over, and carries it out."""

    def __init__(
        self,
        bank: Callable[[], Bank],
        desk: LeadDesk,
        rules: Callable[[], AssigningRules] = AssigningRules,
    ) -> None:
        self._read_bank = bank
        self._desk = desk
        self._read_rules = rules

    async def plan(
        self, tx: Tx, userid: RmId, deputy: RmId | None, now: datetime
    ) -> tuple[HandedOn, ...]:
        """Say to whom each open lead would go; what is pressing chooses first. Nothing changes."""
        bank, rules = self._read_bank(), self._read_rules()
        desks = await tx.desks.all()
        away = await tx.desks.away(now) | {userid: deputy}
        handed = []
        staffing = Staffing(bank, desks, away, rules, now)
        for lead in _pressing_first(await tx.leads.open_of(userid)):
            customer = await tx.people.customer(lead.customer)
            wanted = Wanted(
                customer=lead.customer,
                need=lead.need,
                product=lead.product,
                owners=tuple(dict.fromkeys((userid, *(customer.managers if customer else ())))),
                branch=lead.branch,
                passed=frozenset({userid}),
            )
            choice = staffing.choose(wanted)
            if choice is None:
                handed.append(HandedOn(lead=lead, to=RmId(""), why="pool"))
                continue
            handed.append(HandedOn(lead=lead, to=choice.userid, why=choice.why))
            staffing.note(choice.userid, wanted.weight, now, hourly=False)
        return tuple(handed)

    async def leave(
        self,
        tx: Tx,
        userid: RmId,
        until: datetime,
        deputy: RmId | None,
        now: datetime,
        *,
        by: RmId = BY_OPS,
    ) -> tuple[HandedOn, ...]:
        """Write down that somebody is away from now on, and give each lead to whoever has room."""
        await tx.desks.hold()
        handed = await self.plan(tx, userid, deputy, now)
        await tx.desks.absent(userid, now, until, now, deputy=deputy or "", by=by)
        for one in handed:
            if one.to:
                await self._desk.pass_on(tx, one.lead.id, one.to, BY_OPS, now)
            else:
                await self._desk.pool(tx, one.lead, now)
        facts = {"until": until.isoformat(), "deputy": deputy or "", "leads": len(handed)}
        await tx.ledger.add("staff_away", userid, now, by=by, **facts)
        return handed

    async def come_back(self, tx: Tx, userid: RmId, now: datetime) -> bool:
        """Write down that somebody is there again; False where nobody had said otherwise."""
        if not await tx.desks.back(userid, now):
            return False
        await tx.ledger.add("staff_back", userid, now)
        return True


def _pressing_first(leads: Sequence[Lead]) -> list[Lead]:
    return sorted(leads, key=lambda lead: (lead.need not in GRAVE, lead.respond_by, lead.id))
