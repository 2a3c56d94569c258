"""A customer's one-to-one talk with 小安 on 微信客服: read, think, write."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.answering.meaning import Trouble
from bot.domain.delivery import PERSON_STATES, Session
from bot.domain.events import MessageReceived
from bot.domain.ids import CustomerId, KfAccountId
from bot.domain.knowledge import AnswerKind
from bot.domain.people import Customer
from bot.domain.sessions import NEW
from bot.domain.waiting import Batch, gather
from bot.errors import BotError, ChannelError
from bot.log import logger
from bot.ports import Clock, Directory
from bot.storage.db import Database, Tx
from bot.storage.inbox import ClaimedEvent
from bot.workers.content import Content
from bot.workers.effects import Effects
from bot.workers.hearing import cannot_wait
from bot.workers.kf_scene import Reader, Reading, said_by
from bot.workers.talk_writing import TalkWriter
from bot.workers.thinking import Thinker, Thought
from bot.workers.voice import Ears

log = logger(__name__)
_KNOWN_FOR = timedelta(days=1)
_ROUNDS = 2  # newer words are joined once; then what was thought of is said
_TRIES = 2  # of a question at which something of our own breaks
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
        self._writer = TalkWriter(content, effects, clock)
        self._ears = ears
        self._thinker = Thinker(content, clock, deaf=ears.deaf)
        self._clock = clock

    async def message(self, claimed: ClaimedEvent, event: MessageReceived) -> None:
        """Work on a question: what is said back, what follows, and the events' end in one go.

        Words that come while it is thought about join it, and it is thought about again. Where
        that fails a second time, a person is called: nobody waits for a bot that is broken.
        """
        try:
            await self._answer(claimed, event)
        except BotError:
            raise  # the world outside: tried again until it is back
        except Exception as error:
            if claimed.attempt < _TRIES:
                raise
            log.exception("talk_failed", key=claimed.key)
            await self._call_for_help(claimed, event, type(error).__name__)

    async def _answer(self, claimed: ClaimedEvent, event: MessageReceived) -> None:
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

    async def _call_for_help(
        self, claimed: ClaimedEvent, event: MessageReceived, error: str
    ) -> None:
        """Give a question to a person that cannot be thought about; its lead tells them so."""
        read = await self._reader.read(claimed, event)
        if read is None:
            return
        thought = self._thinker.broken(read.scene, error) if not read.silent else None
        async with self._database.begin() as tx:
            await self._settled(tx, claimed, read, thought, None, {}, last=True)

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
        await self._writer.hear(tx, batch, said)
        if not batch.messages:
            await tx.ledger.add("recalled_unanswered", customer, self._clock.now())
        elif thought is None or await self._taken_over(tx, claimed, read, session, current):
            await self._writer.left_to_person(tx, read, batch, said, trouble)
        else:
            await self._writer.write(tx, read, batch, thought, said)
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
