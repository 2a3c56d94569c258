"""Answers to questions in a group: drafted once for all who ask, not where a person was quicker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.answering.answer import Question
from bot.answering.group_questions import asks_the_bank
from bot.domain.adoption import answers, same_question
from bot.domain.compliance import mask
from bot.domain.draft import Asker
from bot.domain.events import GroupMessageReceived
from bot.domain.ids import RmId
from bot.domain.knowledge import Answer
from bot.domain.render import UnknownVariable, render
from bot.domain.variables import variables_for
from bot.storage.conversations import Turn
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.drafting import NAMELESS_GROUP, Place, join_draft, put_draft
from bot.workers.group_scene import Scene

_IN_A_ROW = timedelta(seconds=90)  # lines of one person with no longer pause are one thing said
_SHORT = 12  # a longer line says by itself what it is about
_TOGETHER = timedelta(minutes=10)  # the same question of several members within so long is one
_TURNS = 12


class GroupAnswers:
    """Thinks about what is asked in a group, and puts the answer before its owner."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def asks(self, event: GroupMessageReceived, scene: Scene) -> bool:
        """Tell whether a line is a question to the bank, or one with those just before it."""
        staff = {member.name for member in scene.group.members if member.staff}
        staff |= {member.name for member in self._content.bank.staff}
        others = {member.name for member in scene.group.customers if member.id != event.sender}
        return asks_the_bank(event.text, staff=staff, others=others)

    async def think(self, event: GroupMessageReceived, scene: Scene, now: datetime) -> Answer:
        """Look for the answer; a short line is read together with the lines just before it."""
        question = Question(
            text="，".join((*said_before(event, scene.turns), event.text)),
            plane="group",
            variables=self.variables(scene, now),
        )
        return await self._content.answerer.answer(question, now)

    def variables(self, scene: Scene, now: datetime) -> dict[str, str]:
        """Return what the words of a reply in this group may stand for."""
        bank = self._content.bank
        return variables_for(
            bank,
            today=now.astimezone(bank.zone).date(),
            manager=RmId(scene.group.owner),
            branch=scene.group.branch,
            kf_link=self._content.kf_link,
        )

    async def put(
        self, tx: Tx, event: GroupMessageReceived, scene: Scene, answer: Answer, now: datetime
    ) -> None:
        """Draft an answer, unless a person gave one or the owner has it before him already."""
        asked = self.masked(event.text)
        try:
            words = render(answer.text, self.variables(scene, now))
        except UnknownVariable:
            return
        if await self.answered_by_person(tx, event, scene, words):
            await tx.ledger.add("draft_not_needed", event.chat, now, asker=event.sender)
            return
        asker = Asker(id=event.sender, name=scene.asker or "群成员")
        for draft in await tx.drafts.since(event.chat, event.sent_at - _TOGETHER):
            if not same_question(draft, asked, words):
                continue
            if draft.state == "waiting":
                await join_draft(tx, draft, asker, now)
                return
            if draft.state == "dropped":  # the owner has just said that he does not want it
                await tx.ledger.add("draft_not_needed", event.chat, now, asker=event.sender)
                return
        sources = tuple(citation.plain for citation in answer.citations)
        await self.draft(tx, event, scene, words, sources, now)

    async def draft(
        self,
        tx: Tx,
        event: GroupMessageReceived,
        scene: Scene,
        words: str,
        sources: tuple[str, ...],
        now: datetime,
    ) -> None:
        """Put a reply before the owner, who sends it with one tap or not at all."""
        group = scene.group
        name = scene.asker or "群成员"
        await put_draft(
            tx,
            Place(event.chat, RmId(group.owner), event.sender, name, group.name or NAMELESS_GROUP),
            key=f"draft:{event.msgid}",
            question=self.masked(event.text) or f"[{event.form}]",
            words=words,
            sources=sources,
            variables=self.variables(scene, now),
            rules=self._content.snapshot.rules,
            now=now,
        )

    def masked(self, text: str) -> str:
        """Return a text as it is kept."""
        return mask(text, self._content.snapshot.rules)

    async def answered_by_person(
        self, tx: Tx, event: GroupMessageReceived, scene: Scene, words: str = ""
    ) -> bool:
        """Tell whether a person has answered while this was thought about."""
        turns = await tx.conversations.last_turns(event.chat, _TURNS)
        names = {member.id: member.name for member in scene.group.customers}
        return any(
            turn.at >= event.sent_at
            and scene.is_staff(turn.speaker)
            and answers(turn.text, event.text, words, named=_names(turn.text, event, names))
            for turn in turns
        )


def said_before(event: GroupMessageReceived, turns: Sequence[Turn]) -> tuple[str, ...]:
    """Return the speaker's own lines that a short line goes on from, oldest of them first.

    Another person's words end them, and so does a pause.
    """
    if len(event.text) >= _SHORT:
        return ()
    found: list[str] = []
    last = event.sent_at
    for turn in reversed(turns):
        if turn.speaker != event.sender or last - turn.at > _IN_A_ROW or turn.at > event.sent_at:
            break
        found.insert(0, turn.text)
        last = turn.at
    return tuple(found)


def _names(said: str, event: GroupMessageReceived, names: dict[str, str]) -> bool:
    name = names.get(event.sender, "")
    return bool(name) and f"@{name}" in said
