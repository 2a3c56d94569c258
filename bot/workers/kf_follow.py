"""Carries out what a customer's words mean to scripts, in the transaction of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.domain.actions import HandOver, PlainAction
from bot.domain.events import MessageReceived
from bot.domain.happening import EventKind, Happened
from bot.domain.lead import Lead
from bot.domain.waiting import Batch
from bot.sop.listening import Refusal
from bot.storage.db import Tx
from bot.workers.content import Content
from bot.workers.effects import Effects
from bot.workers.kf_scene import Reading, occasion_of
from bot.workers.kf_words import Meant
from bot.workers.listening import Speaker, count_reply, note_heard

_RECORDED = (PlainAction.RECORD_REFUSAL, PlainAction.WITHDRAW_CONSENT)


class Following:
    """Does what scripts ask for; the words for it are the answer's."""

    def __init__(self, content: Content, effects: Effects) -> None:
        self._content = content
        self._effects = effects

    async def carry_out(
        self,
        tx: Tx,
        read: Reading,
        batch: Batch,
        meant: Meant,
        said: Mapping[str, str],
        now: datetime,
    ) -> list[Lead]:
        """Do all of it; return the leads that ask for a person in this very session."""
        occasion, scene = occasion_of(batch, said, owner=read.manager), read.scene
        refusals = iter(meant.refusals)
        for consent in meant.consents:
            if consent == "restored":
                await self._effects.restore(tx, occasion, now)
            else:
                await self._refuse(tx, read, batch, said, next(refusals), now)
        if meant.agreed is not None:
            agreed = meant.agreed
            await self._effects.consent(tx, scene.asking, occasion, agreed=agreed, now=now)
        called: list[Lead] = []
        for heard in meant.heard:
            occasion = occasion_of(batch, said, heard, read.manager)
            done = await self._effects.carry_out(tx, heard.listen.actions, occasion, now)
            who = _speaker(batch.newest)
            if heard == scene.anything:
                await note_heard(tx, heard, who, anything=True)
            await note_heard(tx, heard, who)
            if any(isinstance(action, HandOver) for action in heard.listen.actions):
                called += done.leads
        for had, line in meant.hoped:
            await count_reply(tx, had, _speaker(batch.newest, line))
        return called

    async def heard_by_person(
        self, tx: Tx, read: Reading, batch: Batch, said: Mapping[str, str], now: datetime
    ) -> None:
        """Let a refusal count that was said to a person; everything else is that person's."""
        scripts = self._content.snapshot.scripts.values()
        for message in batch.messages:
            refusal = read.scene.listening.refuses(message.text, scripts) if message.text else None
            if refusal is not None:
                await self._refuse(tx, read, batch, said, refusal, now)
                return

    async def _refuse(
        self,
        tx: Tx,
        read: Reading,
        batch: Batch,
        said: Mapping[str, str],
        refusal: Refusal,
        now: datetime,
    ) -> None:
        """Record a refusal, and do what the script besides asks for that runs."""
        occasion = occasion_of(batch, said, refused=refusal, owner=read.manager)
        await self._effects.refuse(tx, occasion, now)
        if refusal.run is not None:
            rest = [action for action in refusal.actions if action not in _RECORDED]
            await self._effects.carry_out(tx, rest, occasion, now)


def replied(message: MessageReceived) -> Happened:
    """Return the event that a customer wrote something."""
    return Happened(
        key=f"replied:{message.msgid}",
        kind=EventKind.REPLIED,
        subject=message.customer,
        at=message.sent_at,
        facts={"form": message.form},
    )


def _speaker(message: MessageReceived, line: str = "") -> Speaker:
    return Speaker(message.customer, message.customer, line or message.text, message.sent_at)
