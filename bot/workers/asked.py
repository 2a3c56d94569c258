"""Drafts that staff ask for in the sidebar: answered as every question is, under the same guard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from bot.answering.answer import Question
from bot.answering.persona import with_defaults
from bot.domain.ask import Ask
from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.knowledge import Answer, AnswerKind
from bot.domain.needs import Needs
from bot.domain.suitability import NOBODY, Asker, asker_of
from bot.domain.variables import variables_for
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.workers.content import Content
from bot.workers.drafting import NAMELESS_GROUP, Place, put_draft
from bot.workers.kf_scene import remembered

_WORTH_SAYING = timedelta(minutes=10)  # nobody looks at the page any more
_TURNS = 6
_DRAFTED = (AnswerKind.APPROVED, AnswerKind.WRITTEN, AnswerKind.RED_FLAG)
_NO_BASIS = "资料里没有能依据的内容。请您自己答；答好的话可以请运营补进问答。"
_ONLY_GREETS = "这句话不用资料来答，您直接跟客户打个招呼就好。"
_NOT_THERE = (
    "这句话不能在这里说：可能带了数字、承诺，或适当性不合。请换个说法，或请客户到网点当面谈。"
)
_TOO_LATE = "没来得及拟好，请再点一次。"


class _Scene(NamedTuple):
    """What was read before thinking."""

    place: Place
    variables: dict[str, str]
    asker: Asker = NOBODY
    history: tuple[str, ...] = ()


class AskWorker:
    """Answers one ask at a time; several side by side, for a model may be slow."""

    watches = ("asks",)
    hands = 4

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock

    async def step(self) -> int:
        """Answer the next ask; return how many there were."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            claimed = await tx.asks.claim(now)
        for ask in claimed:
            await self._answer(ask, now)
        return len(claimed)

    async def _answer(self, ask: Ask, now: datetime) -> None:
        if now - ask.at > _WORTH_SAYING:
            async with self._database.begin() as tx:
                await tx.asks.settle(ask, "none", words=_TOO_LATE)
            return
        async with self._database.read() as tx:
            scene = await self._read(tx, ask, now)
        question = Question(
            text=ask.question,
            plane=scene.place.plane,
            variables=scene.variables,
            asker=scene.asker,
            history=scene.history,
        )
        answer = await self._content.answerer.answer(question, now)
        async with self._database.begin() as tx:
            await self._write(tx, ask, scene, answer, self._clock.now())

    async def _read(self, tx: Tx, ask: Ask, now: datetime) -> _Scene:
        bank = self._content.bank
        group = await tx.people.group(GroupChatId(ask.chat)) if ask.chat else None
        customer = await tx.people.customer(CustomerId(ask.customer)) if ask.customer else None
        name = (customer.name if customer else "") or ("群成员" if group else "客户")
        variables = variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=RmId(group.owner) if group is not None else ask.by,
            branch=group.branch if group is not None else None,
            kf_link=self._content.kf_link,
            customer_name="" if group is not None else name,
        )
        chat = ask.chat or ask.customer
        where = (group.name or NAMELESS_GROUP) if group is not None else ""
        place = Place(chat, ask.by, ask.customer, name, where)
        if group is not None:
            return _Scene(place, variables)
        facts = await tx.subjects.load([ask.customer], "customer", bank, Needs(), now)
        turns = await tx.conversations.last_turns(ask.customer, _TURNS)
        if turns and turns[-1].text == ask.question:
            turns = turns[:-1]
        history = remembered(turns, now, self._content.persona.memory)
        return _Scene(place, with_defaults(variables), asker_of(facts[ask.customer]), history)

    async def _write(self, tx: Tx, ask: Ask, scene: _Scene, answer: Answer, now: datetime) -> None:
        if answer.kind not in _DRAFTED:
            declined = answer.kind is AnswerKind.DECLINED
            if await tx.asks.settle(ask, "none", words=_NO_BASIS if declined else _ONLY_GREETS):
                await tx.ledger.add("ask_declined", scene.place.chat, now, ask=ask.id, by=ask.by)
            return
        draft = await put_draft(
            tx,
            scene.place,
            key=f"ask:{ask.id}",
            question=ask.question,
            words=answer.text,
            sources=tuple(citation.plain for citation in answer.citations),
            variables=scene.variables,
            rules=self._content.snapshot.rules,
            now=now,
            with_card=False,
        )
        if draft is None:
            await tx.asks.settle(ask, "none", words=_NOT_THERE)
        else:
            await tx.asks.settle(ask, "ready", draft=draft.id)
