"""Gives leads to people: whoever fits best and has room, with the place on the desk kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from bot.domain.assigning import Choice, Staffing, Wanted, Why
from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.ids import CustomerId, RmId, digest
from bot.domain.lead import Lead, Need
from bot.domain.people import Customer
from bot.domain.value import Value
from bot.storage.db import Tx


class Given(Value):
    """Who has a lead from now on, why, and of which branch it is.

    ``userid`` is "" where nobody can have it: it lies in the pool of its branch, whose head is
    told.
    """

    userid: RmId = RmId("")
    why: Why = "pool"
    branch: str = ""


class Assigner:
    """Chooses by the bank's file, by who is away, and by what everybody has already."""

    def __init__(
        self, bank: Callable[[], Bank], rules: Callable[[], AssigningRules] = AssigningRules
    ) -> None:
        self._read_bank = bank
        self._read_rules = rules

    async def give(
        self, tx: Tx, wanted: Wanted, now: datetime, staffing: Staffing | None = None
    ) -> Given:
        """Choose who is to have a lead and keep the place; the lead is the caller's to write.

        Of several workers that give at once none exceeds what a person may have. Who gives many
        reads the ``staffing`` once.
        """
        staffing = staffing or await self.staffing(tx, now)
        branch = self._branch(staffing, wanted)
        rules = self._read_rules()
        for choice in staffing.choices(wanted):
            limited = not wanted.urgent
            kept = await tx.desks.reserve(
                choice.userid,
                wanted.weight,
                now,
                capacity=staffing.capacity_of(choice.userid) if limited else None,
                per_hour=rules.per_hour if limited else None,
            )
            if kept:
                staffing.note(choice.userid, wanted.weight, now)
                return self._given(choice, branch)
        return Given(branch=branch)

    async def foresee(self, tx: Tx, wanted: Wanted, now: datetime) -> Given:
        """Say who would get a lead now, without keeping a place."""
        staffing = await self._own_people(tx, wanted, now)
        choice = staffing.choose(wanted) if wanted.owners else None
        if choice is None or choice.why not in ("owner", "deputy"):
            staffing = await self.staffing(tx, now)
            choice = staffing.choose(wanted)
        branch = self._branch(staffing, wanted)
        return self._given(choice, branch) if choice is not None else Given(branch=branch)

    async def _own_people(self, tx: Tx, wanted: Wanted, now: datetime) -> Staffing:
        """Read only the desks of whoever comes first: a bank has hundreds, and every talk asks."""
        away = await tx.desks.away(now)
        deputies = [deputy for userid in wanted.owners if (deputy := away.get(userid))]
        desks = await tx.desks.of([*wanted.owners, *deputies])
        return Staffing(self._read_bank(), desks, away, self._read_rules(), now)

    async def wanted(
        self,
        tx: Tx,
        customer: Customer | None,
        customer_id: CustomerId,
        need: Need,
        *,
        product: str = "",
        owner: RmId | None = None,
        branch: str = "",
        passed: Iterable[RmId] = (),
        others: Sequence[Lead] | None = None,
    ) -> Wanted:
        """Say what is to be given; the own managers come first, then who has other leads of his.

        ``others`` are his open leads, where they have been read already.
        """
        others = await tx.leads.open_for(customer_id) if others is None else others
        owners: list[RmId] = [*(customer.managers if customer is not None else ())]
        owners += [owner] if owner else []
        owners += [lead.rm for lead in others if lead.rm]
        return Wanted(
            customer=customer_id,
            need=need,
            product=product,
            owners=tuple(dict.fromkeys(owners)),
            branch=branch,
            passed=frozenset(passed),
        )

    async def next(
        self,
        tx: Tx,
        lead: Lead,
        customer: Customer | None,
        passed: Collection[RmId],
        now: datetime,
        staffing: Staffing | None = None,
    ) -> Given:
        """Choose who is to have a lead that ``passed`` let lie; nobody once it was offered enough.

        The place on the desk is kept.
        """
        branch = lead.branch
        if len(passed) >= self._read_rules().offers:
            return Given(branch=branch)
        wanted = await self.wanted(
            tx,
            customer,
            lead.customer,
            lead.need,
            product=lead.product,
            branch=branch,
            passed=passed,
        )
        return await self.give(tx, wanted, now, staffing)

    async def staffing(self, tx: Tx, now: datetime) -> Staffing:
        """Read who is there, and how much everybody has."""
        desks, away = await tx.desks.all(), await tx.desks.away(now)
        return Staffing(self._read_bank(), desks, away, self._read_rules(), now)

    def _branch(self, staffing: Staffing, wanted: Wanted) -> str:
        """Return the customer's branch; of one whom nobody knows, always the same one."""
        known = staffing.branch_of(wanted)
        branches = self._read_bank().branches
        return known or branches[int(digest(wanted.customer, size=4), 16) % len(branches)].id

    def _given(self, choice: Choice, branch: str) -> Given:
        member = self._read_bank().member(choice.userid)
        own = member.branch if member is not None else None
        return Given(userid=choice.userid, why=choice.why, branch=own or branch)


def holder_of(bank: Bank, lead: Lead) -> RmId:
    """Return who answers for a lead: whoever has it, or the head of the branch it waits in."""
    return lead.rm or bank.head_over("", lead.branch)
