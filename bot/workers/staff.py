"""A manager pressed a button: the lead moves, the draft is settled, the card says so."""

from __future__ import annotations

from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.draft import DROPPED_FOR, DraftState
from bot.domain.events import CardPressed
from bot.domain.ids import RmId, digest
from bot.domain.lead import Lead
from bot.domain.messages import StaffCardUpdate
from bot.leads.cards import REASONS, lead_card, why_poll
from bot.leads.watch import next_look
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.drafting import DONE_WORDS
from bot.workers.outcomes import Outcomes
from bot.workers.step_cards import StepCards

_OF_A_DRAFT: dict[str, DraftState] = {"sent": "sent", "drop": "dropped"}


class StaffDesk:
    """Answers presses of the cards: leads, and why one was invalid, drafts, steps."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._outcomes = Outcomes(content)
        self._steps = StepCards(content, self._outcomes)

    @property
    def _bank(self) -> Bank:
        return self._content.bank

    async def pressed(self, tx: Tx, event: CardPressed, now: datetime) -> None:
        """Carry out a press; a second press of the same thing changes nothing."""
        kind, _, rest = event.key.partition(":")
        number, _, verb = rest.partition(":")
        if not number.isdigit():
            return
        match kind:
            case "lead":
                words = await self._lead(tx, int(number), verb, event, now)
            case "why":
                words = await self._why(tx, int(number), event, now)
            case "draft":
                words = await self._draft(tx, int(number), verb, event, now)
            case "step":
                words = await self._steps.pressed(tx, int(number), verb, event, now)
            case "deal":
                words = await self._outcomes.deal(tx, int(number), verb, event, now)
            case "late":
                words = await self._outcomes.caught_up(tx, int(number), verb, event, now)
            case _:
                return
        if event.response_code and words:
            update = StaffCardUpdate(to=event.by, response_code=event.response_code, replace=words)
            key = f"update:{digest(event.task, event.response_code)}"
            await tx.outbox.put(key, update, Terms(purpose="staff", subject=event.by), now)

    async def _lead(self, tx: Tx, number: int, verb: str, event: CardPressed, now: datetime) -> str:
        lead = await tx.leads.get(number)
        if lead is None:
            return ""
        if lead.closed_at is not None:
            return "已经办结"
        match verb:
            case "take":
                return await self._take(tx, lead, event.by, now)
            case "invalid":
                await tx.leads.change(lead.id, stage="invalid", closed_at=now, due_at=None)
                await tx.ledger.add("lead_invalid", lead.customer, now, lead=lead.id, by=event.by)
                poll = why_poll(lead, event.by, now)
                terms = Terms(purpose="staff", subject=event.by)
                await tx.outbox.put(f"card:{poll.task}", poll, terms, now)
                return "已标记无效"
            case "reassign":
                target = RmId(next(iter(event.selected.values()), ""))
                return await self._reassign(tx, lead, target, event.by, now)
            case _:
                return ""

    async def _why(self, tx: Tx, number: int, event: CardPressed, now: datetime) -> str:
        lead = await tx.leads.get(number)
        reason = event.selected.get(f"why-{number}", "")
        if lead is None or reason not in dict(REASONS):
            return ""
        await tx.ledger.add(
            "lead_invalid_reason", lead.customer, now, lead=lead.id, by=event.by, reason=reason
        )
        return "谢谢，已记下"

    async def _take(self, tx: Tx, lead: Lead, by: RmId, now: datetime) -> str:
        if lead.stage == "taken":
            return "已接手" if lead.rm == by else "已由同事接手"
        await tx.leads.change(lead.id, stage="taken", rm=by, taken_at=now, due_at=None)
        in_time = now <= lead.respond_by
        await tx.ledger.add("lead_taken", lead.customer, now, lead=lead.id, by=by, in_time=in_time)
        await self._outcomes.ask(tx, lead, by, now)
        return "已接手"

    async def _reassign(self, tx: Tx, lead: Lead, target: RmId, by: RmId, now: datetime) -> str:
        colleague = self._bank.member(target)
        if colleague is None:
            # The buttons must not be greyed: nothing has been decided yet.
            return ""
        watch_at = next_look(now, lead.respond_by, 0)
        await tx.leads.change(
            lead.id, stage="new", rm=target, warned=0, taken_at=None, due_at=watch_at
        )
        await tx.ledger.add("lead_reassigned", lead.customer, now, lead=lead.id, by=by, to=target)
        customer = await tx.people.customer(lead.customer)
        moved = lead.model_copy(update={"rm": target, "stage": "new"})
        card = lead_card(moved, customer, self._bank, now)
        terms = Terms(purpose="staff", subject=target)
        await tx.outbox.put(f"card:{card.task}", card, terms, now)
        return f"已转派给{colleague.name}"

    async def _draft(
        self, tx: Tx, number: int, verb: str, event: CardPressed, now: datetime
    ) -> str:
        """Write what the owner says became of a draft; what is known already stands."""
        draft = await tx.drafts.get(number)
        if draft is None or verb not in _OF_A_DRAFT:
            return ""
        state = _OF_A_DRAFT[verb]
        why = event.selected.get(f"why-draft-{number}", "") if state == "dropped" else ""
        reason = why if why in DROPPED_FOR and why != next(iter(DROPPED_FOR)) else ""
        if not await tx.drafts.settle(number, state, now, reason=reason):
            return DONE_WORDS.get(draft.state, "已处理")
        facts = {"draft": number, "by": event.by, "via": "card"}
        if reason:
            facts["reason"] = reason
        await tx.ledger.add(f"draft_{state}", draft.chat, now, **facts)
        return DONE_WORDS[state]
