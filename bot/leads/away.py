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


class Leave(Value):
    """Somebody's leave: from when until when, and who stands in for him."""

    userid: RmId
    begins: datetime
    ends: datetime
    deputy: RmId | None = None
    by: RmId = BY_OPS


class HandedOn(Value):
    """A lead of somebody who is away, and who has it instead; "" where it goes to the pool."""

    lead: Lead
    to: RmId
    why: Why


def problem_with(bank: Bank, leave: Leave, now: datetime) -> str:
    """Say why a leave cannot be written down, "" where it can be done."""
    if bank.member(leave.userid) is None:
        return (
            f"员工里没有 {leave.userid}：请核对账号，或先在 sop/_workspace.yaml 的「员工」里加上。"
        )
    if leave.ends <= now:
        return "回来的日子已经过了，请写今天以后的日期。"
    if leave.ends <= leave.begins:
        return "回来的日子在开始之前，请核对 --from 和 --until。"
    if not leave.deputy:
        return ""
    stand_in = bank.member(leave.deputy)
    if leave.deputy == leave.userid:
        return "代班的人和请假的人是同一个人，请换一位。"
    if stand_in is None:
        return f"员工里没有 {leave.deputy}：请换一位代班的同事。"
    if stand_in.role == "消保":
        return f"{stand_in.name}({leave.deputy})是消保，不接客户的线索，请换一位代班的同事。"
    if not stand_in.on_duty:
        return f"{stand_in.name}({leave.deputy})不在岗，不能代班，请换一位。"
    return ""


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

    async def clash(self, tx: Tx, leave: Leave, now: datetime) -> str:
        """Say which leave that is written down stands against another, "" where none does."""
        bank = self._read_bank()
        for userid, begins, ends, _ in await tx.desks.absences(now):
            member, back = bank.member(userid), ends.astimezone(bank.zone)
            name = member.name if member is not None else userid
            until = f"{name}已经登记到{back.month}月{back.day}日才回来"
            if userid == leave.deputy and begins < leave.ends and ends > leave.begins:
                return f"{until}，不能代班，请换一位代班的同事。"
            # A later part of it only: nobody can tell what is to become of the rest.
            is_part = begins < leave.begins and ends > leave.ends and leave.begins > now
            if userid == leave.userid and is_part:
                return f"{until}。要改日子，请先用 --back 取消，再登记一次。"
        return ""

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

    async def leave(self, tx: Tx, leave: Leave, now: datetime) -> tuple[HandedOn, ...]:
        """Write down that somebody is away, and give each lead to whoever has room.

        Of a leave that is yet to begin the leads stay until the first hour of it in which people
        are there; then whatever is left is given by ``hand_on``.
        """
        at_once = leave.begins <= now
        await tx.desks.absent(
            leave.userid,
            leave.begins,
            leave.ends,
            now,
            deputy=leave.deputy or "",
            by=leave.by,
            hand_on_at=None if at_once else self._hand_on_at(leave),
        )
        facts = {"from": leave.begins.isoformat(), "until": leave.ends.isoformat()}
        facts |= {"deputy": leave.deputy or ""}
        await tx.ledger.add("staff_away", leave.userid, now, by=leave.by, **facts)
        if not at_once:
            return ()
        return await self.hand_on(tx, leave.userid, leave.deputy, now, by=leave.by)

    async def hand_on(
        self, tx: Tx, userid: RmId, deputy: RmId | None, now: datetime, *, by: str = BY_OPS
    ) -> tuple[HandedOn, ...]:
        """Give each lead of somebody who is away now to whoever has room."""
        await tx.leads.open_of(userid, hold=True)  # before the desks, as everybody who moves one
        await tx.desks.hold()
        handed = await self.plan(tx, userid, deputy, now)
        for one in handed:
            if one.to:
                await self._desk.pass_on(tx, one.lead.id, one.to, BY_OPS, now)
            else:
                await self._desk.pool(tx, one.lead, now)
        await tx.ledger.add("desk_handed_on", userid, now, by=by, leads=len(handed))
        return handed

    async def come_back(self, tx: Tx, userid: RmId, now: datetime) -> bool:
        """Write down that somebody is there again; False where nobody had said otherwise."""
        if not await tx.desks.back(userid, now):
            return False
        await tx.ledger.add("staff_back", userid, now)
        return True

    def _hand_on_at(self, leave: Leave) -> datetime | None:
        """Return when work begins during a leave, so that nobody gets cards at midnight."""
        member = self._read_bank().member(leave.userid)
        branch = (member.branch if member is not None else None) or ""
        opens_at = self._desk.timers.time_at(branch).opens_at(leave.begins)
        return opens_at if opens_at < leave.ends else None


def _pressing_first(leads: Sequence[Lead]) -> list[Lead]:
    return sorted(leads, key=lambda lead: (lead.need not in GRAVE, lead.respond_by, lead.id))
