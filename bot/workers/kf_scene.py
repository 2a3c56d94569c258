"""What is read of a one-to-one talk before it is thought about, and how its words are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.answering.forms import form_of
from bot.domain.compliance import Rules, mask
from bot.domain.delivery import PERSON_STATES, Session
from bot.domain.events import MessageReceived
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Lead
from bot.domain.needs import Needs
from bot.domain.persona import Memory
from bot.domain.sessions import NEW, with_person
from bot.domain.subject import SubjectFacts
from bot.domain.suitability import asker_of
from bot.domain.tickets import may_rate
from bot.domain.variables import variables_for
from bot.domain.waiting import Batch, gather
from bot.leads.desk import LeadDesk
from bot.ports import Clock
from bot.sop.listening import Heard, Listening, Refusal
from bot.storage.conversations import Turn
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.content import Content
from bot.workers.effects import Occasion
from bot.workers.kf_words import Scene
from bot.workers.listening import Speaker, is_first, read_listening
from bot.workers.not_helped import MISSED

_GREET_AGAIN = timedelta(days=30)
CUSTOMER, PROGRAM = "客户", "小安"  # who speaks, in what is kept of a talk
_TAKEN_BACK = "[已撤回]"
_ASKS_FOR_YES = re.compile("回「(好|可以)」")
_SPOKEN = f"[{form_of('voice').label}]"


class Sessions(Protocol):
    """Where the true state of a session is asked for."""

    async def of(self, account: str, customer: str) -> int:
        """Return WeCom's state of a session."""


@dataclass(frozen=True)
class Reading:
    """What was read; ``truth`` is WeCom's own state where the mirror gave a person the word."""

    batch: Batch
    session: Session
    truth: int | None
    manager: RmId
    scene: Scene

    @property
    def silent(self) -> bool:
        """Tell whether a person has the word."""
        state = self.session.state if self.truth is None else self.truth
        return self.batch.left_to_person or state in PERSON_STATES


class Reader:
    """Reads what there is to know of a question."""

    def __init__(
        self,
        database: Database,
        content: Content,
        sessions: Sessions,
        desk: LeadDesk,
        clock: Clock,
    ) -> None:
        self._database = database
        self._content = content
        self._sessions = sessions
        self._desk = desk
        self._clock = clock

    async def read(self, claimed: ClaimedEvent, event: MessageReceived) -> Reading | None:
        """Return the question that an event begins; None where another worker has taken it over."""
        async with self._database.read() as tx:
            batch = gather(await tx.lanes.rows(claimed.lane, claimed.id), claimed.id)
            session, greeted = await tx.conversations.known(event.customer, event.account)
            turns = await tx.conversations.last_turns(event.customer)
            customer = await tx.people.customer(event.customer)
            listening = await read_listening(tx, self._content, event.customer)
            anything = await self._anything(tx, listening, event)
            leads = await tx.leads.open_for(event.customer)
            facts = await self._facts(tx, event.customer)
            misses = await self._misses(tx, event)
            ticket = await tx.tickets.newest(event.customer, event.account)
            now = self._clock.now()
            manager = await self._desk.foresee(tx, event.customer, customer, None, now, leads)
        if batch is None:
            return None
        asking = asked_just_now(leads, turns)
        scene = Scene(
            variables=self._variables(manager, now),
            manager=manager,
            misses=misses,
            history=remembered(turns, event.sent_at, self._content.persona.memory),
            asker=asker_of(facts),
            first_contact=greeted is None or event.sent_at - greeted > _GREET_AGAIN,
            called=customer.name if customer else "",
            listening=listening,
            anything=anything,
            leads=tuple(leads),
            asking=tuple(asking),
            asked_twice=not asking and asked_for_a_yes(turns) and bool(leads),
            promised=ticket is not None and ticket.state == "later",
            may_rate=ticket is not None and may_rate(ticket, event.sent_at),
        )
        truth = None if batch.left_to_person else await self._truth(event, session)
        return Reading(batch, session, truth, manager, scene)

    def _variables(self, manager: RmId, now: datetime) -> dict[str, str]:
        bank = self._content.bank
        today = now.astimezone(bank.zone).date()
        return variables_for(bank, today=today, manager=manager, kf_link=self._content.kf_link)

    async def _facts(self, tx: Tx, customer: CustomerId) -> SubjectFacts:
        """Return what the bank's systems know of a customer: risk, age, consent."""
        bank, now = self._content.bank, self._clock.now()
        return (await tx.subjects.load([customer], "customer", bank, Needs(), now))[customer]

    async def _misses(self, tx: Tx, event: MessageReceived) -> int:
        """Count how often the customer was not helped in this talk, since a person last came."""
        since = event.sent_at - self._content.persona.memory.within
        count = await tx.ledger.count(MISSED, since=since, subject=event.customer)
        if not count:
            return 0
        before = await tx.tickets.last(event.customer, event.account)
        if before is None or before.opened_at <= since:
            return count
        since = before.opened_at
        return await tx.ledger.count(MISSED, since=since, subject=event.customer)

    async def _anything(self, tx: Tx, listening: Listening, event: MessageReceived) -> Heard | None:
        """Return what listens for any words, unless it heard this customer before."""
        heard = listening.hears_anything(event.sent_at)
        if heard is None:
            return None
        who = Speaker(event.customer, event.customer, event.text, event.sent_at)
        return heard if await is_first(tx, heard, who, listening.had[0].opened_at) else None

    async def _truth(self, event: MessageReceived, session: Session) -> int | None:
        """Ask WeCom who has the word, where we believe that a person has.

        The mirror may have missed the end of the session: silence must not last for ever.
        """
        if session.state not in PERSON_STATES:
            return None
        if not with_person(session, self._clock.now()):
            return NEW
        return await self._sessions.of(event.account, event.customer)


def remembered(turns: Sequence[Turn], at: datetime, memory: Memory) -> tuple[str, ...]:
    """Return the newest turns, oldest of them first, as far back as the persona remembers."""
    newest = turns[-memory.turns :] if memory.turns else ()
    return tuple(f"{one.speaker}:{one.text}" for one in newest if at - one.at <= memory.within)


def asked_just_now(leads: Sequence[Lead], turns: Sequence[Turn]) -> list[Lead]:
    """Return the leads for which consent was asked by the last words that the customer was sent.

    A 「好的」 to any later words would be a yes to those.
    """
    found = []
    for lead in leads:
        # In their order: the moments of customers' words are whole seconds.
        said = [turn.speaker == PROGRAM and turn.at >= lead.opened_at for turn in turns]
        since = turns[said.index(True) :] if True in said else []
        replied = any(turn.speaker == CUSTOMER for turn in since)
        if lead.stage == "asking" and not lead.chat and since and not replied:
            found.append(lead)
    return found


def asked_for_a_yes(turns: Sequence[Turn]) -> bool:
    """Tell whether the last words were hers and asked for a yes; the newest turn is the last."""
    if not turns or turns[-1].speaker != PROGRAM:
        return False
    return _ASKS_FOR_YES.search(turns[-1].text) is not None


def said_by(batch: Batch, heard: Mapping[str, str], rules: Rules) -> dict[str, str]:
    """Return what each message says, with numbers masked, as it is kept."""
    said = {}
    for message in batch.messages:
        masked = mask(heard.get(message.msgid) or message.text, rules)
        label = f"[{form_of(message.form).label}]"
        said[message.msgid] = masked if message.form == "text" and masked else label + masked
    return said | {message.msgid: _TAKEN_BACK for message in batch.recalled}


def asked_in(batch: Batch, said: Mapping[str, str]) -> str:
    """Return the words to be answered, those that an older answer was taken back for first."""
    lines = []
    for message in batch.messages:
        words = said[message.msgid] if message.form in ("text", "voice") else ""
        lines += [message.earlier, words.removeprefix(_SPOKEN)]
    return "\n".join(line for line in lines if line)


def occasion_of(
    batch: Batch,
    said: Mapping[str, str],
    heard: Heard | None = None,
    owner: RmId | None = None,
    *,
    refused: Refusal | None = None,
) -> Occasion:
    """Return who said what, for what follows from it by what heard it."""
    newest = batch.newest
    quote = [part for one in batch.messages for part in (one.earlier, said[one.msgid]) if part]
    occasion = Occasion(
        key=newest.msgid,
        customer=newest.customer,
        quote="\n".join(quote),
        at=newest.sent_at,
        source="微信客服",
        owner=owner,
    )
    return occasion.of_script(heard, refused)
