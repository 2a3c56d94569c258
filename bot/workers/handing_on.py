"""Plans what a manager leaves behind: customers, groups and leads go to a colleague."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.lead import Lead
from bot.domain.lead_rights import BY_OPS
from bot.storage.db import Database, Tx
from bot.workers.lead_desk import desk_for

_LONGEST_WORDS = 200  # wecom_protocol §5.10


class Unassigned(Protocol):
    """Where the customers are known of a member who has left."""

    async def unassigned(self, giver: RmId) -> Sequence[CustomerId]:
        """Return the customers of a member who has left; none where he has not."""


@dataclass(frozen=True)
class Estate:
    """What somebody has; ``resigned`` tells that WeCom says he has left."""

    customers: tuple[CustomerId, ...] = ()
    groups: tuple[GroupChatId, ...] = ()
    leads: tuple[Lead, ...] = ()
    resigned: bool = False


def problem_with(bank: Bank, giver: str, taker: str, words: str = "") -> str:
    """Say why this cannot be done, "" where it can."""
    member = bank.member(taker)
    if giver == taker:
        return "交出人和接手人是同一个人，请写两个不同的账号。"
    if member is None:
        return f"员工里没有 {taker}：请先在 sop/_workspace.yaml 的「员工」里加上。"
    if not member.on_duty:
        return f"{member.name}({taker})不在岗，不能接手：请换一位，或把「在岗」改成 true。"
    if len(words) > _LONGEST_WORDS:
        return f"给客户的话有 {len(words)} 个字，超过 {_LONGEST_WORDS} 个，请写短一些。"
    return ""


async def estate_of(database: Database, unassigned: Unassigned, giver: RmId) -> Estate:
    """Find what somebody has, by our own records and by WeCom's list of those who left."""
    left_behind = await unassigned.unassigned(giver)
    async with database.read() as tx:
        known = await tx.follows.of_manager(giver)
        groups = [one for one in await tx.people.groups() if one.owner == giver]
        leads = await tx.leads.open_of(giver)
        before = await tx.transfers.listed(giver)
    return Estate(
        customers=tuple(dict.fromkeys([*known, *left_behind])),
        groups=tuple(group.id for group in groups if not group.dismissed),
        leads=tuple(leads),
        # WeCom no longer lists those who are on their way.
        resigned=bool(left_behind) or any(one.resigned for one in before),
    )


async def hand_on(
    tx: Tx,
    bank: Bank,
    estate: Estate,
    giver: RmId,
    taker: RmId,
    now: datetime,
    *,
    words: str = "",
    tables: CalendarTables | None = None,
) -> tuple[int, int, int]:
    """Plan an estate's way; return how many customers, groups and leads are new to the plan.

    Customers and groups go through WeCom, by the bot that runs; leads are ours and move at once.
    """
    customers = await tx.transfers.plan(
        "customer", estate.customers, giver, taker, now, resigned=estate.resigned, words=words
    )
    groups = await tx.transfers.plan(
        "group", estate.groups, giver, taker, now, resigned=estate.resigned
    )
    desk = desk_for(bank, tables)
    for lead in estate.leads:
        await desk.pass_on(tx, lead.id, taker, BY_OPS, now)
    await tx.ledger.add(
        "transfer_planned",
        giver,
        now,
        to=taker,
        customers=customers,
        groups=groups,
        leads=len(estate.leads),
    )
    return customers, groups, len(estate.leads)


async def without_owner(database: Database, bank: Bank) -> dict[str, tuple[int, int]]:
    """Count the customers and groups of everybody who is not on duty or not in the file."""
    async with database.read() as tx:
        customers = await tx.follows.counts()
        owners = [one.owner for one in await tx.people.groups() if not one.dismissed and one.owner]
    away = {
        userid
        for userid in (*customers, *owners)
        if (member := bank.member(userid)) is None or not member.on_duty
    }
    return {one: (customers.get(one, 0), owners.count(RmId(one))) for one in sorted(away)}
