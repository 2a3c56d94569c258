"""Tickets: who has the word in a talk of 微信客服 that a person was called to, and since when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from bot.domain.delivery import PERSON_STATES, SESSION_ENDED, Terms
from bot.domain.events import MessageReceived, SessionChanged, StaffSpoke
from bot.domain.ids import CustomerId, KfAccountId, RmId, digest
from bot.domain.lead import Lead, Need
from bot.domain.messages import KfHandover
from bot.domain.tickets import (
    WORST,
    How,
    Ticket,
    TicketState,
    deadline,
    may_rate,
    outweighs,
    waits_for_nobody,
    wins_over,
)
from bot.domain.waiting import kf_lane
from bot.storage.db import Tx
from bot.workers.content import Content

_JUST_NOW = timedelta(hours=2)  # who waited in vain and asks again goes to whoever is free
_PERSON_IS_NO_USE = frozenset(
    {
        *("fail_type_4", "fail_type_5", "fail_type_6", "fail_type_10"),
        *("wecom_95001", "wecom_95002", "wecom_95018", "five_messages_used", "reply_window_closed"),
    }
)


class Talk(NamedTuple):
    """A customer's talk with an account; ``occasion`` names what a person is called for, once."""

    customer: CustomerId
    account: KfAccountId
    occasion: str


class HandingOver:
    """Opens a ticket for each hand-over and follows the talk until the bot has it again.

    The caller holds the session, or works on the talk's lane: nobody else moves the ticket.
    """

    def __init__(self, content: Content) -> None:
        self._content = content

    async def call(
        self, tx: Tx, talk: Talk, lead: Lead | None, manager: str, now: datetime
    ) -> None:
        """Call a person to a talk that the bot has: now, or when somebody will be there.

        Until then the bot goes on answering. Danger and complaints wait for no opening hours.
        """
        to = RmId((lead.rm if lead is not None else "") or manager)
        reason = lead.need if lead is not None else Need.PERSON
        opens_at = None if waits_for_nobody(reason) else self._content.closed_until(now, to)
        ticket = await self._begun(tx, talk, to, opens_at, now)
        values: dict[str, object] = {"opens_at": opens_at}
        if not outweighs(ticket.reason, reason):  # what is promised for danger stays promised
            values |= {"reason": reason.value, "wanted": to}
            if lead is not None:
                values["lead"] = lead.id
        if opens_at is None:
            values |= {"state": "going", "due_at": None}
        elif ticket.state != "later" or ticket.briefed_at is None:
            values |= {"state": "later", "due_at": now}  # whoever is wanted is told at once
        await tx.tickets.change(ticket.id, **values)
        if opens_at is None:
            pool = await self._waited_in_vain(tx, talk, now)
            await self._hand_over(tx, talk, to, now, pool=pool)

    async def _begun(
        self, tx: Tx, talk: Talk, to: RmId, opens_at: datetime | None, now: datetime
    ) -> Ticket:
        """Return the ticket of a talk, new unless one is on its way; an end that was missed is."""
        before = await tx.tickets.hold_open(talk.customer, talk.account)
        if before is not None and before.state in ("waiting", "talking"):
            await self.close(tx, before, "ended", now)
        state: TicketState = "going" if opens_at is None else "later"
        ticket, fresh = await tx.tickets.open(talk.customer, talk.account, state, now)
        if fresh:
            about = {"ticket": ticket.id, "later": opens_at is not None, "wanted": to}
            await tx.ledger.add("ticket_opened", talk.customer, now, **about)
        return ticket

    async def hand_over(self, tx: Tx, ticket: Ticket, to: RmId, now: datetime) -> None:
        """Give a talk that waited for the morning, or for somebody's press, to a person."""
        await tx.tickets.change(ticket.id, state="going", wanted=to, briefed_at=None, due_at=None)
        talk = Talk(ticket.customer, ticket.account, f"ticket:{ticket.id}:{now.isoformat()}")
        await self._hand_over(tx, talk, to, now, pool=False)

    async def not_wanted(
        self, tx: Tx, customer: CustomerId, account: KfAccountId, now: datetime
    ) -> int | None:
        """Call off a person who was promised, as the customer asks; return the lead it was about.

        Whoever is in danger or complains is seen to all the same.
        """
        ticket = await tx.tickets.hold_open(customer, account)
        if ticket is None or ticket.state != "later" or waits_for_nobody(ticket.reason):
            return None
        await self.close(tx, ticket, "settled", now)
        return ticket.lead

    async def wrote_again(
        self, tx: Tx, customer: CustomerId, account: KfAccountId, now: datetime
    ) -> None:
        """Let a person come who could not write any more before the customer did (§4.5)."""
        ticket = await tx.tickets.hold_open(customer, account)
        if ticket is not None and ticket.state == "later" and ticket.briefed_at is not None:
            due_at = max(ticket.opens_at or now, now)
            await tx.tickets.change(ticket.id, due_at=due_at)

    async def promise(self, tx: Tx, waited: Ticket, opens_at: datetime, now: datetime) -> None:
        """Let a talk in which nobody came go to a person once somebody is there again."""
        await tx.tickets.open(
            waited.customer,
            waited.account,
            "later",
            now,
            reason=waited.reason,
            lead=waited.lead,
            wanted=waited.person,
            opens_at=opens_at,
            briefed_at=now,  # by the ticket that is over
            due_at=opens_at,
        )

    async def _hand_over(self, tx: Tx, talk: Talk, to: RmId, now: datetime, *, pool: bool) -> None:
        """Give the session to a person, after the words that say so."""
        customer, account = talk.customer, talk.account
        move = KfHandover(account=account, customer=customer, to=to or None, pool=pool)
        terms = Terms(purpose="handover", subject=customer, account=account)
        key = f"kf:{talk.occasion}:handover"
        await tx.outbox.put(key, move, terms, now, lane=kf_lane(customer))

    async def _waited_in_vain(self, tx: Tx, talk: Talk, now: datetime) -> bool:
        before = await tx.tickets.last(talk.customer, talk.account)
        return (
            before is not None
            and before.how == "waited"
            and before.given_back_at is not None
            and now - before.given_back_at < _JUST_NOW
        )

    async def not_delivered(
        self, tx: Tx, key: str, terms: Terms, reason: str, lead: Lead | None, now: datetime
    ) -> None:
        """Call a person to a talk in which the bot's words do not arrive, where one can be.

        A session that is over goes to nobody, and who refuses messages refuses a person's, too;
        after five messages the bot may speak again with the customer's next word.
        """
        if lead is None or reason in _PERSON_IS_NO_USE:
            return
        customer, account = CustomerId(terms.subject), KfAccountId(terms.account)
        session = await tx.conversations.session(customer, account)
        if session is None or session.state in (*PERSON_STATES, SESSION_ENDED):
            return
        talk = Talk(customer, account, f"undelivered:{digest(key)}")
        await self.call(tx, talk, lead, lead.rm, now)

    async def given(
        self, tx: Tx, customer: CustomerId, account: KfAccountId, to: str, now: datetime
    ) -> None:
        """Note that a talk is with somebody, or in the pool where ``to`` is empty."""
        ticket, _ = await tx.tickets.open(customer, account, "waiting", now)
        if ticket.state == "talking":  # somebody was quicker, and has spoken already
            return
        values = {"taken_by": to, "taken_at": now} if to else {}
        # Whoever has it is told at once what it is about.
        await tx.tickets.change(ticket.id, state="waiting", given_at=now, due_at=now, **values)

    async def taken(self, tx: Tx, event: SessionChanged, now: datetime) -> None:
        """Note who took a talk in the client, from the pool, from a colleague, or anew."""
        ticket, fresh = await tx.tickets.open(
            event.customer, event.account, "waiting", now, given_at=event.at
        )
        values: dict[str, object] = {"taken_by": event.servicer or "", "taken_at": event.at}
        if event.change == "passed_on" or fresh:
            values["briefed_at"] = None
        moved = ticket.model_copy(update={"state": _with_person(ticket), **values})
        given_at = ticket.given_at or event.at
        moved = moved.model_copy(update={"given_at": given_at})
        due_at = now if moved.briefed_at is None else deadline(moved, self._content.handing_over)
        await tx.tickets.change(
            ticket.id, state=moved.state, given_at=given_at, due_at=due_at, **values
        )
        if fresh:
            await tx.ledger.add("ticket_opened", event.customer, now, ticket=ticket.id, wanted="")

    async def spoke(self, tx: Tx, event: StaffSpoke, now: datetime) -> None:
        """Note a person's word: from now on the talk is theirs."""
        ticket, fresh = await tx.tickets.open(
            event.customer, event.account, "talking", now, given_at=event.at, briefed_at=now
        )
        first = ticket.spoke_at is None
        spoken = ticket.model_copy(
            update={
                "state": "talking",
                "taken_by": event.servicer,
                "taken_at": ticket.taken_at or event.at,
                "spoke_at": ticket.spoke_at or event.at,
                "last_at": max(ticket.last_at or event.at, event.at),
                "last_by": "person",
            }
        )
        await self._keep(tx, spoken)
        if fresh:
            await tx.ledger.add("ticket_opened", event.customer, now, ticket=ticket.id, wanted="")
        elif first:
            waited_s = (event.at - ticket.opened_at).total_seconds()
            about = {"ticket": ticket.id, "by": event.servicer, "waited_s": round(waited_s)}
            await tx.ledger.add("ticket_answered", event.customer, now, **about)

    async def wrote(self, tx: Tx, message: MessageReceived) -> None:
        """Note a customer's word to the person who has the talk."""
        ticket = await tx.tickets.hold_open(message.customer, message.account)
        if ticket is None or ticket.state not in ("waiting", "talking"):
            return
        last_at = max(ticket.last_at or message.sent_at, message.sent_at)
        await self._keep(tx, ticket.model_copy(update={"last_at": last_at, "last_by": "customer"}))

    async def _keep(self, tx: Tx, ticket: Ticket) -> None:
        """Write who spoke last, and when it is time to look again."""
        unread = ticket.state == "waiting" and ticket.briefed_at is None
        due_at = {} if unread else {"due_at": deadline(ticket, self._content.handing_over)}
        named = ("state", "taken_by", "taken_at", "spoke_at", "last_at", "last_by")
        values = {name: getattr(ticket, name) for name in named}
        await tx.tickets.change(ticket.id, **values, **due_at)

    async def end(
        self, tx: Tx, customer: CustomerId, account: KfAccountId, how: How, now: datetime
    ) -> None:
        """Close the ticket of a talk that the bot has again."""
        ticket = await tx.tickets.hold_open(customer, account)
        if ticket is not None:
            await self.close(tx, ticket, how, now)

    async def close(self, tx: Tx, ticket: Ticket, how: How, now: datetime) -> None:
        """Close a ticket; where the talk went well, an invitation is due a while later."""
        over = ticket.model_copy(update={"state": "over", "how": how, "given_back_at": now})
        due_at = deadline(over, self._content.handing_over)
        await tx.tickets.change(ticket.id, state="over", how=how, given_back_at=now, due_at=due_at)
        about = {"ticket": ticket.id, "how": how, "by": ticket.taken_by}
        await tx.ledger.add("ticket_closed", ticket.customer, now, **about)

    async def rated(
        self, tx: Tx, customer: CustomerId, account: KfAccountId, rating: int, now: datetime
    ) -> None:
        """Write what a customer thought of the talk that is over; 1 is the best, 3 the worst."""
        ticket = await tx.tickets.last(customer, account)
        if ticket is None or not may_rate(ticket, now):
            await tx.ledger.add("session_rated", customer, now, rating=rating)
            return
        values: dict[str, object] = {"rating": rating}
        judged = ticket.model_copy(update=values)
        if rating == WORST or not wins_over(judged, self._content.handing_over):
            values["due_at"] = None
        await tx.tickets.change(ticket.id, **values)
        about = {"ticket": ticket.id, "by": ticket.taken_by}
        await tx.ledger.add("session_rated", customer, now, rating=rating, **about)


def _with_person(ticket: Ticket) -> str:
    return "talking" if ticket.spoke_at is not None else "waiting"
