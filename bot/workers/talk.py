"""A customer's one-to-one talk with 小安 on 微信客服: read, think, write."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from bot.answering.meaning import Trouble
from bot.domain.actions import Action, HandOver
from bot.domain.delivery import PERSON_STATES, Session, Terms
from bot.domain.events import MessageReceived
from bot.domain.ids import CustomerId, KfAccountId, RmId
from bot.domain.knowledge import AnswerKind
from bot.domain.messages import KfHandover, KfReply, Text
from bot.domain.people import Customer
from bot.domain.sessions import NEW
from bot.domain.text import KF_TEXT_BYTES, split_text
from bot.domain.waiting import Batch, answer_key, gather, window_end
from bot.errors import ChannelError
from bot.log import logger
from bot.ports import Clock, Directory
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.content import Content
from bot.workers.effects import Effects
from bot.workers.happenings import Happenings
from bot.workers.hearing import cannot_wait
from bot.workers.kf_follow import Following, replied
from bot.workers.kf_scene import Reader, Reading, asked_in, occasion_of, said_by
from bot.workers.thinking import Thinker, Thought
from bot.workers.voice import Ears

log = logger(__name__)
_KNOWN_FOR = timedelta(days=1)
_ROUNDS = 2  # newer words are joined once; then what was thought of is said
_LOOK_UP_S = 0.5  # of the machine's time: how often a slow model is looked up from


class Talk:
    """Answers a customer, or brings a person."""

    def __init__(
        self,
        database: Database,
        content: Content,
        directory: Directory,
        reader: Reader,
        effects: Effects,
        ears: Ears,
        clock: Clock,
    ) -> None:
        self._database = database
        self._content = content
        self._directory = directory
        self._reader = reader
        self._effects = effects
        self._following = Following(content, effects)
        self._happenings = Happenings(content.script)
        self._ears = ears
        self._thinker = Thinker(content, clock, deaf=ears.deaf)
        self._clock = clock

    async def message(self, claimed: ClaimedEvent, event: MessageReceived) -> None:
        """Work on a question: what is said back, what follows, and the events' end in one go.

        Words that come while it is thought about join it, and it is thought about again.
        """
        await self.meet(event.customer, again_after=_KNOWN_FOR)
        heard: dict[str, str] = {}
        number = 1
        while True:
            read = await self._reader.read(claimed, event)
            if read is None:
                return
            thought = None
            if read.batch.messages and not read.silent:
                thought = await self._think(claimed, read, heard)
                if thought is None:
                    continue
            words = "\n".join(message.text for message in read.batch.messages)
            trouble = await self._content.answerer.trouble(words)
            async with self._database.begin() as tx:
                last = number >= _ROUNDS
                if await self._settled(tx, claimed, read, thought, trouble, heard, last=last):
                    return
            number += 1

    async def _think(
        self, claimed: ClaimedEvent, read: Reading, heard: dict[str, str]
    ) -> Thought | None:
        """Return what is to be said; None where words came that cannot wait for a slow model."""

        async def think() -> Thought:
            await self._ears.listen(read.batch.messages, heard)
            return await self._thinker.think(read.batch.messages, heard, read.scene)

        thinking = asyncio.create_task(think())
        try:
            while True:
                await asyncio.wait({thinking}, timeout=_LOOK_UP_S)
                if thinking.done():
                    return thinking.result()
                if await self._rushed(claimed, read.batch):
                    return None
        finally:
            thinking.cancel()

    async def _rushed(self, claimed: ClaimedEvent, thought_of: Batch) -> bool:
        """Tell whether something was added meanwhile that must be heard at once."""
        async with self._database.read() as tx:
            current = gather(await tx.lanes.rows(claimed.lane, claimed.id), claimed.id)
        if current is None:
            return False
        added = [one for one in current.messages if one not in thought_of.messages]
        return any(cannot_wait(message) for message in added)

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

    async def _settled(
        self,
        tx: Tx,
        claimed: ClaimedEvent,
        read: Reading,
        thought: Thought | None,
        trouble: Trouble | None,
        heard: dict[str, str],
        *,
        last: bool,
    ) -> bool:
        """Write what was thought; False, and nothing written, where newer words change it."""
        customer, account = _whose(claimed)
        session = await tx.conversations.hold(customer, account)
        current = gather(await tx.lanes.rows(claimed.lane, claimed.id), claimed.id)
        if current is None:
            return True
        if thought is not None and self._overtaken(read.batch, current, thought, last=last):
            return False
        if not await tx.inbox.finish_event(claimed):
            return True
        await tx.lanes.finish([row for row in read.batch.rows if row != claimed.id])
        batch = _without(read.batch, current.recalled)
        said = said_by(batch, heard, self._content.snapshot.rules)
        await self._hear(tx, batch, said)
        if not batch.messages:
            await tx.ledger.add("recalled_unanswered", customer, self._clock.now())
        elif thought is None or await self._taken_over(tx, claimed, read, session, current):
            await self._left_to_person(tx, read, batch, said, trouble)
        else:
            await self._write(tx, read, batch, thought, said)
        return True

    def _overtaken(self, thought_of: Batch, now: Batch, thought: Thought, *, last: bool) -> bool:
        """Tell whether to think again: something was added or taken back, and there is time."""
        if thought.answer.kind is AnswerKind.RED_FLAG:
            return False
        patience = self._content.persona.patience
        late = self._clock.now() >= thought_of.first_at + patience.at_most
        return now.messages != thought_of.messages and not (last or late)

    async def _taken_over(
        self, tx: Tx, claimed: ClaimedEvent, read: Reading, session: Session, current: Batch
    ) -> bool:
        """Tell whether a person took the word meanwhile; else mirror what WeCom said of it."""
        if current.left_to_person:
            return True
        same = (session.state, session.servicer) == (read.session.state, read.session.servicer)
        if read.truth is None or not same:
            return session.state in PERSON_STATES
        customer, account = _whose(claimed)
        await tx.conversations.change(customer, account, state=NEW, servicer="")
        return False

    async def _hear(self, tx: Tx, batch: Batch, said: dict[str, str]) -> None:
        """Write down what the customer said, each message at its moment."""
        every = (*batch.messages, *batch.recalled)
        for message in sorted(every, key=lambda one: one.sent_at):
            text = said[message.msgid]
            await tx.conversations.add_turn(message.customer, "客户", text, message.sent_at)
            await tx.ledger.add("message_in", message.customer, message.sent_at, plane="kf")
        news = [replied(message) for message in batch.messages]
        await self._happenings.tell(tx, news, self._clock.now())

    async def _left_to_person(
        self,
        tx: Tx,
        read: Reading,
        batch: Batch,
        said: dict[str, str],
        trouble: Trouble | None,
    ) -> None:
        """Keep silent; but that somebody is being robbed is told even while others have them."""
        now = self._clock.now()
        await tx.ledger.add("left_to_person", batch.newest.customer, now)
        await self._following.heard_by_person(tx, read, batch, said, now)
        if trouble is not None:
            await self._effects.carry_out(tx, trouble.flag.actions, occasion_of(batch, said), now)

    async def _write(
        self, tx: Tx, read: Reading, batch: Batch, thought: Thought, said: dict[str, str]
    ) -> None:
        newest, answer, now = batch.newest, thought.answer, self._clock.now()
        before = {name for message in batch.messages for name in message.done}
        actions = [action for action in answer.actions if _name(action) not in before]
        called = await self._following.carry_out(tx, read, batch, thought.meant, said, now)
        done = await self._effects.carry_out(tx, actions, occasion_of(batch, said), now)
        handed_over = bool(called) or any(isinstance(one, HandOver) for one in answer.actions)
        stands = handed_over or thought.meant.follows or thought.ratings
        terms = Terms(
            purpose="notice" if handed_over else "answer",
            subject=newest.customer,
            account=newest.account,
            asked="" if stands else asked_in(batch, said),
            answers=tuple(message.msgid for message in batch.messages),
            done=tuple({*before, *map(_name, actions)}),
            greets=self._content.persona.identity.first_words in answer.text,
        )
        for number, part in enumerate(split_text(answer.text, KF_TEXT_BYTES), 1):
            reply = KfReply(
                account=newest.account, customer=newest.customer, content=Text(text=part)
            )
            key = answer_key(newest.msgid, number)
            await tx.outbox.put(key, reply, terms, now, lane=f"kf:{newest.customer}")
        await self._record(tx, batch, thought, now)
        if handed_over:
            leads = [*called, *done.leads]
            await self._hand_over(tx, newest, leads[-1].rm if leads else read.manager)

    async def _record(self, tx: Tx, batch: Batch, thought: Thought, now: datetime) -> None:
        """Write what became of the question; how long it took counts from when it was complete."""
        answer, customer = thought.answer, batch.newest.customer
        await tx.ledger.add(
            f"answer_{answer.kind.value}",
            customer,
            now,
            plane="kf",
            sources=[citation.document_id for citation in answer.citations],
            confidence=round(answer.confidence, 3),
            reason=answer.reason,
            messages=len(batch.messages),
            complete_at=self._complete_at(batch).isoformat(),
        )
        for rating in thought.ratings:
            await tx.ledger.add("session_rated", customer, now, rating=rating)

    def _complete_at(self, batch: Batch) -> datetime:
        """Return when the question was complete and work on it could begin."""
        if any(cannot_wait(message) for message in batch.messages):
            return batch.last_at
        end = window_end(batch.first_at, batch.last_at, self._content.persona.patience)
        return max(batch.last_at, min(end, self._clock.now()))

    async def _hand_over(self, tx: Tx, newest: MessageReceived, to: RmId) -> None:
        """Give the session to a person, after the words that say so."""
        hand_over = KfHandover(account=newest.account, customer=newest.customer, to=to)
        terms = Terms(purpose="handover", subject=newest.customer, account=newest.account)
        key, now = f"kf:{newest.msgid}:handover", self._clock.now()
        await tx.outbox.put(key, hand_over, terms, now, lane=f"kf:{newest.customer}")


def _whose(claimed: ClaimedEvent) -> tuple[CustomerId, KfAccountId]:
    event = claimed.event
    if not isinstance(event, MessageReceived):
        raise TypeError(f"no message of a customer: {claimed.key}")
    return event.customer, event.account


def _without(batch: Batch, recalled: tuple[MessageReceived, ...]) -> Batch:
    """Return a question without those of its messages that were taken back by now."""
    gone = {message.msgid for message in recalled}
    left = tuple(message for message in batch.messages if message.msgid not in gone)
    taken = tuple(message for message in batch.messages if message.msgid in gone)
    return batch.model_copy(update={"messages": left, "recalled": (*batch.recalled, *taken)})


def _name(action: Action) -> str:
    return f"{type(action).__name__}:{action}"
