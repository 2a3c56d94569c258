"""What happens around the words in a 微信客服 session: it begins, is taken, ends, fails.

Who has the word is mirrored where the news is stored (``bot.workers.hearing``); here it is written
down, and what may be said on each occasion is put into the outbox.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.answering.sessions import coming, goodbye, welcome
from bot.domain.compliance import mask
from bot.domain.delivery import Terms
from bot.domain.events import (
    WITHDRAWN,
    KfNoted,
    MessageRecalled,
    RejectionSwitched,
    SendFailed,
    SessionChanged,
    SessionEntered,
    StaffSpoke,
)
from bot.domain.ids import RmId, digest
from bot.domain.messages import KfEventReply, Menu, Text
from bot.domain.sessions import ENDED, silences
from bot.domain.variables import variables_for
from bot.domain.waiting import kf_lane
from bot.errors import Retryable
from bot.log import logger
from bot.storage.db import Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.content import Content
from bot.workers.handing_over import HandingOver
from bot.workers.unanswered import Unanswered

log = logger(__name__)
SHORT_CODE = timedelta(seconds=20)  # wecom_protocol §4.6: a welcome, a goodbye
LONG_CODE = timedelta(hours=48)
_LOOKS = 3  # WeCom may tell of a failure before our own record of the sending is written

KfEvent = (
    SessionEntered
    | SessionChanged
    | StaffSpoke
    | SendFailed
    | MessageRecalled
    | RejectionSwitched
    | KfNoted
)


class SessionDesk:
    """Writes down what is no message, and says what is owed for it."""

    def __init__(self, content: Content, unanswered: Unanswered) -> None:
        self._content = content
        self._unanswered = unanswered
        self._handing = HandingOver(content)

    async def record(self, tx: Tx, claimed: ClaimedEvent, event: KfEvent, now: datetime) -> None:
        """Work on an event, inside the transaction that ends it."""
        match event:
            case SessionEntered():
                await self._entered(tx, event, now)
            case SessionChanged():
                await self._changed(tx, claimed, event, now)
            case StaffSpoke():
                text = mask(event.text, self._content.snapshot.rules) or "[非文字]"
                await tx.conversations.add_turn(event.customer, event.servicer, text, event.at)
                await tx.ledger.add("person_spoke", event.customer, now, by=event.servicer)
                await self._handing.spoke(tx, event, now)
                desk = self._unanswered.effects.desk
                ticket = await tx.tickets.newest(event.customer, event.account)
                if ticket is not None and ticket.lead is not None:
                    await desk.served(tx, ticket.lead, event.servicer, now)
                await desk.spoke(tx, event.customer, event.servicer, event.at)
            case SendFailed():
                await self._send_failed(tx, claimed, event, now)
            case MessageRecalled():
                await tx.ledger.add("message_recalled", event.customer, now)
            case RejectionSwitched():
                kind = "customer_rejected" if event.on else "customer_readmitted"
                await tx.ledger.add(kind, event.customer, now, by=event.servicer)
            case KfNoted():
                await self._noted(tx, event, now)

    async def _entered(self, tx: Tx, event: SessionEntered, now: datetime) -> None:
        """Say who is here, while WeCom's code for it lives."""
        await tx.ledger.add("session_entered", event.customer, now, scene=event.scene)
        if event.welcome_code:
            reply = _on_code(event, event.welcome_code, welcome(self._content.persona))
            closes_at = event.at + SHORT_CODE
            terms = Terms(
                purpose="control", subject=event.customer, closes_at=closes_at, greets=True
            )
            await tx.outbox.put(code_key(event.welcome_code), reply, terms, now)

    async def _changed(
        self, tx: Tx, claimed: ClaimedEvent, event: SessionChanged, now: datetime
    ) -> None:
        """Say who has come, or goodbye; not where somebody has the word by now."""
        by = event.servicer or ""
        await tx.ledger.add(f"session_{event.change}", event.customer, now, by=by)
        if event.change == "ended":
            await self._handing.end(tx, event.customer, event.account, "ended", now)
        else:
            await self._handing.taken(tx, event, now)
        if not event.code:
            return
        bank, persona = self._content.bank, self._content.persona
        variables = variables_for(
            bank, today=now.astimezone(bank.zone).date(), manager=RmId(by) if by else None
        )
        words: Text | Menu
        if event.change == "ended":
            session = await tx.conversations.session(event.customer, event.account)
            if session is None or session.state != ENDED:
                return  # the customer wrote again: the code is void
            words, life = goodbye(persona, variables), SHORT_CODE
        else:
            after = await tx.lanes.rows(claimed.lane, claimed.id + 1)
            if any(row.event is not None and silences(row.event) for row in after):
                return
            words, life = coming(persona, variables), LONG_CODE
        reply = _on_code(event, event.code, words)
        terms = Terms(
            purpose="control",
            subject=event.customer,
            account=event.account,
            closes_at=event.at + life,
        )
        lane = kf_lane(event.customer)
        await tx.outbox.put(code_key(event.code), reply, terms, now, lane=lane)

    async def _send_failed(
        self, tx: Tx, claimed: ClaimedEvent, event: SendFailed, now: datetime
    ) -> None:
        """Settle a message the other way that WeCom had accepted, and have its question seen to."""
        reason = f"fail_type_{event.fail_type}"
        left = await tx.unsent.came_back(event.msgid, reason, now)
        if left is None and claimed.attempt < _LOOKS:
            raise Retryable("sending_not_written_yet", after=1)
        await tx.ledger.add(
            "reply_failed", event.customer, now, msgid=event.msgid, fail_type=event.fail_type
        )
        if left is not None:
            lead = await self._unanswered.see_to(tx, left.key, left.terms, reason, now)
            await self._handing.not_delivered(tx, left.key, left.terms, reason, lead, now)

    async def _noted(self, tx: Tx, event: KfNoted, now: datetime) -> None:
        facts = {"what": event.what, "account": event.account, **event.facts}
        await tx.ledger.add("kf_noted", event.customer or event.account, now, **facts)
        if event.what == WITHDRAWN:
            log.error("kf_account_withdrawn", account=event.account)


def code_key(code: str) -> str:
    """Return the outbox key of the one message that a code of WeCom's allows."""
    return f"kf:code:{digest(code)}"


def _on_code(event: SessionEntered | SessionChanged, code: str, words: Text | Menu) -> KfEventReply:
    return KfEventReply(account=event.account, customer=event.customer, code=code, content=words)
