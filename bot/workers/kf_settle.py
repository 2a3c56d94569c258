"""What follows once a message of a 微信客服 session was sent or refused."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.answering.sessions import coming, given_back, kept_waiting, queued
from bot.domain.delivery import PERSON_STATES, Terms
from bot.domain.ids import RmId
from bot.domain.messages import (
    KfEventReply,
    KfHandover,
    KfInvite,
    KfRelease,
    KfReply,
    Menu,
    Receipt,
    StaffText,
    Text,
)
from bot.domain.sessions import ENDED, NEW, PERSON, POOL
from bot.domain.tickets import How, deadline
from bot.domain.variables import variables_for
from bot.domain.waiting import kf_lane
from bot.errors import SessionMoved
from bot.leads.cards import clock_of
from bot.storage.db import Tx
from bot.storage.outbox import Envelope
from bot.workers.content import Content
from bot.workers.effects import Effects
from bot.workers.handing_over import HandingOver
from bot.workers.inviting import Inviting
from bot.workers.lead_desk import desk_of
from bot.workers.sessions import LONG_CODE, SHORT_CODE, code_key
from bot.workers.unanswered import Unanswered

_OF_A_SESSION = (KfReply, KfEventReply, KfHandover, KfRelease)
_LOOK_AGAIN = timedelta(minutes=1)
_TRY_AGAIN = timedelta(minutes=15)
_LOST_TO_THE_CUSTOMER = frozenset({"five_messages_used", "reply_window_closed"})


class KfSettlement:
    """Moves sessions on after a message's end."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._unanswered = Unanswered(Effects(desk_of(content), content))
        self._handing = HandingOver(content)
        self._inviting = Inviting(content)

    async def sent(self, tx: Tx, envelope: Envelope, receipt: Receipt, now: datetime) -> None:
        """Write what an accepted message or move of a session brings about."""
        match envelope.message:
            case KfReply() as reply:
                await self._replied(tx, reply, envelope.terms, now)
            case KfEventReply() as reply:
                await self._said_on_event(tx, reply, envelope.terms, now)
            case KfHandover() as move:
                await self._handed_over(tx, move, receipt, now)
            case KfRelease() as move:
                await self._released(tx, move, envelope.created_at, receipt, now)
            case KfInvite() as invitation:
                await self._inviting.sent(tx, invitation, now)
            case _:
                pass

    async def _replied(self, tx: Tx, message: KfReply, terms: Terms, now: datetime) -> None:
        """Write that an answer was accepted: one of five is used."""
        await tx.conversations.count_sent(message.customer, message.account)
        if terms.greets:
            await tx.conversations.change(message.customer, message.account, greeted_at=now)
        text = message.content.text if message.content.kind == "text" else ""
        await tx.conversations.add_turn(message.customer, "小安", text, now)
        await tx.ledger.add("reply_sent", message.customer, now, purpose=terms.purpose)

    async def _said_on_event(
        self, tx: Tx, message: KfEventReply, terms: Terms, now: datetime
    ) -> None:
        """Write that the one message of a code was accepted."""
        if terms.greets:
            await tx.conversations.change(message.customer, message.account, greeted_at=now)
        await tx.ledger.add("event_reply_sent", message.customer, now, form=message.content.kind)

    async def _handed_over(
        self, tx: Tx, message: KfHandover, receipt: Receipt, now: datetime
    ) -> None:
        """Mirror who has the session now, and say so by WeCom's code for it."""
        customer, account = message.customer, message.account
        session = await tx.conversations.hold(customer, account)
        to_person = bool(receipt.ref)
        await tx.ledger.add("handed_over", customer, now, to=receipt.ref)
        if session.state in PERSON_STATES:  # somebody was quicker, and may have spoken already
            await self._handing.given(tx, customer, account, session.servicer, now)
            return
        state = PERSON if to_person else POOL
        await tx.conversations.change(customer, account, state=state, servicer=receipt.ref)
        await self._handing.given(tx, customer, account, receipt.ref, now)
        if message.to is not None and not to_person:
            await self._tell_desk(tx, message, now)
        if not receipt.response_code:
            return
        persona, variables = self._content.persona, self._variables(message.to, now)
        if to_person:
            words = coming(persona, variables)
        else:
            words = queued(persona, variables, await tx.tickets.before(customer, account))
        await self._on_code(tx, message, receipt.response_code, words, LONG_CODE, now)

    async def _released(
        self, tx: Tx, message: KfRelease, created_at: datetime, receipt: Receipt, now: datetime
    ) -> None:
        """Mirror that the bot has a session again, and tell the customer while the code lives."""
        customer, account = message.customer, message.account
        session = await tx.conversations.hold(customer, account)
        ticket = await tx.tickets.hold(message.ticket)
        last = session.last_customer_at
        # Who wrote as it ended may have begun the next session: the answer's sending will tell.
        state = NEW if last is not None and last > created_at else ENDED
        await tx.conversations.change(customer, account, state=state, servicer="")
        await tx.ledger.add("given_back", customer, now, how=message.how)
        if ticket is not None and ticket.given_back_at is None:
            await self._handing.close(tx, ticket, message.how, now)
        opens = self._content.closed_until(now, ticket.person if ticket is not None else "")
        if ticket is not None and message.how == "waited" and opens is not None:
            await self._handing.promise(tx, ticket, opens, now)
        if not receipt.response_code or state == NEW:
            return
        bank, persona = self._content.bank, self._content.persona
        person = RmId(ticket.person) if ticket is not None and ticket.person else None
        variables = self._variables(person, now)
        if message.how == "waited":
            words = kept_waiting(persona, opens, now, bank.zone, variables)
        else:
            words = given_back(persona, variables)
        await self._on_code(tx, message, receipt.response_code, words, SHORT_CODE, now)

    def _variables(self, person: RmId | None, now: datetime) -> dict[str, str]:
        bank = self._content.bank
        return variables_for(bank, today=now.astimezone(bank.zone).date(), manager=person)

    async def _on_code(
        self,
        tx: Tx,
        message: KfHandover | KfRelease,
        code: str,
        words: Text | Menu,
        life: timedelta,
        now: datetime,
    ) -> None:
        """Say the one thing that WeCom's code for a session's move allows."""
        customer, account = message.customer, message.account
        reply = KfEventReply(account=account, customer=customer, code=code, content=words)
        terms = Terms(purpose="control", subject=customer, account=account, closes_at=now + life)
        await tx.outbox.put(code_key(code), reply, terms, now, lane=kf_lane(customer))

    async def _tell_desk(self, tx: Tx, message: KfHandover, now: datetime) -> None:
        """Tell the branch's head that a customer waits; the manager has the talk's card."""
        if message.to is None:
            return
        bank = self._content.bank
        member = bank.member(message.to)
        branch = bank.branch(member.branch) if member is not None and member.branch else None
        await tx.ledger.add("waits_in_pool", message.customer, now, wanted=message.to)
        if branch is None or branch.head == message.to:
            return
        customer = await tx.people.customer(message.customer)
        name = customer.name if customer is not None and customer.name else "一位客户"
        text = (
            f"{name} {clock_of(now, bank.zone)} 起在微信客服排队等人："
            f"{member.name if member else '客户经理'}现在没有接待。"
            "请安排同事到企业微信「微信客服」里接一下。"
        )
        terms = Terms(purpose="staff", subject=branch.head, urgent=True)
        key = f"pool:{message.customer}:{now.isoformat()}"
        await tx.outbox.put(key, StaffText(to=(branch.head,), text=text), terms, now)

    async def skipped(self, tx: Tx, envelope: Envelope, reason: str, now: datetime) -> None:
        """Have a question seen to that the gate let nobody answer."""
        if reason in _LOST_TO_THE_CUSTOMER:
            await self._unanswered.see_to(tx, envelope.key, envelope.terms, reason, now)
        match envelope.message:
            case KfHandover(customer=customer, account=account):
                session = await tx.conversations.session(customer, account)
                if session is not None and session.state in PERSON_STATES:
                    await self._handing.given(tx, customer, account, session.servicer, now)
            case KfRelease() as move:
                await self._still_talking(tx, move, reason, now)
            case KfInvite() as invitation:
                await self._inviting.not_sent(tx, invitation, reason, now)
            case _:
                pass

    async def _still_talking(self, tx: Tx, move: KfRelease, reason: str, now: datetime) -> None:
        """Look again later where somebody spoke after all; else the bot has the talk already."""
        ticket = await tx.tickets.hold(move.ticket)
        if ticket is None or ticket.given_back_at is not None:
            return
        if reason == "nobody_has_session":
            await self._handing.close(tx, ticket, "ended", now)
            return
        again = deadline(ticket, self._content.handing_over)
        await tx.tickets.change(ticket.id, due_at=max(again or now, now + _LOOK_AGAIN))

    async def failed(
        self,
        tx: Tx,
        envelope: Envelope,
        reason: str,
        moved: SessionMoved | None,
        now: datetime,
    ) -> None:
        """Mirror what WeCom said of the session; a question that nobody has goes to a person."""
        message = envelope.message
        if isinstance(message, KfInvite):
            await self._inviting.not_sent(tx, message, reason, now)
        if isinstance(message, KfHandover | KfRelease):
            await self._not_moved(tx, message, moved, now)
        if moved is not None and isinstance(message, _OF_A_SESSION):
            customer, account = message.customer, message.account
            await tx.conversations.hold(customer, account)
            await tx.conversations.change(
                customer, account, state=moved.state, servicer=moved.servicer
            )
        if moved is None or moved.state not in PERSON_STATES:
            key, terms = envelope.key, envelope.terms
            lead = await self._unanswered.see_to(tx, key, terms, reason, now)
            await self._handing.not_delivered(tx, key, terms, reason, lead, now)

    async def _not_moved(
        self, tx: Tx, move: KfHandover | KfRelease, moved: SessionMoved | None, now: datetime
    ) -> None:
        """Let a ticket follow a session that WeCom would not move; its lead stays in any case."""
        with_person = moved is not None and moved.state in PERSON_STATES
        if isinstance(move, KfRelease) and with_person:  # WeCom would not: later it may
            await tx.tickets.change(move.ticket, due_at=now + _TRY_AGAIN)
        elif moved is not None and with_person:
            await self._handing.given(tx, move.customer, move.account, moved.servicer, now)
        else:
            how: How = "failed" if isinstance(move, KfHandover) else "ended"
            await self._handing.end(tx, move.customer, move.account, how, now)
