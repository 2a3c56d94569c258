"""Opens leads: one for each need of a customer, given to one person, with a card."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.ids import CustomerId, RmId, digest
from bot.domain.lead import Lead, Need, Signal, Stage, choose_rm
from bot.domain.messages import StaffText
from bot.domain.people import Customer
from bot.domain.staff_messages import GroupWebhook
from bot.leads.cards import clip, clock_of, group_alert, lead_card
from bot.leads.watch import next_look
from bot.storage.db import Tx

_WORKING = ("客户经理", "大堂经理")


class LeadDesk:
    """Turns signals into leads; with a ``staff_group`` the gravest are told there, too."""

    def __init__(self, bank: Callable[[], Bank], *, staff_group: bool = False) -> None:
        self._read_bank = bank
        self._staff_group = staff_group

    @property
    def _bank(self) -> Bank:
        return self._read_bank()

    async def open(
        self, tx: Tx, signal: Signal, *, owner: RmId | None, group: str, now: datetime
    ) -> Lead:
        """Open a lead or add to the open one; a new one sends its card, or asks first."""
        customer = await tx.people.customer(signal.customer)
        rm = self.responsible(signal.customer, customer, owner)
        stage: Stage = "asking" if signal.ask_first else "new"
        watch_at = None if signal.ask_first else next_look(now, signal.respond_by(), 0)
        lead, fresh = await tx.leads.open(signal, rm, stage, now, watch_at=watch_at)
        if not fresh:
            await tx.ledger.add("lead_signal_added", lead.customer, now, lead=lead.id)
            if lead.stage == "asking" and not signal.ask_first:
                # Who asks for it outright has said yes already.
                await self.consent(tx, lead, agreed=True, group=group, now=now)
            elif lead.stage != "asking":
                await self._tell_more(tx, lead, signal, now)
            return lead
        await tx.ledger.add(
            "lead_opened", lead.customer, now, lead=lead.id, need=lead.need.value, rm=rm
        )
        if stage == "new":
            await self.send_card(tx, lead, customer, group, signal.cautions, now)
        if self._staff_group and lead.need is Need.RED_FLAG:
            alert = GroupWebhook(text=group_alert(lead, self._bank, now))
            terms = Terms(purpose="staff", subject=rm, urgent=True)
            await tx.outbox.put(f"alert:{lead.id}", alert, terms, now)
        return lead

    async def _tell_more(self, tx: Tx, lead: Lead, signal: Signal, now: datetime) -> None:
        """Tell who has the lead that the customer came back to it."""
        quote = clip(signal.evidence.quote, 60)
        evidence = signal.evidence
        said_at = clock_of(evidence.at, self._bank.zone)
        words = StaffText(
            to=(lead.rm,),
            text=f"「{lead.need.value}」的客户 {said_at} 又说：「{quote}」。请接着跟进。",
        )
        key = f"more:{lead.id}:{digest(evidence.at.isoformat(), evidence.quote, size=8)}"
        await tx.outbox.put(key, words, Terms(purpose="staff", subject=lead.rm), now)

    async def consent(self, tx: Tx, lead: Lead, *, agreed: bool, group: str, now: datetime) -> None:
        """Carry on with a lead whose customer was asked first, or close it."""
        if not agreed:
            await tx.leads.change(lead.id, stage="refused", closed_at=now, due_at=None)
            await tx.ledger.add("lead_refused", lead.customer, now, lead=lead.id)
            return
        respond_by = now + (lead.respond_by - lead.opened_at)
        await tx.leads.change(
            lead.id, stage="new", respond_by=respond_by, due_at=next_look(now, respond_by, 0)
        )
        await tx.ledger.add("lead_consented", lead.customer, now, lead=lead.id)
        fresh = lead.model_copy(update={"stage": "new", "respond_by": respond_by})
        customer = await tx.people.customer(lead.customer)
        await self.send_card(tx, fresh, customer, group, (), now)

    async def send_card(
        self,
        tx: Tx,
        lead: Lead,
        customer: Customer | None,
        group: str,
        cautions: tuple[str, ...],
        now: datetime,
    ) -> None:
        """Put the lead's card into the outbox, once for each person."""
        card = lead_card(lead, customer, self._bank, now, group=group, cautions=cautions)
        urgent = lead.need in (Need.RED_FLAG, Need.COMPLAINT)
        terms = Terms(purpose="staff", subject=lead.rm, urgent=urgent)
        await tx.outbox.put(f"card:{card.task}", card, terms, now)

    def responsible(
        self, customer_id: CustomerId, customer: Customer | None, owner: RmId | None
    ) -> RmId:
        """Pick who gets it; with nobody on duty, the first head of a branch."""
        managers = customer.managers if customer else ()
        branch = self._branch_of(managers, owner)
        on_duty = [
            member.userid
            for member in self._bank.staff
            if member.on_duty
            and member.role in _WORKING
            and (branch is None or member.branch == branch)
        ]
        chosen = choose_rm(managers, owner, on_duty, customer_id)
        if chosen is not None:
            return chosen
        heads = [branch.head for branch in self._bank.branches]
        return heads[int(digest(customer_id, size=4), 16) % len(heads)]

    def _branch_of(self, managers: tuple[RmId, ...], owner: RmId | None) -> str | None:
        for userid in (*managers, owner):
            member = self._bank.member(userid) if userid else None
            if member is not None and member.branch is not None:
                return member.branch
        return None
