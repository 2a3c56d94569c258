"""A customer's one-to-one talk with 小安 on 微信客服: read, think, write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.answering.answer import Question
from bot.answering.persona import off_hours
from bot.answering.red_flags import red_flag
from bot.domain.actions import HandOver
from bot.domain.compliance import mask
from bot.domain.delivery import PERSON_STATES, Terms
from bot.domain.events import (
    MessageReceived,
    SendFailed,
    SessionChanged,
    SessionEntered,
    StaffSpoke,
)
from bot.domain.ids import CustomerId, RmId
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.lead import Need
from bot.domain.messages import KfEventReply, KfHandover, KfReply, Text
from bot.domain.people import Customer
from bot.domain.render import render
from bot.domain.text import KF_TEXT_BYTES, split_text
from bot.domain.variables import variables_for
from bot.errors import ChannelError
from bot.leads.desk import LeadDesk
from bot.log import logger
from bot.ports import Clock, Directory
from bot.sop.listen import is_refusal, wants_news_again
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.content import Content
from bot.workers.effects import Effects, Occasion

log = logger(__name__)
_GREET_AGAIN = timedelta(days=30)
_KNOWN_FOR = timedelta(days=1)
_CANNOT_SEE = "这个我看不了，我请{经理.称呼}来看，请稍等。"
_REFUSED = "好的，以后不再给您发活动和产品消息，您主动问的事照常答复。想恢复随时说「恢复」。"
RESTORED = "好的，恢复了。有合适的活动和提醒，会再告诉您。"


@dataclass(frozen=True)
class _Scene:
    """What was read before thinking."""

    session_state: int
    first_contact: bool
    history: tuple[str, ...]
    manager: RmId


class Sessions(Protocol):
    """Where the true state of a session is asked for."""

    async def of(self, account: str, customer: str) -> int:
        """Return WeCom's state of a session."""


class Talk:
    """Answers a customer, or brings a person."""

    def __init__(
        self,
        database: Database,
        content: Content,
        directory: Directory,
        sessions: Sessions,
        desk: LeadDesk,
        effects: Effects,
        clock: Clock,
    ) -> None:
        self._database = database
        self._content = content
        self._directory = directory
        self._sessions = sessions
        self._desk = desk
        self._effects = effects
        self._clock = clock

    async def message(self, claimed: ClaimedEvent, event: MessageReceived) -> None:
        """Work on one message: what is said back, what follows, and the event's end in one go."""
        await self.meet(event.customer, again_after=_KNOWN_FOR)
        scene = await self._scene(event)
        answer = None
        if scene.session_state not in PERSON_STATES:
            answer = await self._think(event, scene)
        now = self._clock.now()
        masked = mask(event.text, self._content.snapshot.rules) or f"[{event.form}]"
        async with self._database.begin() as tx:
            if not await tx.inbox.finish_event(claimed):
                return
            await tx.conversations.customer_wrote(
                event.customer, event.account, event.sent_at, with_person=answer is None
            )
            await tx.conversations.add_turn(event.customer, "客户", masked, event.sent_at)
            await tx.ledger.add("message_in", event.customer, event.sent_at, plane="kf")
            if answer is None:
                await tx.ledger.add("left_to_person", event.customer, now)
                return
            await self._write(tx, event, scene, answer, masked, now)

    async def meet(self, customer: CustomerId, *, again_after: timedelta) -> None:
        """Ask WeCom who a customer is, unless that was asked a short while ago."""
        async with self._database.read() as tx:
            known = await tx.people.seen_at(customer)
        now = self._clock.now()
        if known is not None and now - known < again_after:
            return
        try:
            found, seen = await self._directory.customer(customer), now
        except ChannelError as error:
            log.warning("customer_not_read", reason=str(error))
            if known is not None:
                return
            found, seen = Customer(id=customer), now - again_after  # is asked for again next time
        async with self._database.begin() as tx:
            await tx.people.put_customer(found, seen)

    async def _scene(self, event: MessageReceived) -> _Scene:
        async with self._database.read() as tx:
            session = await tx.conversations.session(event.customer, event.account)
            greeted = await tx.conversations.greeted_at(event.customer, event.account)
            turns = await tx.conversations.last_turns(event.customer)
            customer = await tx.people.customer(event.customer)
        state = session.state if session else 0
        if state in PERSON_STATES:
            # The mirror may have missed the end of the session: silence must not last for ever.
            state = await self._sessions.of(event.account, event.customer)
        return _Scene(
            session_state=state,
            first_contact=greeted is None or event.sent_at - greeted > _GREET_AGAIN,
            history=tuple(f"{turn.speaker}:{turn.text}" for turn in turns),
            manager=self._desk.responsible(event.customer, customer, None),
        )

    async def _think(self, event: MessageReceived, scene: _Scene) -> Answer:
        now = self._clock.now()
        variables = self._variables(scene.manager, now)
        if event.form != "text" or not event.text.strip():
            text = render(_CANNOT_SEE, variables)
            snapshot = self._content.snapshot
            late = off_hours(next(iter(snapshot.personas.values())), now, snapshot.bank.zone)
            return Answer(
                kind=AnswerKind.HANDOVER,
                text=f"{text}\n{render(late, variables)}" if late else text,
                actions=(HandOver(need=Need.PERSON),),
                reason=f"cannot_read_{event.form}",
            )
        word = event.text.strip()
        if wants_news_again(word):
            return Answer(kind=AnswerKind.COURTESY, text=RESTORED, reason="restored")
        if red_flag(word) is None and is_refusal(word, self._content.opt_out_words()):
            return Answer(kind=AnswerKind.COURTESY, text=_REFUSED, reason="refused")
        question = Question(
            text=event.text,
            plane="kf",
            variables=variables,
            history=scene.history,
            first_contact=scene.first_contact,
        )
        return await self._content.answerer.answer(question, now)

    def _variables(self, manager: RmId, now: datetime) -> dict[str, str]:
        bank = self._content.bank
        return variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=manager,
            kf_link=self._content.kf_link,
        )

    async def _write(
        self,
        tx: Tx,
        event: MessageReceived,
        scene: _Scene,
        answer: Answer,
        masked: str,
        now: datetime,
    ) -> None:
        await self._consent(tx, event, answer, now)
        occasion = _occasion(event, masked)
        done = await self._effects.carry_out(tx, answer.actions, occasion, now)
        terms = Terms(
            purpose="notice" if done.hand_over else "answer",
            subject=event.customer,
            account=event.account,
        )
        lane = f"kf:{event.customer}"
        for number, part in enumerate(split_text(answer.text, KF_TEXT_BYTES), 1):
            reply = KfReply(account=event.account, customer=event.customer, content=Text(text=part))
            await tx.outbox.put(f"kf:{event.msgid}:answer:{number}", reply, terms, now, lane=lane)
        if scene.first_contact:
            await tx.conversations.change(event.customer, event.account, greeted_at=now)
        await tx.ledger.add(
            f"answer_{answer.kind.value}",
            event.customer,
            now,
            plane="kf",
            sources=[citation.document_id for citation in answer.citations],
            confidence=round(answer.confidence, 3),
            reason=answer.reason,
        )
        if done.hand_over:
            await self._hand_over(tx, event, done.leads[-1].rm if done.leads else scene.manager)

    async def _consent(self, tx: Tx, event: MessageReceived, answer: Answer, now: datetime) -> None:
        """Record that a customer refuses what sells, or takes the refusal back."""
        if answer.reason in ("restored", "refused"):
            refused = answer.reason == "refused"
            await tx.people.opt_out(event.customer, now if refused else None)
            await tx.ledger.add("opted_out" if refused else "opted_in", event.customer, now)

    async def _hand_over(self, tx: Tx, event: MessageReceived, to: RmId) -> None:
        """Give the session to a person, after the words that say so."""
        hand_over = KfHandover(account=event.account, customer=event.customer, to=to)
        control = Terms(purpose="handover", subject=event.customer, account=event.account)
        await tx.outbox.put(
            f"kf:{event.msgid}:handover",
            hand_over,
            control,
            self._clock.now(),
            lane=f"kf:{event.customer}",
        )

    async def entered(self, tx: Tx, event: SessionEntered, now: datetime) -> None:
        """Say who is here, while WeCom's code for it lives (20 s, protocol §4.6)."""
        if not event.welcome_code:
            return
        persona = next(iter(self._content.snapshot.personas.values()))
        hello = f"{persona.speech.address_as}好，{persona.identity.first_words}。"
        text = f"{hello}想问什么，直接打字就行。"
        welcome = KfEventReply(
            account=event.account,
            customer=event.customer,
            code=event.welcome_code,
            content=Text(text=text),
        )
        terms = Terms(
            purpose="control",
            subject=event.customer,
            closes_at=event.at + timedelta(seconds=20),
        )
        await tx.outbox.put(f"kf:{event.welcome_code}", welcome, terms, now)
        await tx.conversations.ensure(event.customer, event.account)

    async def session_changed(self, tx: Tx, event: SessionChanged, now: datetime) -> None:
        """Mirror what people did with the session."""
        await tx.conversations.ensure(event.customer, event.account)
        state = 4 if event.change == "ended" else 3
        servicer = event.servicer or ""
        await tx.conversations.change(event.customer, event.account, state=state, servicer=servicer)
        await tx.ledger.add(f"session_{event.change}", event.customer, now, by=servicer)

    async def staff_spoke(self, tx: Tx, event: StaffSpoke, now: datetime) -> None:
        """Fall silent at once: a person has the word."""
        await tx.conversations.ensure(event.customer, event.account)
        await tx.conversations.change(
            event.customer, event.account, state=3, servicer=event.servicer
        )
        text = mask(event.text, self._content.snapshot.rules) or "[非文字]"
        await tx.conversations.add_turn(event.customer, event.servicer, text, event.at)
        await tx.ledger.add("person_spoke", event.customer, now, by=event.servicer)

    async def send_failed(self, tx: Tx, event: SendFailed, now: datetime) -> None:
        """Settle a message the other way that WeCom had accepted."""
        await tx.outbox.fail_by_ref(event.msgid, f"fail_type_{event.fail_type}", now)
        await tx.ledger.add(
            "reply_failed", event.customer, now, msgid=event.msgid, fail_type=event.fail_type
        )


def _occasion(event: MessageReceived, masked: str) -> Occasion:
    return Occasion(
        key=event.msgid,
        customer=event.customer,
        quote=masked,
        at=event.sent_at,
        source="微信客服",
    )
