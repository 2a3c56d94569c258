"""A member pressed a lead's card: the lead moves, and the card shows what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.delivery import Terms
from bot.domain.events import CardPressed
from bot.domain.ids import RmId
from bot.domain.lead import GRAVE, Lead, Outcome, Refused
from bot.domain.lead_words import INVALID_REASONS, LOST_REASONS
from bot.domain.messages import Card, StaffText
from bot.domain.people import Customer
from bot.domain.putting_off import put_off_until, put_offs
from bot.leads.cards import clock_of
from bot.leads.desk import LeadDesk
from bot.leads.lead_steps import (
    asleep_card,
    step_task,
    when_card,
    whom_card,
    why_poll,
    working_card,
)
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.packets import Known, Packets

_OUTCOMES: dict[str, Outcome] = {"won": "won", "done": "closed", "lost": "lost", "not": "lost"}
_LATER = "later"


@dataclass(frozen=True)
class Shown:
    """What the pressed card shows from now on: grey words, or another card in its place."""

    words: str = ""
    card: Card | None = None
    task: str = ""


@dataclass(frozen=True)
class Prepared:
    """What was thought of before a lead is taken."""

    known: Known
    say: str
    source: str


def lead_taken_by(key: str) -> int | None:
    """Return the number of the lead that a press would take; None for any other press."""
    kind, _, rest = key.partition(":")
    number, _, verb = rest.partition(":")
    return int(number) if kind == "lead" and verb == "take" and number.isdigit() else None


class LeadPresses:
    """Moves leads by the one desk there is; whoever may not is told so and nothing moves."""

    def __init__(self, content: Content, desk: LeadDesk) -> None:
        self._content = content
        self._desk = desk
        self._packets = Packets(content)

    async def read(self, tx: Tx, number: int, now: datetime) -> Known | None:
        """Read a lead that somebody is about to take; None where nobody can take it."""
        lead = await tx.leads.get(number)
        if lead is None or lead.closed_at is not None or lead.stage in ("asking", "taken"):
            return None
        return await self._packets.read(tx, lead, now)

    async def think(self, known: Known, by: RmId, now: datetime) -> Prepared:
        """Think of words for whoever takes it."""
        say, source = await self._packets.think(known, by, now)
        return Prepared(known, say, source)

    async def pressed(
        self,
        tx: Tx,
        number: int,
        verb: str,
        event: CardPressed,
        now: datetime,
        prepared: Prepared | None = None,
    ) -> Shown:
        """Carry out a press and return what the card shows from then on."""
        chosen = next(iter(event.selected.values()), "")
        if verb == "take":
            return await self._take(tx, number, event, now, prepared)
        if verb == "reassign":
            return await self._pass_on(tx, number, chosen, event, now)
        if verb == _LATER or verb.startswith(f"{_LATER}-"):
            code = verb.removeprefix(_LATER).removeprefix("-") or chosen
            return await self._later(tx, number, code, event, now)
        if verb == "invalid":
            return await self._end(tx, number, "invalid", event, now)
        if verb == "contacted":
            return await self._contacted(tx, number, event, now)
        if verb in _OUTCOMES:
            return await self._end(tx, number, _OUTCOMES[verb], event, now)
        return Shown()

    async def why(self, tx: Tx, number: int, event: CardPressed, now: datetime) -> Shown:
        """Write down why a lead ended as it did."""
        reason = event.selected.get(f"why-{number}", "")
        if reason not in dict(INVALID_REASONS) | dict(LOST_REASONS):
            return Shown()
        done = await self._desk.explain(tx, number, reason, event.by, now)
        return Shown(words=done.words)

    async def _take(
        self,
        tx: Tx,
        number: int,
        event: CardPressed,
        now: datetime,
        prepared: Prepared | None,
    ) -> Shown:
        before = await tx.leads.get(number)
        done = await self._desk.take(tx, number, event.by, now)
        if isinstance(done, Refused):
            return await self._refused(tx, before, done, event, now)
        lead = done.lead
        if lead.closed_at is not None or lead.rm != event.by:
            return Shown(words=done.words)
        if done.changed and prepared is not None:
            known = replace(prepared.known, lead=lead)
            packet = self._packets.make(known, prepared.say, prepared.source, now)
            key = f"{lead.id}:{event.by}:{now.isoformat()}"
            await self._packets.put(tx, known, packet, event.by, key, now)
        customer = await tx.people.customer(lead.customer)
        return self._working(lead, customer, now)

    async def _contacted(self, tx: Tx, number: int, event: CardPressed, now: datetime) -> Shown:
        before = await tx.leads.get(number)
        done = await self._desk.contacted(tx, number, event.by, now)
        if isinstance(done, Refused):
            return await self._refused(tx, before, done, event, now)
        if done.lead.closed_at is not None or done.lead.rm != event.by:
            return Shown(words=done.words)
        customer = await tx.people.customer(done.lead.customer)
        return self._working(done.lead, customer, now)

    def _working(self, lead: Lead, customer: Customer | None, now: datetime) -> Shown:
        link = self._content.lead_link(lead.id)
        card = working_card(lead, customer, self._content.bank, now, link=link)
        step = "work" if lead.first_response_at is None else "met"
        return Shown(card=card, task=step_task(lead, step, now))

    async def _pass_on(
        self, tx: Tx, number: int, to: str, event: CardPressed, now: datetime
    ) -> Shown:
        lead = await tx.leads.get(number)
        if lead is None:
            return Shown()
        if not to and lead.closed_at is None:
            customer = await tx.people.customer(lead.customer)
            card = whom_card(lead, customer, self._content.bank, now)
            return Shown(card=card, task=step_task(lead, "whom", now)) if card else Shown()
        own = _own_card(event)
        done = await self._desk.pass_on(tx, number, RmId(to), event.by, now, pressed_by=own)
        if isinstance(done, Refused):
            return await self._refused(tx, lead, done, event, now)
        return Shown(words=done.words)

    async def _later(
        self, tx: Tx, number: int, code: str, event: CardPressed, now: datetime
    ) -> Shown:
        lead = await tx.leads.get(number)
        if lead is None:
            return Shown()
        bank, tables = self._content.bank, self._content.tables
        customer = await tx.people.customer(lead.customer)
        until = put_off_until(code, now, bank.zone, tables)
        if until is None and lead.closed_at is None and lead.need not in GRAVE:
            choices = put_offs(now, bank.zone, tables)
            card = when_card(lead, customer, choices, bank, now)
            return Shown(card=card, task=step_task(lead, "when", now))
        done = await self._desk.later(tx, number, event.by, until or now, now)
        if isinstance(done, Refused):
            return await self._refused(tx, lead, done, event, now)
        if not done.changed or done.lead.stage != "later":
            return Shown(words=done.words)
        link = self._content.lead_link(number)
        card = asleep_card(done.lead, customer, bank, now, link=link)
        return Shown(card=card, task=step_task(lead, "asleep", now))

    async def _end(
        self, tx: Tx, number: int, outcome: Outcome, event: CardPressed, now: datetime
    ) -> Shown:
        before = await tx.leads.get(number)
        own = _own_card(event)
        done = await self._desk.finish(tx, number, outcome, "", event.by, now, pressed_by=own)
        if isinstance(done, Refused):
            return await self._refused(tx, before, done, event, now)
        if done.changed and outcome in ("invalid", "lost"):
            poll = why_poll(done.lead, event.by, now, lost=outcome == "lost")
            terms = Terms(purpose="staff", subject=event.by, urgent=True)
            await tx.outbox.put(f"card:{poll.task}", poll, terms, now)
        return Shown(words=done.words)

    async def _refused(
        self, tx: Tx, lead: Lead | None, refused: Refused, event: CardPressed, now: datetime
    ) -> Shown:
        """Say why nothing was done; the buttons of one that is somebody else's go."""
        at = clock_of(now, self._content.bank.zone)  # the same words are folded otherwise
        text = StaffText(to=(event.by,), text=f"{refused.words}（{at}）")
        terms = Terms(purpose="staff", subject=event.by, urgent=True)
        number = lead.id if lead is not None else 0
        await tx.outbox.put(f"refused:{number}:{event.by}:{now.isoformat()}", text, terms, now)
        others = lead is not None and lead.rm != event.by and lead.stage != "asking"
        return Shown(words="已归同事办") if others else Shown()


def _own_card(event: CardPressed) -> str:
    """Return whose card in the app was pressed; "" for the AI bot's, beside which it lies."""
    return event.by if event.reply is None else ""
