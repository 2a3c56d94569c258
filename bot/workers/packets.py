"""Puts together what somebody is given who takes over a lead, with words to begin with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from bot.answering.answer import Question
from bot.domain.compliance import screen
from bot.domain.delivery import Terms
from bot.domain.ids import RmId, digest
from bot.domain.knowledge import AnswerKind
from bot.domain.lead import SELLING, Lead, Need
from bot.domain.messages import StaffText
from bot.domain.needs import Needs
from bot.domain.people import Customer
from bot.domain.render import UnknownVariable, render
from bot.domain.subject import SubjectFacts
from bot.domain.suitability import asker_of
from bot.domain.talk_track import tracks_for
from bot.domain.text import split_text
from bot.domain.variables import variables_for
from bot.leads.first_steps import danger_of, first_steps
from bot.leads.packet import (
    Packet,
    opening_words,
    packet_words,
    what_may_be_known,
    what_to_avoid,
)
from bot.log import logger
from bot.storage.db import Tx
from bot.workers.content import Content

log = logger(__name__)
_TEXT_BYTES = 2048  # wecom_protocol §3.4
_TURNS = 6
_THINK_S = 1.5  # longer than that nobody waits for a card to change
# Who asked something that can be looked up; the others want to be spoken to first.
_ASKS = frozenset({Need.WEALTH, Need.MATURITY, Need.LOAN, Need.CARD, Need.SERVICE, Need.UNANSWERED})
# A talk goes on where the customer left it; whoever sells needs the wish alone (S21).
_GOES_ON = frozenset(Need) - SELLING


@dataclass(frozen=True)
class Known:
    """What was read of a lead and its customer."""

    lead: Lead
    customer: Customer | None
    facts: SubjectFacts | None
    turns: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Return the customer's name, "" where it is not known."""
        return self.customer.name if self.customer is not None else ""


class Packets:
    """Reads, thinks of words to begin with, and words the whole for a phone."""

    def __init__(self, content: Content) -> None:
        self._content = content

    async def read(self, tx: Tx, lead: Lead, now: datetime) -> Known:
        """Read what the packet of a lead is made of."""
        bank = self._content.bank
        customer = await tx.people.customer(lead.customer)
        found = await tx.subjects.load([lead.customer], "customer", bank, Needs(), now)
        turns: tuple[tuple[str, str], ...] = ()
        if lead.need in _GOES_ON and not lead.chat:
            said = await tx.conversations.last_turns(lead.customer, _TURNS)
            turns = tuple((self._who(one.speaker), one.text) for one in said)
        return Known(lead, customer, found.get(lead.customer), turns)

    async def think(self, known: Known, by: RmId, now: datetime) -> tuple[str, str]:
        """Return words to begin with, and where they are written down ("" for plain courtesy).

        The words of what is written down where the customer asked something, within a second and
        a half; else words that open the talk.
        """
        lead = known.lead.model_copy(update={"rm": by or known.lead.rm})
        opening = self.opening(lead, known.name, now)
        quote = lead.evidence[-1].quote if lead.evidence else ""
        if lead.need not in _ASKS or not quote:
            return opening
        found = await self.in_time(_THINK_S, known.name, known.facts, by, quote, now)
        return found or opening

    async def in_time(
        self,
        seconds: float,
        name: str,
        facts: SubjectFacts | None,
        by: RmId,
        text: str,
        now: datetime,
    ) -> tuple[str, str] | None:
        """Return what is written down for a customer's words; None where it takes too long.

        Or where it fails: whoever takes a lead has it, with words to say or without.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self.suggest(name, facts, by, text, now)
        except TimeoutError:
            return None
        except Exception:
            log.exception("words_not_found", by=by)
            return None

    def opening(self, lead: Lead, name: str, now: datetime) -> tuple[str, str]:
        """Return approved words for such a lead, or plain ones where there are none."""
        bank = self._content.bank
        if lead.need is Need.RED_FLAG and danger_of(lead) != "被骗":
            return opening_words(lead, bank), ""  # what is approved speaks of fraud
        today = now.astimezone(bank.zone).date()
        values = variables_for(bank, today=today, manager=lead.rm, customer_name=name)
        for track, _ in tracks_for(self._content.snapshot.talk, "一对一", {lead.need.value}, today):
            if not track.fits({lead.need.value}):
                break
            if track.product:  # what speaks of a product wants to be chosen by a person
                continue
            try:
                return render(track.text, values), track.basis
            except UnknownVariable:
                continue
        return opening_words(lead, bank), ""

    async def suggest(
        self, name: str, facts: SubjectFacts | None, by: RmId, text: str, now: datetime
    ) -> tuple[str, str] | None:
        """Return what is written down for a customer's words, with its sources; None for nothing.

        What a customer may not be told, for risk, age or the rules of wording, is nothing.
        """
        bank = self._content.bank
        variables = variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=by,
            kf_link=self._content.kf_link,
            customer_name=name,
        )
        question = Question(text=text, plane="private", variables=variables)
        if facts is not None:
            question = question.model_copy(update={"asker": asker_of(facts)})
        answer = await self._content.answerer.answer(question, now)
        if answer.kind not in (AnswerKind.APPROVED, AnswerKind.WRITTEN) or not answer.citations:
            return None
        try:
            words = render(answer.text, variables)
        except UnknownVariable:
            return None
        rules = self._content.snapshot.rules
        if any(hit.blocks for hit in screen(words, rules, approved=True, plane="private")):
            return None
        return words, "、".join(dict.fromkeys(one.plain for one in answer.citations))

    def make(self, known: Known, say: str, source: str, now: datetime) -> Packet:
        """Put the packet together."""
        bank, lead = self._content.bank, known.lead
        today = now.astimezone(bank.zone).date()
        customer = known.customer
        refuses = customer is not None and customer.refuses_marketing(now)
        asker = asker_of(known.facts) if known.facts is not None else None
        return Packet(
            steps=first_steps(lead, bank),
            facts=what_may_be_known(lead, known.facts, today, refuses=refuses),
            say=say,
            source=source,
            avoid=what_to_avoid(lead, asker) if asker is not None else what_to_avoid(lead),
            turns=known.turns,
        )

    async def put(
        self, tx: Tx, known: Known, packet: Packet, to: RmId, key: str, now: datetime
    ) -> None:
        """Send a packet, which is waited for, as words to copy on a phone; once for each key."""
        words = packet_words(known.lead, packet, known.name, self._content.bank, now)
        terms = Terms(purpose="staff", subject=to, urgent=True)
        lane = f"packet:{digest(key, to, size=8)}"
        for number, part in enumerate(split_text(words, _TEXT_BYTES), 1):
            message = StaffText(to=(to,), text=part)
            await tx.outbox.put(f"packet:{key}:{number}", message, terms, now, lane=lane)

    def _who(self, speaker: str) -> str:
        member = self._content.bank.member(speaker)
        return member.name if member is not None else speaker
