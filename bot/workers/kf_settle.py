"""What follows once a message of a 微信客服 session was sent or refused."""

from __future__ import annotations

from datetime import datetime

from bot.answering.sessions import coming, queued
from bot.domain.delivery import PERSON_STATES, Terms
from bot.domain.messages import KfEventReply, KfHandover, KfReply, Receipt, StaffText
from bot.domain.sessions import PERSON, POOL
from bot.domain.variables import variables_for
from bot.domain.waiting import kf_lane
from bot.errors import SessionMoved
from bot.leads.cards import clock_of
from bot.leads.desk import LeadDesk
from bot.storage.db import Tx
from bot.storage.outbox import Envelope
from bot.workers.content import Content
from bot.workers.effects import Effects
from bot.workers.sessions import LONG_CODE, code_key
from bot.workers.unanswered import Unanswered

_LOST_TO_THE_CUSTOMER = frozenset({"five_messages_used", "reply_window_closed"})


class KfSettlement:
    """Moves sessions on after a message's end."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._unanswered = Unanswered(Effects(LeadDesk(lambda: content.bank), content))

    async def replied(self, tx: Tx, message: KfReply, terms: Terms, now: datetime) -> None:
        """Write that an answer was accepted: one of five is used."""
        await tx.conversations.count_sent(message.customer, message.account)
        if terms.greets:
            await tx.conversations.change(message.customer, message.account, greeted_at=now)
        text = message.content.text if message.content.kind == "text" else ""
        await tx.conversations.add_turn(message.customer, "小安", text, now)
        await tx.ledger.add("reply_sent", message.customer, now, purpose=terms.purpose)

    async def said_on_event(
        self, tx: Tx, message: KfEventReply, terms: Terms, now: datetime
    ) -> None:
        """Write that the one message of a code was accepted."""
        if terms.greets:
            await tx.conversations.change(message.customer, message.account, greeted_at=now)
        await tx.ledger.add("event_reply_sent", message.customer, now, form=message.content.kind)

    async def handed_over(
        self, tx: Tx, message: KfHandover, receipt: Receipt, now: datetime
    ) -> None:
        """Mirror who has the session now, and say so by WeCom's code for it."""
        customer, account = message.customer, message.account
        session = await tx.conversations.hold(customer, account)
        to_person = bool(receipt.ref)
        await tx.ledger.add("handed_over", customer, now, to=receipt.ref)
        if session.state in PERSON_STATES:  # somebody was quicker, and may have spoken already
            return
        state = PERSON if to_person else POOL
        await tx.conversations.change(customer, account, state=state, servicer=receipt.ref)
        if message.to is not None and not to_person:
            await self._tell_desk(tx, message, now)
        if not receipt.response_code:
            return
        bank, persona = self._content.bank, self._content.persona
        variables = variables_for(bank, today=now.astimezone(bank.zone).date(), manager=message.to)
        say = coming if to_person else queued
        words = say(persona, now, bank.zone, variables)
        reply = KfEventReply(
            account=account, customer=customer, code=receipt.response_code, content=words
        )
        terms = Terms(
            purpose="control", subject=customer, account=account, closes_at=now + LONG_CODE
        )
        key = code_key(receipt.response_code)
        await tx.outbox.put(key, reply, terms, now, lane=kf_lane(customer))

    async def _tell_desk(self, tx: Tx, message: KfHandover, now: datetime) -> None:
        """Tell the manager who does not receive, and the branch's head, that a customer waits."""
        if message.to is None:
            return
        bank = self._content.bank
        member = bank.member(message.to)
        branch = bank.branch(member.branch) if member is not None and member.branch else None
        people = tuple(dict.fromkeys([message.to, *([branch.head] if branch else [])]))
        customer = await tx.people.customer(message.customer)
        name = customer.name if customer is not None and customer.name else "一位客户"
        text = (
            f"{name} {clock_of(now, bank.zone)} 起在微信客服排队等人："
            f"{member.name if member else '客户经理'}现在没有接待。"
            "请到企业微信「微信客服」里接一下，或打开接待状态。"
        )
        terms = Terms(purpose="staff", subject=message.to, urgent=True)
        key = f"pool:{message.customer}:{now.isoformat()}"
        await tx.outbox.put(key, StaffText(to=people, text=text), terms, now)
        await tx.ledger.add("waits_in_pool", message.customer, now, wanted=message.to)

    async def skipped(self, tx: Tx, envelope: Envelope, reason: str, now: datetime) -> None:
        """Have a question seen to that the gate let nobody answer."""
        if reason in _LOST_TO_THE_CUSTOMER:
            await self._unanswered.see_to(tx, envelope.key, envelope.terms, reason, now)

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
        if moved is not None and isinstance(message, KfReply | KfEventReply | KfHandover):
            customer, account = message.customer, message.account
            await tx.conversations.hold(customer, account)
            await tx.conversations.change(
                customer, account, state=moved.state, servicer=moved.servicer
            )
        if moved is None or moved.state not in PERSON_STATES:
            await self._unanswered.see_to(tx, envelope.key, envelope.terms, reason, now)
