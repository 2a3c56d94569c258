"""The sender: the only place from which anything leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from bot.domain.delivery import Hold, Send, Skip
from bot.domain.messages import Receipt
from bot.domain.pace import (
    TOO_MANY_AT_ONCE,
    TOO_OFTEN,
    Bucket,
    Pace,
    paces_for,
    quick_pause,
)
from bot.errors import DatabaseFailed, Retryable, SessionMoved, Undeliverable
from bot.log import logger
from bot.ports import Channel, Clock, Preparing
from bot.storage.db import Database, Tx
from bot.storage.outbox import QUEUED, STOPPED, Envelope
from bot.storage.work import MAX_ATTEMPTS, POISON_ATTEMPTS, backoff
from bot.workers.content import Content
from bot.workers.doorkeeper import Doorkeeper, Doubt, Outcome, Stumble
from bot.workers.gate import is_mute, is_stopped
from bot.workers.loop import Manner, one_by_one, side_by_side
from bot.workers.patience import surely
from bot.workers.settle import Settlement
from bot.workers.slots import Slots

log = logger(__name__)
Follow = Callable[[Tx, Envelope, str, datetime], Awaitable[None]]
"""What a message's end brings about."""

_SLOTS = 24
_KEPT = 8  # for what somebody waits for: slow mass-send tasks never delay an answer
_MUTE = "person_has_session"
_LONGEST_SEND_S = 75.0  # token, upload and call; the lease of a claim is well above it


class _Unforeseen(Retryable):
    """Nobody knows how far the call came: it must not be repeated blindly."""

    may_have_arrived = True


class OutboxWorker:
    """Claims messages, asks the gate, sends, and writes down what became of each.

    Up to 24 calls are under way at once; a slow one holds its own slot and lane only.
    """

    watches = ("outbox",)

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        content: Content,
        clock: Clock,
        *,
        manner: Manner = side_by_side,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._settlement = Settlement(content)
        self._door = Doorkeeper(content)
        self._slots = Slots(_SLOTS, kept=_KEPT, in_turn=manner is one_by_one)

    async def step(self) -> int:
        """Set going what there is room for; return how many messages were looked at."""
        await self._slots.wait_for_room()
        now = self._clock.now()
        async with self._database.begin() as tx:
            stops = await tx.switches.stopped()
            claimed = await self._claim(tx, stops)
            todo = await self._judge(tx, claimed, stops) if claimed else []
            leaving = [envelope for envelope, outcome in todo if isinstance(outcome, Send)]
            await tx.outbox.mark_leaving(leaving, now)
        for envelope, outcome in todo:
            await self._slots.start(self._work(envelope, outcome), urgent=envelope.urgent)
        return len(claimed)

    async def drain(self) -> None:
        """Return once every call that is under way has ended and is written down."""
        await self._slots.drain()

    async def _claim(self, tx: Tx, stops: frozenset[str]) -> list[Envelope]:
        now, room = self._clock.now(), self._slots.room(urgent=True)
        claimed: list[Envelope] = []
        if "kf" in stops:  # people must be able to take over from an answer that is held back
            claimed = await tx.outbox.claim_past_others("kf_handover", now, limit=room)
        elsewhere = self._elsewhere()
        most = room - len(claimed)
        claimed += await tx.outbox.claim(now, limit=most, urgent=True, without=elsewhere)
        others = min(self._slots.room(), room - len(claimed))
        if others > 0:
            claimed += await tx.outbox.claim(now, limit=others, urgent=False, without=elsewhere)
        return claimed

    def _elsewhere(self) -> tuple[str, ...]:
        """Name the channels whose one connection another process holds, or nobody yet."""
        channels = self._channels.items()
        return tuple(name for name, one in channels if not getattr(one, "reachable", True))

    async def _judge(
        self, tx: Tx, claimed: Sequence[Envelope], stops: frozenset[str]
    ) -> list[tuple[Envelope, Outcome]]:
        """Ask the gate and the buckets, in the claim's transaction; return what is to be done."""
        now = self._clock.now()
        paces: dict[str, Pace] = {}
        for envelope in claimed:
            paces |= paces_for(envelope.message)
        # Held from here on, so that several senders never count the same free place twice.
        counted = [f"subject:{one.terms.subject}" for one in claimed if one.terms.quota]
        held = await tx.buckets.hold(paces, now, also=counted)
        todo: list[tuple[Envelope, Outcome]] = []
        for envelope in claimed:
            match await self._door.decide(tx, envelope, stops, now):
                case Send() as send:
                    if await self._may_go(tx, envelope, held):
                        await self._door.reserve(tx, envelope, now)
                        todo.append((envelope, send))
                case Hold(until=until, reason=reason):
                    await tx.outbox.put_back(envelope, until, reason)
                case outcome:
                    todo.append((envelope, outcome))
        await tx.buckets.save(held.values())
        return todo

    async def _may_go(self, tx: Tx, envelope: Envelope, held: Mapping[str, Bucket]) -> bool:
        """Take a token from each of a message's buckets, or put it back until they have one."""
        now = self._clock.now()
        wanted = [held[name] for name in paces_for(envelope.message)]
        queued = envelope.reason == QUEUED
        waits = [one.wait(now, urgent=envelope.urgent, queued=queued) for one in wanted]
        later = [moment for moment in waits if moment is not None]
        if later:
            await tx.outbox.put_back(envelope, max(later), QUEUED)
            return False
        for bucket in wanted:
            bucket.take()
        return True

    async def _work(self, envelope: Envelope, outcome: Outcome) -> None:
        """Do what was decided; where its end cannot be written, its lease runs out."""
        try:
            match outcome:
                case Send():
                    await self._send(envelope)
                case Skip(reason=reason):
                    log.info("message_skipped", key=envelope.key, reason=reason)
                    await self._end(envelope, "skipped", reason, self._settlement.skipped)
                case Doubt():
                    log.error("send_in_doubt", key=envelope.key)
                    await self._end(envelope, "unknown", "in_doubt", self._settlement.unknown)
                case Stumble(reason=reason) if envelope.attempt >= POISON_ATTEMPTS:
                    await self._end(envelope, "dead", reason, self._settlement.failed)
                case Stumble(reason=reason):
                    await self._put_off(envelope, Retryable(reason))
                case _:
                    assert_never(outcome)
        except DatabaseFailed as error:
            log.warning("end_not_written", key=envelope.key, reason=error.reason)
        except Exception as error:
            log.exception("end_not_written", key=envelope.key)
            if envelope.attempt >= POISON_ATTEMPTS:  # WeCom is asked no more; a person decides
                await self._bury(envelope, type(error).__name__)

    async def _send(self, envelope: Envelope) -> None:
        channel, called = self._channels[envelope.channel], False
        try:
            async with asyncio.timeout(_LONGEST_SEND_S):
                if isinstance(channel, Preparing):
                    await channel.prepare(envelope.message)
                if await self._held_back_by_now(envelope):
                    return
                called = True
                receipt = await channel.send(
                    envelope.key, envelope.message, repeated=envelope.was_sending
                )
        except DatabaseFailed as error:
            log.warning("send_left", key=envelope.key, reason=error.reason)
            left = "database_failed" if called else envelope.reason
            await surely(partial(self._give_back, envelope, left, unsure=called))
        except Retryable as error:
            await surely(partial(self._put_off, envelope, error))
        except Undeliverable as error:
            log.error("send_refused", key=envelope.key, reason=error.reason)
            moved = error if isinstance(error, SessionMoved) else None
            failed = partial(self._settlement.failed, moved=moved)
            await surely(partial(self._end, envelope, "failed", error.reason, failed))
        except Exception as error:
            log.exception("send_failed", key=envelope.key)
            reason = type(error).__name__
            why = _Unforeseen(reason) if called else Retryable(reason)
            await surely(partial(self._put_off, envelope, why))
        else:
            await surely(partial(self._sent, envelope, receipt))

    async def _held_back_by_now(self, envelope: Envelope) -> bool:
        """Look once more right before the call: a stop, and a person's word, count at once."""
        async with self._database.read() as tx:
            stopped = is_stopped(envelope, await tx.switches.stopped())
            if not stopped and not await is_mute(tx, envelope):
                return False
        # The gate says what becomes of it.
        await self._give_back(envelope, STOPPED if stopped else _MUTE, unsure=False)
        return True

    async def _give_back(self, envelope: Envelope, reason: str, *, unsure: bool) -> None:
        """Let a message be claimed again at once, not only when its lease has run out.

        A try is spent: a number given out twice would let two think the row theirs.
        """
        unsure, mine = unsure or envelope.was_sending, (envelope.id, envelope.attempt)
        async with self._database.begin() as tx:
            held = await tx.outbox.hold(*mine, self._clock.now(), reason, unsure=unsure)
            if held and not unsure:
                await tx.quota.release(envelope.key)

    async def _sent(self, envelope: Envelope, receipt: Receipt) -> None:
        now = self._clock.now()
        async with self._database.begin() as tx:
            mine = (envelope.id, envelope.attempt)
            if receipt.skipped:
                reason = receipt.skipped
                if await tx.outbox.settle(*mine, "skipped", now, reason=reason):
                    await self._settlement.skipped(tx, envelope, reason, now)
            elif await tx.outbox.settle(*mine, "sent", now, ref=receipt.ref):
                await self._settlement.sent(tx, envelope, receipt, now)

    async def _put_off(self, envelope: Envelope, error: Retryable) -> None:
        """Try again later; an answer that may have arrived is asked after, never blindly sent."""
        if envelope.attempt >= MAX_ATTEMPTS:
            log.error("send_given_up", key=envelope.key, reason=error.reason)
            await self._end(envelope, "dead", error.reason, self._settlement.failed)
            return
        now, reason = self._clock.now(), error.reason
        quick = quick_pause(reason, envelope.attempt)
        until = now + (quick or max(backoff(envelope.attempt), timedelta(seconds=error.after)))
        # What may have left once may have left for ever, whatever a later try was answered.
        unsure = error.may_have_arrived or envelope.was_sending
        log.warning("send_put_off", key=envelope.key, reason=reason, unsure=unsure)
        async with self._database.begin() as tx:
            if reason in (TOO_OFTEN, TOO_MANY_AT_ONCE):
                name, pace = next(iter(paces_for(envelope.message).items()))  # the API's own
                bucket = (await tx.buckets.hold({name: pace}, now))[name]
                if reason == TOO_OFTEN:
                    until = max(until, bucket.block(now))
                else:
                    bucket.close(until)
                await tx.buckets.save([bucket])
            await tx.outbox.hold(envelope.id, envelope.attempt, until, reason, unsure=unsure)

    async def _end(self, envelope: Envelope, state: str, reason: str, then: Follow) -> None:
        """Write a message's end and what follows from it, together or not at all."""
        now = self._clock.now()
        async with self._database.begin() as tx:
            if await tx.outbox.settle(envelope.id, envelope.attempt, state, now, reason=reason):
                await then(tx, envelope, reason, now)

    async def _bury(self, envelope: Envelope, reason: str) -> None:
        async with self._database.begin() as tx:
            mine = (envelope.id, envelope.attempt)
            await tx.outbox.settle(*mine, "dead", self._clock.now(), reason=f"settling: {reason}")
