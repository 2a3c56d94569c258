"""What is written of a customer's question: the words, what follows from them, and the answer."""

from __future__ import annotations

from datetime import datetime

from bot.answering.declining import NO_PERSON
from bot.answering.meaning import Trouble
from bot.domain.actions import Action, HandOver, OpenLead
from bot.domain.delivery import Terms
from bot.domain.events import MessageReceived
from bot.domain.knowledge import Answer
from bot.domain.lead import Lead
from bot.domain.lead_rights import BY_OPS
from bot.domain.messages import KfReply, Text
from bot.domain.text import KF_TEXT_BYTES, split_text
from bot.domain.waiting import Batch, answer_key, window_end
from bot.ports import Clock
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.effects import Effects
from bot.workers.handing_over import HandingOver, Talk
from bot.workers.happenings import Happenings
from bot.workers.hearing import cannot_wait
from bot.workers.kf_follow import Following, replied
from bot.workers.kf_scene import Reading, asked_in, occasion_of
from bot.workers.not_helped import MISSED
from bot.workers.noticing import Noticing
from bot.workers.thinking import Thought

_CALLED_OFF = "客户说不用了"


class TalkWriter:
    """Writes a question and its answer inside the transaction that ends the question's events."""

    def __init__(self, content: Content, effects: Effects, clock: Clock) -> None:
        self._content = content
        self._effects = effects
        self._following = Following(content, effects)
        self._happenings = Happenings(content.script)
        self._handing = HandingOver(content)
        self._noticing = Noticing(content, effects)
        self._clock = clock

    async def hear(self, tx: Tx, batch: Batch, said: dict[str, str]) -> None:
        """Write down what the customer said, each message at its moment."""
        every = (*batch.messages, *batch.recalled)
        for message in sorted(every, key=lambda one: one.sent_at):
            text = said[message.msgid]
            await tx.conversations.add_turn(message.customer, "客户", text, message.sent_at)
            await tx.ledger.add("message_in", message.customer, message.sent_at, plane="kf")
        news = [replied(message) for message in batch.messages]
        await self._happenings.tell(tx, news, self._clock.now())

    async def left_to_person(
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
        newest = batch.newest
        await self._effects.desk.waits(tx, newest.customer, newest.msgid, newest.sent_at)
        await self._handing.wrote(tx, batch.newest)
        await self._following.heard_by_person(tx, read, batch, said, now)
        if trouble is not None:
            occasion = occasion_of(batch, said, owner=read.manager)
            await self._effects.carry_out(tx, trouble.flag.actions, occasion, now)

    async def write(
        self, tx: Tx, read: Reading, batch: Batch, thought: Thought, said: dict[str, str]
    ) -> None:
        """Put the answer into the outbox, and whatever follows from the words."""
        newest, answer, now = batch.newest, thought.answer, self._clock.now()
        before = {name for message in batch.messages for name in message.done}
        actions = [action for action in answer.actions if _name(action) not in before]
        called = await self._following.carry_out(tx, read, batch, thought.meant, said, now)
        await self._of_the_promised(tx, read, batch, answer, now)
        occasion = occasion_of(batch, said, owner=read.manager)  # who is named has it, too
        done = await self._effects.carry_out(tx, actions, occasion, now)
        handed_over = bool(called) or any(isinstance(one, HandOver) for one in answer.actions)
        stands = handed_over or thought.meant.follows or thought.ratings
        text = answer.text
        # What an answer that was taken back had opened counts for its successor, too.
        opened = done.leads or any(isinstance(one, OpenLead) for one in answer.actions)
        if not handed_over and not opened:
            more = await self._noticing.in_kf(tx, read, thought, occasion, now)
            text = "\n".join(filter(None, (text, more)))
        terms = Terms(
            purpose="notice" if handed_over else "answer",
            subject=newest.customer,
            account=newest.account,
            asked="" if stands else asked_in(batch, said),
            answers=tuple(message.msgid for message in batch.messages),
            done=tuple({*before, *map(_name, actions)}),
            greets=self._content.persona.identity.first_words in answer.text,
        )
        await _put(tx, newest, text, terms, now)
        await self._record(tx, batch, thought, now, handed_over=handed_over)
        if handed_over:
            leads: list[Lead] = [*called, *done.leads]
            lead = leads[-1] if leads else None
            talk = Talk(newest.customer, newest.account, newest.msgid)
            await self._handing.call(tx, talk, lead, read.manager, now)

    async def _of_the_promised(
        self, tx: Tx, read: Reading, batch: Batch, answer: Answer, now: datetime
    ) -> None:
        """Carry on with a person who was promised: called off, or still waited for."""
        newest = batch.newest
        if answer.reason == NO_PERSON:
            await self._nobody_wanted(tx, batch, now)
        elif read.scene.promised:
            await self._handing.wrote_again(tx, newest.customer, newest.account, now)

    async def _nobody_wanted(self, tx: Tx, batch: Batch, now: datetime) -> None:
        """Call off the person who was promised, with what he had to see to for that."""
        newest = batch.newest
        lead = await self._handing.not_wanted(tx, newest.customer, newest.account, now)
        if lead is not None:
            await self._effects.desk.finish(tx, lead, "closed", _CALLED_OFF, BY_OPS, now)

    async def _record(
        self, tx: Tx, batch: Batch, thought: Thought, now: datetime, *, handed_over: bool
    ) -> None:
        """Write what became of the question; how long it took counts from when it was complete."""
        answer, newest = thought.answer, batch.newest
        await tx.ledger.add(
            f"answer_{answer.kind.value}",
            newest.customer,
            now,
            plane="kf",
            sources=[citation.document_id for citation in answer.citations],
            confidence=round(answer.confidence, 3),
            reason=answer.reason,
            messages=len(batch.messages),
            complete_at=self._complete_at(batch).isoformat(),
        )
        if thought.missed and not handed_over:  # a person who comes begins the count anew
            await tx.ledger.add(MISSED, newest.customer, now, reason=answer.reason)
        for rating in thought.ratings:
            await self._handing.rated(tx, newest.customer, newest.account, rating, now)

    def _complete_at(self, batch: Batch) -> datetime:
        """Return when the question was complete and work on it could begin."""
        if any(cannot_wait(message) for message in batch.messages):
            return batch.last_at
        end = window_end(batch.first_at, batch.last_at, self._content.persona.patience)
        return max(batch.last_at, min(end, self._clock.now()))


async def _put(tx: Tx, newest: MessageReceived, text: str, terms: Terms, now: datetime) -> None:
    """Put an answer's parts into the customer's lane."""
    for number, part in enumerate(split_text(text, KF_TEXT_BYTES), 1):
        reply = KfReply(account=newest.account, customer=newest.customer, content=Text(text=part))
        key = answer_key(newest.msgid, number)
        await tx.outbox.put(key, reply, terms, now, lane=f"kf:{newest.customer}")


def _name(action: Action) -> str:
    return f"{type(action).__name__}:{action}"
