"""How a lead begins: a signal is weighed, asked about where it must be, and given to one person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.assigning import Why
from bot.domain.assigning_rules import AssigningRules
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.delivery import Terms
from bot.domain.ids import CustomerId, RmId, digest
from bot.domain.lead import GRAVE, Evidence, Lead, Need, Signal, Stage
from bot.domain.lead_score import LeadRules, Scored
from bot.domain.lead_words import NO_ANSWER
from bot.domain.messages import StaffText
from bot.domain.people import Customer
from bot.domain.staff_messages import GroupWebhook
from bot.leads.assign import Assigner, holder_of
from bot.leads.cards import clip, clock_of, group_alert, lead_card, numbered
from bot.leads.first_steps import first_steps
from bot.leads.score import Scale
from bot.leads.timers import LeadTimers
from bot.storage.db import Tx
from bot.storage.leads import Opening

ASKED_FOR = timedelta(days=7)
"""How long a customer who was asked may think it over."""


Page = Callable[[int], str]
"""Where a lead is shown by its number; "" where no page shows it."""


class LeadOpener:
    """Opens leads; with a ``staff_group`` the gravest are told there, too.

    ``page`` says what a tap on a lead's card opens.
    """

    def __init__(
        self,
        bank: Callable[[], Bank],
        *,
        tables: Callable[[], CalendarTables] = CalendarTables,
        rules: Callable[[], AssigningRules] = AssigningRules,
        scoring: LeadRules | None = None,
        staff_group: bool = False,
        page: Page | None = None,
    ) -> None:
        self._read_bank = bank
        self.page: Page = page or _no_page
        self._assigner = Assigner(bank, rules)
        self.timers = LeadTimers(bank, tables, rules)
        self._scale = Scale(bank, scoring or LeadRules())
        self._staff_group = staff_group

    @property
    def _bank(self) -> Bank:
        return self._read_bank()

    async def open(
        self, tx: Tx, signal: Signal, *, owner: RmId | None, group: str, now: datetime
    ) -> Lead:
        """Open a lead or add to the open one; a new one sends its card, or asks first."""
        customer = await tx.people.customer(signal.customer)
        scored = await self._scale.weigh(tx, signal, customer, now)
        return await self._open(tx, signal, scored, customer, owner=owner, group=group, now=now)

    async def hear(
        self,
        tx: Tx,
        signal: Signal,
        *,
        owner: RmId | None,
        group: str,
        now: datetime,
        can_ask: bool = True,
    ) -> Lead | None:
        """Open a lead where a signal, with all that was noticed before, is worth a person's time.

        What is not is kept for when more comes; so is what the customer would have to be asked for
        where he cannot be asked, or wants nothing sold now. The same signal twice is one.
        """
        if not signal.explicit and await tx.lead_signals.known([signal.its_key]):
            return None
        customer = await tx.people.customer(signal.customer)
        scored = await self._scale.weigh(tx, signal, customer, now)
        standing = await tx.leads.standing(signal)
        wanted = signal.bypasses or (
            can_ask and self._scale.enough(scored) and not scored.unwelcome
        )
        if standing is None and not wanted:
            await tx.lead_signals.add(signal, None)
            return None
        return await self._open(tx, signal, scored, customer, owner=owner, group=group, now=now)

    async def give_up(self, tx: Tx, lead: Lead, now: datetime) -> None:
        """Close a lead whose customer never said yes or no."""
        ended = {"stage": "closed", "closed_at": now}
        await tx.leads.change(lead.id, due_at=None, outcome_reason=NO_ANSWER, **ended)
        await tx.ledger.add("lead_unanswered", lead.customer, now, lead=lead.id)

    async def _open(
        self,
        tx: Tx,
        signal: Signal,
        scored: Scored,
        customer: Customer | None,
        *,
        owner: RmId | None,
        group: str,
        now: datetime,
    ) -> Lead:
        stage: Stage = "asking" if signal.ask_first else "new"
        # Whose it is is chosen once it is certain that nobody has it already.
        look_at = now + ASKED_FOR if signal.ask_first else None
        weight = (scored.score, scored.reasons, scored.features)
        opening = Opening(RmId(""), stage, "", *weight, look_at=look_at)
        lead, fresh = await tx.leads.open(signal, opening, now)
        await tx.lead_signals.add(signal, lead.id)
        await tx.lead_signals.attach(signal, lead.id)
        if not fresh:
            return await self._added(tx, lead, signal, group, now)
        lead, why = await self._give(tx, lead, customer, owner, now)
        if stage == "new":
            since, minutes = signal.evidence.at, signal.minutes
            lead = await self.timers.begin(tx, lead, since, now, minutes=minutes)
        facts = {"lead": lead.id, "need": lead.need.value, "rm": lead.rm, "why": why}
        await tx.ledger.add("lead_opened", lead.customer, now, **facts)
        if stage == "new":
            await self.send_card(tx, lead, customer, group, signal.cautions, now)
        if self._staff_group and lead.need is Need.RED_FLAG:
            alert = GroupWebhook(text=group_alert(lead, self._bank, now))
            terms = Terms(purpose="staff", subject=holder_of(self._bank, lead), urgent=True)
            await tx.outbox.put(f"alert:{lead.id}", alert, terms, now)
        return lead

    async def _added(self, tx: Tx, lead: Lead, signal: Signal, group: str, now: datetime) -> Lead:
        """Carry on with a lead to which a signal was added."""
        await tx.ledger.add("lead_signal_added", lead.customer, now, lead=lead.id)
        if lead.stage == "asking" and not signal.ask_first:
            # Who asks for it outright has said yes already.
            await self.consent(tx, lead, agreed=True, group=group, now=now)
        elif lead.stage != "asking":
            lead = await self.timers.sooner(tx, lead, signal.evidence.at, signal.minutes)
            await self._tell_more(tx, lead, signal, now)
        return lead

    async def _give(
        self, tx: Tx, lead: Lead, customer: Customer | None, owner: RmId | None, now: datetime
    ) -> tuple[Lead, Why]:
        """Write whose a lead is, and say why; who only asks the customer has no place kept."""
        wanted = await self._assigner.wanted(
            tx, customer, lead.customer, lead.need, product=lead.product, owner=owner
        )
        choose = self._assigner.foresee if lead.stage == "asking" else self._assigner.give
        given = await choose(tx, wanted, now)
        whose = {"rm": given.userid, "branch": given.branch}
        await tx.leads.change(lead.id, **whose)
        return lead.model_copy(update=whose), given.why

    async def _tell_more(self, tx: Tx, lead: Lead, signal: Signal, now: datetime) -> None:
        """Tell who has the lead that the customer came back to it."""
        quote = clip(signal.evidence.quote, 60)
        evidence = signal.evidence
        said_at = clock_of(evidence.at, self._bank.zone)
        holder = holder_of(self._bank, lead)
        names = await tx.people.names([lead.customer])
        who = clip(names.get(lead.customer) or "客户", 26)
        what = f"线索 {lead.id}「{lead.need.value}」：{who} {said_at} 又说：「{quote}」。"
        words = StaffText(to=(holder,), text=f"{what}{self._do_now(lead, evidence)}")
        key = f"more:{lead.id}:{digest(evidence.at.isoformat(), evidence.quote, size=8)}"
        terms = Terms(purpose="staff", subject=holder, urgent=lead.need in GRAVE)
        await tx.outbox.put(key, words, terms, now)
        await self.timers.waits_for(tx, lead, key, evidence.at)

    def _do_now(self, lead: Lead, evidence: Evidence) -> str:
        """Say what is done now: first things first where the customer is in another danger."""
        before = {one.danger for one in lead.evidence[:-1]}
        if not evidence.danger or evidence.danger in before:
            return "请接着跟进。"
        newest = lead.model_copy(update={"evidence": (evidence,)})
        return "\n".join(["现在就做：", *numbered(first_steps(newest, self._bank))])

    async def consent(
        self, tx: Tx, lead: Lead, *, agreed: bool, group: str, now: datetime, by: str = ""
    ) -> None:
        """Carry on with a lead whose customer was asked first, or close it.

        ``by`` is the person to whom he said it, where no program could hear it.
        """
        heard = {"lead": lead.id} | ({"by": by} if by else {})
        if not agreed:
            await tx.leads.change(lead.id, stage="refused", closed_at=now, due_at=None)
            await tx.ledger.add("lead_refused", lead.customer, now, **heard)
            return
        customer = await tx.people.customer(lead.customer)
        await tx.leads.change(lead.id, stage="new", due_at=None)
        fresh = lead.model_copy(update={"stage": "new"})
        fresh, _ = await self._give(tx, fresh, customer, lead.rm or None, now)
        # The time to answer begins with the yes.
        minutes = round((lead.respond_by - lead.evidence[0].at).total_seconds() / 60)
        fresh = await self.timers.begin(tx, fresh, now, now, minutes=minutes)
        await tx.ledger.add("lead_consented", lead.customer, now, **heard)
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
        """Put the lead's card into the outbox, once for each person; of the pool's for its head."""
        card = lead_card(
            lead,
            customer,
            self._bank,
            now,
            group=group,
            cautions=cautions,
            link=self.page(lead.id),
            to=holder_of(self._bank, lead),
        )
        terms = Terms(purpose="staff", subject=card.to, urgent=lead.need in GRAVE)
        await tx.outbox.put(f"card:{card.task}", card, terms, now)

    async def foresee(
        self,
        tx: Tx,
        customer_id: CustomerId,
        customer: Customer | None,
        owner: RmId | None,
        now: datetime,
        others: Sequence[Lead] | None = None,
    ) -> RmId:
        """Say who would get a customer's matter now; with nobody to have it, who heads a branch.

        Whoever is named to the customer is the ``owner`` of what is opened then: both are one.
        ``others`` are his open leads, where they have been read already.
        """
        wanted = await self._assigner.wanted(
            tx, customer, customer_id, Need.PERSON, owner=owner, others=others
        )
        given = await self._assigner.foresee(tx, wanted, now)
        return given.userid or self._bank.head_over("", given.branch)


def _no_page(lead: int) -> str:
    """Return the page of a lead where there is none."""
    return ""
