"""A member of staff pressed a button: what it stands for is done, and the card says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.delivery import Terms
from bot.domain.draft import DROPPED_FOR, DraftState
from bot.domain.events import CardPressed
from bot.domain.ids import CustomerId, digest
from bot.domain.messages import StaffCardUpdate
from bot.domain.staff_messages import BotCardUpdate
from bot.leads.desk import LeadDesk
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.content import Content
from bot.workers.drafting import DONE_WORDS
from bot.workers.lead_presses import LeadPresses, Prepared, Shown, lead_taken_by
from bot.workers.merging import Digests
from bot.workers.outcomes import Outcomes
from bot.workers.step_cards import StepCards
from bot.workers.ticket_presses import TicketPresses

_OF_A_DRAFT: dict[str, DraftState] = {"sent": "sent", "drop": "dropped"}
_IN_TIME = timedelta(seconds=5)  # for the change of an AI bot's card, §6.5


class StaffDesk:
    """Answers presses of the cards: leads, and why one was invalid, drafts, steps, digests."""

    def __init__(self, database: Database, content: Content, desk: LeadDesk, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._outcomes = Outcomes(content)
        self._desk = desk
        self._leads = LeadPresses(content, desk)
        self._steps = StepCards(content, self._outcomes)
        self._digests = Digests(content)
        self._tickets = TicketPresses(content)

    async def pressed(self, claimed: ClaimedEvent, event: CardPressed) -> None:
        """Carry out a press; a second press of the same thing changes nothing.

        Words for whoever takes a lead are thought of before anything is written.
        """
        prepared = await self._prepare(event)
        now = self._clock.now()
        async with self._database.begin() as tx:
            if await tx.inbox.finish_event(claimed):
                await self.carry_out(tx, event, now, prepared)

    async def _prepare(self, event: CardPressed) -> Prepared | None:
        number = lead_taken_by(event.key)
        if number is None:
            return None
        now = self._clock.now()
        async with self._database.read() as tx:
            known = await self._leads.read(tx, number, now)
        return await self._leads.think(known, event.by, now) if known is not None else None

    async def carry_out(
        self, tx: Tx, event: CardPressed, now: datetime, prepared: Prepared | None = None
    ) -> None:
        """Carry out a press inside the caller's transaction."""
        kind, _, rest = event.key.partition(":")
        number, _, verb = rest.partition(":")
        if not number.isdigit():
            return
        match kind:
            case "lead" | "deal":
                shown = await self._leads.pressed(tx, int(number), verb, event, now, prepared)
            case "why":
                shown = await self._leads.why(tx, int(number), event, now)
            case "draft":
                shown = Shown(words=await self._draft(tx, int(number), verb, event, now))
            case "step":
                words = await self._steps.pressed(tx, int(number), verb, event, now)
                shown = Shown(words=words)
            case "late":
                words = await self._outcomes.caught_up(tx, int(number), verb, event, now)
                shown = Shown(words=words)
            case "ticket":
                shown = await self._tickets.pressed(tx, int(number), verb, event, now)
            case "digest":
                shown = await self._digests.pressed(tx, int(number), verb, event, now)
            case _:
                return
        await self._show(tx, event, shown, now)

    async def _show(self, tx: Tx, event: CardPressed, shown: Shown, now: datetime) -> None:
        """Change the pressed card; the AI bot's can only be greyed, and over the socket alone."""
        terms = Terms(purpose="staff", subject=event.by, urgent=True)
        key = f"update:{digest(event.task, event.response_code or event.at.isoformat())}"
        if event.reply is not None:
            title = shown.words or (shown.card.title if shown.card is not None else "")
            if title and event.reply.via == "socket":
                grey = BotCardUpdate(to=event.by, reply=event.reply, task=event.task, title=title)
                in_time = terms.model_copy(update={"closes_at": event.at + _IN_TIME})
                await tx.outbox.put(key, grey, in_time, now)
            return
        if not event.response_code or not (shown.words or shown.card is not None):
            return
        update = StaffCardUpdate(
            to=event.by,
            response_code=event.response_code,
            replace=shown.words,
            card=shown.card,
            task=shown.task,
        )
        await tx.outbox.put(key, update, terms, now)

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
        for asker in draft.askers if state == "sent" else ():
            await self._desk.spoke(tx, CustomerId(asker.id), event.by, now)
        return DONE_WORDS[state]
