"""The life of a lead: one for each need of a customer, given to one person, moved only here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.assigning import Staffing
from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.happening import Happened
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Lead, Moved, Outcome, Refused
from bot.domain.lead_score import LeadRules
from bot.domain.people import Customer
from bot.leads import moves
from bot.leads.assign import Given
from bot.leads.draft_use import ask_key, use_draft
from bot.leads.live_cards import leave_card
from bot.leads.opening import LeadOpener, Page
from bot.storage.db import Tx


class Tells(Protocol):
    """Whoever lets scripts know what happened to a customer."""

    async def tell(self, tx: Tx, happened: Sequence[Happened], now: datetime) -> None:
        """Keep events and stop at once what they are to stop."""


class LeadDesk(LeadOpener):
    """Opens leads and moves them; whoever else wants a lead changed asks here.

    ``tells`` lets scripts know of a deal; without it nobody may report one.
    """

    def __init__(
        self,
        bank: Callable[[], Bank],
        *,
        tables: Callable[[], CalendarTables] = CalendarTables,
        rules: Callable[[], AssigningRules] = AssigningRules,
        scoring: LeadRules | None = None,
        tells: Tells | None = None,
        staff_group: bool = False,
        page: Page | None = None,
    ) -> None:
        super().__init__(
            bank, tables=tables, rules=rules, scoring=scoring, staff_group=staff_group, page=page
        )
        self._tells = tells

    async def take(self, tx: Tx, lead: int, by: RmId, now: datetime) -> Moved | Refused:
        """Let somebody take a lead; of several who press only the first has it."""
        done = await moves.take(tx, self._bank, lead, by, now)
        if isinstance(done, Moved) and done.changed:
            if done.woke:
                awake = await self.timers.awake(tx, done.lead, now)
                done = done.model_copy(update={"lead": awake})
            await self.timers.taken(tx, done.lead, now)
            await leave_card(tx, self._bank, done.lead, now)
        return done

    async def pass_on(
        self, tx: Tx, lead: int, to: RmId, by: RmId, now: datetime, *, pressed_by: str = ""
    ) -> Moved | Refused:
        """Give a lead to a colleague, who gets its card and the full time to accept it.

        ``pressed_by`` did it on the lead's own card, which shows what became of it by itself.
        """
        done = await moves.pass_on(tx, self._bank, lead, to, by, now)
        if isinstance(done, Moved) and done.changed:
            await leave_card(tx, self._bank, done.lead, now, pressed_by=pressed_by)
        if isinstance(done, Moved) and done.changed and done.lead.stage == "new":
            offered = await self.timers.offered(tx, done.lead, now)
            customer = await tx.people.customer(offered.customer)
            await self.send_card(tx, offered, customer, "", (), now)
            return done.model_copy(update={"lead": offered})
        return done

    async def staffing(self, tx: Tx, now: datetime) -> Staffing:
        """Keep everybody else from giving, and read who is there and how much each has."""
        await tx.desks.hold()
        return await self._assigner.staffing(tx, now)

    async def offer_again(
        self,
        tx: Tx,
        lead: Lead,
        passed: tuple[RmId, ...],
        now: datetime,
        staffing: Staffing | None = None,
    ) -> Lead:
        """Offer a lead to the next, or leave it to the pool and tell the head of the branch.

        ``passed`` are those who let it lie before whoever has it now.
        """
        customer = await tx.people.customer(lead.customer)
        passed = tuple(dict.fromkeys((*passed, *([lead.rm] if lead.rm else []))))
        given = await self._assigner.next(tx, lead, customer, passed, now, staffing)
        return await self._give_to(tx, lead, given, customer, passed, now)

    async def pool(self, tx: Tx, lead: Lead, now: datetime) -> Lead:
        """Take a lead from whoever has it and leave it to the pool of its branch."""
        customer = await tx.people.customer(lead.customer)
        return await self._give_to(tx, lead, Given(branch=lead.branch), customer, (), now)

    async def _give_to(
        self,
        tx: Tx,
        lead: Lead,
        given: Given,
        customer: Customer | None,
        passed: tuple[RmId, ...],
        now: datetime,
    ) -> Lead:
        moved = await moves.offered(tx, lead, given, now)
        if moved.stage == "asking":  # nobody works on it yet: its card comes with the yes
            return moved
        offered = await self.timers.offered(tx, moved, now, passed=passed)
        await leave_card(tx, self._bank, offered, now)
        await self.send_card(tx, offered, customer, "", (), now)
        return offered

    async def later(
        self, tx: Tx, lead: int, by: RmId, until: datetime, now: datetime
    ) -> Moved | Refused:
        """Let a lead sleep until a moment, at which whoever has it is reminded."""
        done = await moves.later(tx, self._bank, lead, by, until, now)
        if isinstance(done, Moved) and done.changed:
            await self.timers.taken(tx, done.lead, now)
            asleep = await self.timers.asleep(tx, done.lead, now, until)
            done = done.model_copy(update={"lead": asleep})
            await leave_card(tx, self._bank, done.lead, now)
        return done

    async def wake(self, tx: Tx, lead: Lead, now: datetime) -> None:
        """Bring back a lead whose sleep is over, and remind whoever has it."""
        await moves.wake(tx, self._bank, lead, now)
        await self.timers.awake(tx, lead, now)

    async def adopt(self, tx: Tx, lead: Lead, now: datetime) -> None:
        """Begin the limits of a lead that has none; those who have it keep it."""
        await tx.leads.change(lead.id, due_at=None)
        await self.timers.begin(tx, lead, lead.opened_at, now)

    async def finish(
        self,
        tx: Tx,
        lead: int,
        outcome: Outcome,
        reason: str,
        by: RmId,
        now: datetime,
        *,
        pressed_by: str = "",
    ) -> Moved | Refused:
        """Close a lead with what came of it; a deal ends what scripts say it ends.

        ``pressed_by`` did it on the lead's own card, which shows what became of it by itself.
        """
        done = await moves.finish(tx, self._bank, lead, outcome, reason, by, now)
        if isinstance(done, Moved) and done.changed:
            await self.timers.ended(tx, done.lead, now)
            await leave_card(tx, self._bank, done.lead, now, pressed_by=pressed_by)
        if isinstance(done, Moved) and done.changed and outcome == "won":
            if self._tells is None:
                raise RuntimeError("a desk that takes deals must let scripts know of them")
            await self._tells.tell(tx, [moves.deal(done.lead, by, now)], now)
        return done

    async def agreed(self, tx: Tx, lead: int, by: RmId, now: datetime) -> Moved | Refused:
        """Write down that a customer said yes to a person, where no program could hear it."""
        return await self._told_in_person(tx, lead, by, now, agreed=True)

    async def declined(self, tx: Tx, lead: int, by: RmId, now: datetime) -> Moved | Refused:
        """Write down that a customer said no to a person: he is not asked again for a while."""
        return await self._told_in_person(tx, lead, by, now, agreed=False)

    async def _told_in_person(
        self, tx: Tx, lead: int, by: RmId, now: datetime, *, agreed: bool
    ) -> Moved | Refused:
        found = await moves.asking(tx, self._bank, lead, by)
        if not isinstance(found, Lead):
            return found
        await self.consent(tx, found, agreed=agreed, group="", now=now, by=by)
        # The question that still waits for a tap has had its answer.
        question = await tx.drafts.of_key(ask_key(lead))
        if question is not None:
            await use_draft(tx, question, "otherwise", by, "lead", now)
        words = "已记下：客户答应了" if agreed else "已记下：客户说不用，一个月内不再问"
        return Moved(lead=await tx.leads.get(lead) or found, words=words)

    async def explain(
        self, tx: Tx, lead: int, reason: str, by: RmId, now: datetime
    ) -> Moved | Refused:
        """Write down why a lead ended as it did, where that was asked afterwards."""
        return await moves.explain(tx, self._bank, lead, reason, by, now)

    async def contacted(self, tx: Tx, lead: int, by: RmId, now: datetime) -> Moved | Refused:
        """Write down that a person has talked to the customer outside of what we can see."""
        done = await moves.contacted(tx, self._bank, lead, by, now)
        if isinstance(done, Moved) and done.changed:
            await self.timers.answered(tx, [done.lead.id], now)
            await leave_card(tx, self._bank, done.lead, now)
        return done

    async def served(self, tx: Tx, lead: int, by: RmId, now: datetime) -> None:
        """Give a lead that nobody has taken to the colleague who has its customer's talk."""
        found = await tx.leads.hold(lead)
        if found is None or found.stage != "new" or found.closed_at is not None or found.rm == by:
            return
        if self._bank.member(by) is None:
            return
        moved = await moves.given(tx, self._bank, found, by, now)
        await tx.ledger.add("lead_reassigned", found.customer, now, lead=lead, by=by, to=by)
        await leave_card(tx, self._bank, moved, now)
        customer = await tx.people.customer(moved.customer)
        await self.send_card(tx, moved, customer, "", (), now)

    async def spoke(self, tx: Tx, customer: CustomerId, by: RmId, at: datetime) -> list[int]:
        """Note a person's words to a customer; return the numbers of the leads they answer.

        Whoever answers has taken what was given to him. A program's words never come here.
        """
        answered = await tx.leads.answered(customer, by, at)
        for number in answered:
            await tx.ledger.add("lead_answered", customer, at, lead=number, by=by)
        if answered:
            await self.timers.answered(tx, answered, at)
        return answered

    async def waits(self, tx: Tx, customer: CustomerId, key: str, at: datetime) -> int:
        """Note that a customer wrote to whoever has his leads; ``key`` names the message."""
        return await self.timers.waits(tx, customer, key, at)
