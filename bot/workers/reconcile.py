"""Finds out what became of tasks and moments in doubt; none is made twice on a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from bot.domain.mass_messages import (
    Broadcast,
    CustomerBroadcast,
    Moment,
    Task,
    receivers_of,
)
from bot.domain.messages import Receipt
from bot.errors import ChannelError, DatabaseFailed
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.doubts import OpenDoubt
from bot.storage.outbox import Envelope
from bot.workers.content import Content
from bot.workers.settle import Settlement
from bot.workers.ways_settle import FOUND

log = logger(__name__)


_WRITTEN_AT_ONCE = 200  # verdicts: callbacks wait no longer
_ASKED_AFTER = (Broadcast, CustomerBroadcast, Moment)


class Made(Protocol):
    """Where the tasks and moments that were made are asked for; raises ``ChannelError``."""

    async def between(
        self, message: Task | Moment, start: datetime, end: datetime
    ) -> Sequence[MadeTask]:
        """Return what was made in a span that may be this message."""

    async def receivers(self, made: str, message: Task | Moment) -> frozenset[str]:
        """Return whom a made task of this sender's reaches; of a moment, its sender."""


@dataclass(frozen=True)
class Case:
    """Doubts that one look clears: of messages that would have left in the same call."""

    pairs: tuple[tuple[OpenDoubt, Envelope], ...]

    @property
    def message(self) -> Task | Moment:
        """Return the message whose words and sender all of them share."""
        message = self.pairs[0][1].message
        if not isinstance(message, _ASKED_AFTER):
            raise TypeError(f"nobody can be asked after a {message.kind}")
        return message

    @property
    def batch(self) -> str:
        """Return their batch; one that has none is its own."""
        return self.pairs[0][1].batch


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
        held, cases = await self._claim()
        for case in cases:
            evidence = await self._look(case)
            try:
                await self._write_all(case, evidence)
            except DatabaseFailed:
                raise
            except Exception:  # one that stumbles does not keep the others from being cleared
                log.exception("doubt_not_written", key=case.pairs[0][1].key)
        return held

    async def _claim(self) -> tuple[int, list[Case]]:
        """Take doubts, with each the others of its batch; close those that people decided."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            held = await tx.doubts.claim(now)
            messages = await tx.doubts.messages(held)
            for batch in dict.fromkeys(one.batch for one in messages.values() if one.batch):
                others = await tx.doubts.join(batch, now)
                messages |= await tx.doubts.messages(others)
                held += others
            cases: dict[tuple[str, datetime], list[tuple[OpenDoubt, Envelope]]] = {}
            for one in held:
                message = messages.get(one.id)
                if message is None or not isinstance(message.message, _ASKED_AFTER):
                    await tx.doubts.close(one)
                    continue
                name = message.batch or message.key
                cases.setdefault((name, one.doubt.tried_at), []).append((one, message))
        return len(held), [Case(tuple(pairs)) for pairs in cases.values()]

    async def _look(self, case: Case) -> dict[int, Evidence]:
        """Return what is known of each message that the case is about, by its number."""
        tried_at, message = case.pairs[0][0].doubt.tried_at, case.message
        span = (tried_at - LOOK_AROUND, tried_at + LOOK_BEHIND)
        found: dict[int, Evidence] = {}
        try:
            listed = await self._made.between(message, *span)
            alike = [task.msgid for task in listed if looks_like(task, message)]
            for made in await self._not_known(case, alike):
                for number in await self._reached(case, made):
                    found.setdefault(number, Evidence(found=made))
        except ChannelError as error:
            log.warning("doubt_not_cleared", key=case.pairs[0][1].key, reason=str(error))
            return found
        absent = Evidence(absent=True)
        return {envelope.id: found.get(envelope.id, absent) for _, envelope in case.pairs}

    async def _not_known(self, case: Case, alike: Sequence[str]) -> list[str]:
        """Leave out what other messages have become; one call of this batch may be known."""
        async with self._database.read() as tx:
            refs = [f"{FOUND}{one}" for one in alike] + list(alike)
            others = await tx.parcels.others_of(refs, case.batch)
            made = await tx.moments.batches_of(alike) if isinstance(case.message, Moment) else {}
        unknown = [one for one in alike if not {one, f"{FOUND}{one}"} & others]
        return [one for one in unknown if made.get(one, case.batch) == case.batch]

    async def _reached(self, case: Case, made: str) -> list[int]:
        receivers = await self._made.receivers(made, case.message)
        if isinstance(case.message, Moment):
            return [envelope.id for _, envelope in case.pairs] if receivers else []
        async with self._database.read() as tx:
            told = await tx.waiting.receivers_of(made)
        return [
            envelope.id
            for _, envelope in case.pairs
            if isinstance(envelope.message, Broadcast | CustomerBroadcast)
            and receivers.intersection(receivers_of(envelope.message)) - told
        ]

    async def _write_all(self, case: Case, evidence: Mapping[int, Evidence]) -> None:
        for start in range(0, len(case.pairs), _WRITTEN_AT_ONCE):
            async with self._database.begin() as tx:
                for held, envelope in case.pairs[start : start + _WRITTEN_AT_ONCE]:
                    seen = evidence.get(envelope.id, Evidence())
                    await self._write(tx, held, envelope, seen)

    async def _write(self, tx: Tx, held: OpenDoubt, envelope: Envelope, evidence: Evidence) -> None:
        now, subject = self._clock.now(), envelope.terms.subject
        verdict = judge(held.doubt, evidence, now)
        log.info("doubt_judged", key=envelope.key, verdict=type(verdict).__name__)
        match verdict:
            case LookAgain(at=at, absent_at=absent_at):
                await tx.doubts.look_again(held, at, absent_at)
            case Found(msgid=made):
                ref = f"{FOUND}{made}" if isinstance(envelope.message, Moment) else made
                if await tx.doubts.close(held) and await tx.doubts.settle(envelope.id, ref, now):
                    await tx.ledger.add("doubt_cleared", subject, now, found=True)
                    receipt = Receipt(ref=ref)
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
