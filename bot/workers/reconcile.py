"""Finds out what became of mass-send tasks in doubt; none is made twice on a guess."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, assert_never

from bot.domain.doubt import (
    LOOK_AROUND,
    LOOK_BEHIND,
    Evidence,
    Found,
    LookAgain,
    MadeTask,
    SendAgain,
    StaysUnknown,
    judge,
    looks_like,
)
from bot.domain.messages import Broadcast, Receipt
from bot.errors import ChannelError, DatabaseFailed
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.doubts import OpenDoubt
from bot.storage.outbox import Envelope
from bot.workers.content import Content
from bot.workers.settle import Settlement

log = logger(__name__)


class Made(Protocol):
    """Where the tasks that were made are asked for."""

    async def between(self, owner: str, start: datetime, end: datetime) -> Sequence[MadeTask]:
        """Return the tasks made in a span, the corp's and the owner's own; raise ``Retryable``."""

    async def is_for(self, msgid: str, owner: str, chat: str) -> bool:
        """Tell whether a task is an owner's and goes to a group; raise ``Retryable``."""


class DoubtWorker:
    """Asks WeCom after messages in doubt until it is known what became of them."""

    watches = ("doubts",)

    def __init__(self, database: Database, made: Made, content: Content, clock: Clock) -> None:
        self._database = database
        self._made = made
        self._clock = clock
        self._settlement = Settlement(content)

    async def step(self) -> int:
        """Look after one batch of doubts; return how many there were."""
        async with self._database.begin() as tx:
            held = await tx.doubts.claim(self._clock.now())
            pairs = [(one, await tx.doubts.message(one)) for one in held]
        for one, envelope in pairs:
            if envelope is None or not isinstance(envelope.message, Broadcast):
                async with self._database.begin() as tx:
                    await tx.doubts.close(one)  # a person has decided meanwhile
                continue
            evidence = await self._look(one, envelope.message)
            try:
                async with self._database.begin() as tx:
                    await self._write(tx, one, envelope, evidence)
            except DatabaseFailed:
                raise
            except Exception:  # one that stumbles does not keep the others from being cleared
                log.exception("doubt_not_written", key=envelope.key)
        return len(held)

    async def _look(self, held: OpenDoubt, message: Broadcast) -> Evidence:
        tried_at = held.doubt.tried_at
        span = (tried_at - LOOK_AROUND, tried_at + LOOK_BEHIND)
        try:
            listed = await self._made.between(message.owner, *span)
            alike = [task.msgid for task in listed if looks_like(task, message)]
            async with self._database.read() as tx:
                ours = await tx.doubts.ours(alike)
            for msgid in alike:
                if msgid not in ours and await self._is_for(msgid, message):
                    return Evidence(found=msgid)
        except ChannelError as error:
            log.warning("doubt_not_cleared", message=held.outbox, reason=str(error))
            return Evidence()
        return Evidence(absent=True)

    async def _is_for(self, msgid: str, message: Broadcast) -> bool:
        """Tell whether a task goes to a group of the message, whatever it is counted for."""
        for chat in message.chats:
            if await self._made.is_for(msgid, message.owner, chat):
                return True
        return False

    async def _write(self, tx: Tx, held: OpenDoubt, envelope: Envelope, evidence: Evidence) -> None:
        now, subject = self._clock.now(), envelope.terms.subject
        verdict = judge(held.doubt, evidence, now)
        log.info("doubt_judged", key=envelope.key, verdict=type(verdict).__name__)
        match verdict:
            case LookAgain(at=at, absent_at=absent_at):
                await tx.doubts.look_again(held, at, absent_at)
            case Found(msgid=msgid):
                if await tx.doubts.close(held) and await tx.doubts.settle(envelope.id, msgid, now):
                    await tx.ledger.add("doubt_cleared", subject, now, found=True)
                    receipt = Receipt(ref=msgid)
                    await self._settlement.sent(tx, envelope, receipt, held.doubt.tried_at)
            case SendAgain():
                if await tx.doubts.close(held, resent=True):
                    await tx.doubts.send_again(envelope.id, now)
                    await tx.ledger.add("doubt_cleared", subject, now, found=False)
            case StaysUnknown():
                if await tx.doubts.close(held):
                    await self._settlement.never_known(tx, envelope, "in_doubt", now)
            case _:
                assert_never(verdict)
