"""Looks after talks that people were called to: who is told, who waited in vain, what comes after.

Whoever has a talk is told once what it is about, with words to begin with; a talk that waited for
the morning is given to a person then; one that stands still goes back to the bot, and the customer
is told; one that went well is followed by an invitation.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from bot.domain.delivery import PERSON_STATES, REPLY_WINDOW, SESSION_ENDED, Terms
from bot.domain.ids import RmId
from bot.domain.lead import GRAVE, Lead, Need
from bot.domain.messages import KfRelease, StaffText
from bot.domain.tickets import Step, Ticket, deadline, look
from bot.domain.waiting import kf_lane
from bot.errors import BotError
from bot.leads.cards import clock_of
from bot.leads.talk_cards import talk_card
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.workers.content import Content
from bot.workers.handing_over import HandingOver
from bot.workers.inviting import Inviting
from bot.workers.packets import Known, Packets

log = logger(__name__)
_TURNS = 6
_CALLS_A_PERSON = frozenset({*GRAVE, Need.PERSON, Need.UNANSWERED})


@dataclass(frozen=True)
class Brief:
    """What is known of a talk for whoever is called to it."""

    lead: Lead | None
    known: Known | None
    name: str
    turns: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    say: tuple[str, str] = ("", "")


class TicketWorker:
    """Does what tickets ask for at their time: reads and thinks first, and writes in one go."""

    watches = ("kf_tickets",)

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock
        self._handing = HandingOver(content)
        self._inviting = Inviting(content)
        self._packets = Packets(content)

    async def step(self) -> int:
        """Look at the tickets whose time has come; return how many there were."""
        async with self._database.begin() as tx:
            tickets = await tx.tickets.claim(self._clock.now())
        briefs = await asyncio.gather(*(self._read(ticket) for ticket in tickets))
        for ticket, brief in zip(tickets, briefs, strict=True):
            try:
                async with self._database.begin() as tx:
                    await self._do(tx, ticket.id, brief, self._clock.now())
            except BotError:
                raise
            except Exception:  # looked at again when its lease has run out; the others go on
                log.exception("ticket_failed", ticket=ticket.id)
        return len(tickets)

    async def _read(self, ticket: Ticket) -> Brief | None:
        """Read and think for whoever is to be told; None where nobody is."""
        now = self._clock.now()
        if look(ticket, self._content.handing_over, now) != "brief" or not ticket.person:
            return None
        async with self._database.read() as tx:
            lead = await tx.leads.get(ticket.lead) if ticket.lead is not None else None
            known = await self._packets.read(tx, lead, now) if lead is not None else None
            customer = await tx.people.customer(ticket.customer)
            said = await tx.conversations.last_turns(ticket.customer, _TURNS)
            groups = await tx.people.groups_owned(ticket.person)
        say = ("", "")
        if known is not None:
            say = await self._packets.think(known, RmId(ticket.person), now)
        bank = self._content.bank
        names = {member.userid: member.name for member in bank.staff}
        return Brief(
            lead=lead,
            known=known,
            name=customer.name if customer is not None else "",
            turns=tuple((names.get(RmId(one.speaker), one.speaker), one.text) for one in said),
            groups=tuple((group.id, self._content.group_name(group)) for group in groups),
            say=say,
        )

    async def _do(self, tx: Tx, number: int, brief: Brief | None, now: datetime) -> None:
        """Do what the ticket asks for as it stands by now."""
        ticket = await tx.tickets.hold(number)
        if ticket is None:
            return
        times = self._content.handing_over
        step: Step = look(ticket, times, now)
        match step:
            case "rest":
                await tx.tickets.change(number, due_at=deadline(ticket, times))
            case "brief":
                await self._tell(tx, ticket, brief, now)
            case "hand_over":
                await self._in_the_morning(tx, ticket, now)
            case "waited" | "idle":
                await self._give_back(tx, ticket, step, now)
            case "invite":
                await self._inviting.after(tx, ticket, now)
            case _:
                assert_never(step)

    async def _tell(self, tx: Tx, ticket: Ticket, brief: Brief | None, now: datetime) -> None:
        """Put the card of a talk into the outbox, for whoever has it or is wanted."""
        told = ticket.model_copy(update={"briefed_at": now})
        due_at = deadline(told, self._content.handing_over)
        await tx.tickets.change(ticket.id, briefed_at=now, due_at=due_at)
        if brief is None or not ticket.person:
            return
        to = RmId(ticket.person)
        card = talk_card(
            ticket, to, brief.name, brief.turns, brief.say, brief.groups, self._content.bank, now
        )
        terms = Terms(purpose="staff", subject=to, urgent=True)
        await tx.outbox.put(f"card:{card.task}", card, terms, now)

    async def _in_the_morning(self, tx: Tx, ticket: Ticket, now: datetime) -> None:
        """Give a talk to the person who was promised, where that is still wanted and possible."""
        lead = await tx.leads.get(ticket.lead) if ticket.lead is not None else None
        if lead is not None and lead.closed_at is not None:
            lead = await self._still_waits(tx, ticket)
            if lead is None:
                await self._handing.close(tx, ticket, "settled", now)
                return
        session = await tx.conversations.session(ticket.customer, ticket.account)
        if session is not None and session.state in PERSON_STATES:  # somebody was quicker
            await self._handing.given(tx, ticket.customer, ticket.account, session.servicer, now)
            return
        last = session.last_customer_at if session is not None else None
        if session is None or session.state == SESSION_ENDED or last is None:
            await self._handing.close(tx, ticket, "expired", now)
            return
        to = RmId((lead.rm if lead is not None else "") or ticket.wanted)
        if now - last >= REPLY_WINDOW:
            await self._cannot_write(tx, ticket, to, now)
            return
        opens_at = self._content.closed_until(now, to)
        if opens_at is not None:  # the customer wrote again outside the hours
            await tx.tickets.change(ticket.id, opens_at=opens_at, due_at=opens_at)
            return
        await self._handing.hand_over(tx, ticket, to, now)

    async def _still_waits(self, tx: Tx, ticket: Ticket) -> Lead | None:
        """Return what else the customer waits for a person for, the newest of it."""
        leads = await tx.leads.open_for(ticket.customer)
        waits = [one for one in leads if one.need in _CALLS_A_PERSON and one.stage != "asking"]
        return waits[-1] if waits else None

    async def _cannot_write(self, tx: Tx, ticket: Ticket, to: RmId, now: datetime) -> None:
        """Tell who was promised that WeCom is shut until the customer writes; then they come."""
        await tx.tickets.change(ticket.id, due_at=None, wanted=to)
        if not to:
            return
        customer = await tx.people.customer(ticket.customer)
        name = (customer.name if customer is not None else "") or "一位客户"
        at = clock_of(now, self._content.bank.zone)
        text = (
            f"{at} {name}找过真人，已经 48 小时没说话，微信客服发不过去了。"
            "请打电话；客户再说一句，会马上转给您。"
        )
        terms = Terms(purpose="staff", subject=to)
        key = f"ticket:{ticket.id}:shut"
        await tx.outbox.put(key, StaffText(to=(to,), text=text), terms, now)

    async def _give_back(self, tx: Tx, ticket: Ticket, how: Step, now: datetime) -> None:
        """Let the bot have a talk again in which nobody has said a word for so long."""
        await tx.tickets.change(ticket.id, due_at=None)
        await put_release(tx, ticket, how, now)


async def put_release(tx: Tx, ticket: Ticket, how: str, now: datetime) -> None:
    """Put the end of a person's session into the outbox; the customer is told as it ends."""
    move = KfRelease.model_validate(
        {"account": ticket.account, "customer": ticket.customer, "ticket": ticket.id, "how": how}
    )
    terms = Terms(purpose="release", subject=ticket.customer, account=ticket.account)
    key = f"kf:release:{ticket.id}:{now.isoformat()}"
    await tx.outbox.put(key, move, terms, now, lane=kf_lane(ticket.customer))
