"""Carries what may leave to WeCom, and writes down what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from bot.domain.delivery import Send, Skip
from bot.domain.messages import Moment, Receipt
from bot.domain.pace import TOO_MANY_AT_ONCE, TOO_OFTEN, paces_for, quick_pause
from bot.errors import DatabaseFailed, Retryable, SessionMoved, Undeliverable
from bot.log import logger
from bot.ports import Channel, Clock, Preparing
from bot.storage.db import Database, Tx
from bot.storage.outbox import STOPPED, Envelope
from bot.storage.work import MAX_ATTEMPTS, POISON_ATTEMPTS, backoff
from bot.workers.content import Content
from bot.workers.doorkeeper import Doubt, Outcome, Stumble
from bot.workers.gate import is_mute, is_stopped
from bot.workers.parcels import Parcel
from bot.workers.patience import surely
from bot.workers.settle import Settlement

log = logger(__name__)
Follow = Callable[[Tx, Envelope, str, datetime], Awaitable[None]]
"""What a message's end brings about."""

_MUTE = "person_has_session"
_ORDERED = "ordered"  # something was paused, or taken out of use, since it was judged
_LONGEST_SEND_S = 75.0  # token, upload and call; the lease of a claim is well above it


class _Unforeseen(Retryable):
    """Nobody knows how far the call came: it must not be repeated blindly."""

    may_have_arrived = True


class Carrier:
    """Makes the calls, one for each parcel; a slow one keeps nobody else waiting."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        content: Content,
        clock: Clock,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._settlement = Settlement(content)

    async def work(self, parcel: Parcel, outcome: Outcome) -> None:
        """Do what was decided; where its end cannot be written, its lease runs out."""
        lead, count = parcel.lead, len(parcel.envelopes)
        try:
            match outcome:
                case Send():
                    await self._send(parcel)
                case Skip(reason=reason):
                    log.info("message_skipped", key=lead.key, reason=reason, messages=count)
                    await self._end(parcel, "skipped", reason, self._settlement.skipped)
                case Doubt():
                    log.error("send_in_doubt", key=lead.key, messages=count)
                    await self._end(parcel, "unknown", "in_doubt", self._settlement.unknown)
                case Stumble(reason=reason) if lead.attempt >= POISON_ATTEMPTS:
                    await self._end(parcel, "dead", reason, self._settlement.failed)
                case Stumble(reason=reason):
                    await self._put_off(parcel, Retryable(reason))
                case _:
                    assert_never(outcome)
        except DatabaseFailed as error:
            log.warning("end_not_written", key=lead.key, reason=error.reason)
        except Exception as error:
            log.exception("end_not_written", key=lead.key)
            if lead.attempt >= POISON_ATTEMPTS:  # WeCom is asked no more; a person decides
                await self._bury(parcel, type(error).__name__)

    async def _send(self, parcel: Parcel) -> None:
        lead, message = parcel.lead, parcel.message
        channel, called, judged_at = self._channels[lead.channel], False, self._clock.now()
        try:
            async with asyncio.timeout(_LONGEST_SEND_S):
                if isinstance(channel, Preparing):
                    await channel.prepare(message)
                if await self._held_back_by_now(parcel, judged_at):
                    return
                receipt = await self._made_before(parcel)
                if receipt is None:
                    called = True
                    receipt = await channel.send(lead.key, message, repeated=lead.was_sending)
        except DatabaseFailed as error:
            log.warning("send_left", key=lead.key, reason=error.reason)
            left = "database_failed" if called else lead.reason
            await surely(partial(self._give_back, parcel, left, unsure=called))
        except Retryable as error:
            await surely(partial(self._put_off, parcel, error))
        except Undeliverable as error:
            await surely(partial(self._refused, parcel, error))
        except Exception as error:
            log.exception("send_failed", key=lead.key)
            reason = type(error).__name__
            why = _Unforeseen(reason) if called else Retryable(reason)
            await surely(partial(self._put_off, parcel, why))
        else:
            await surely(partial(self._sent, parcel, receipt))

    async def _made_before(self, parcel: Parcel) -> Receipt | None:
        """Return the moment that says the same already: friends see each manager's once."""
        if not isinstance(parcel.lead.message, Moment):
            return None
        async with self._database.read() as tx:
            made = await tx.moments.standing(parcel.lead.batch, self._clock.now())
        return None if made is None else Receipt(ref=made)

    async def _held_back_by_now(self, parcel: Parcel, judged_at: datetime) -> bool:
        """Look once more right before the call: a stop, an order, a person's word count at once."""
        lead, why = parcel.lead, ""
        async with self._database.read() as tx:
            if is_stopped(lead, await tx.switches.stopped()):
                why = STOPPED
            elif await is_mute(tx, lead):
                why = _MUTE
            elif lead.terms.purpose == "step" and await tx.holds.any_since(judged_at):
                why = _ORDERED
        if why:  # the gate says what becomes of it
            await self._give_back(parcel, why, unsure=False)
        return bool(why)

    async def _give_back(self, parcel: Parcel, reason: str, *, unsure: bool) -> None:
        """Let messages be claimed again at once, not only when their lease has run out.

        A try is spent: a number given out twice would let two think the row theirs.
        """
        unsure, now = unsure or parcel.lead.was_sending, self._clock.now()
        async with self._database.begin() as tx:
            held = await tx.parcels.hold(parcel.envelopes, now, reason, unsure=unsure)
            for envelope in () if unsure else held:
                await tx.quota.release(envelope.key)

    async def _sent(self, parcel: Parcel, receipt: Receipt) -> None:
        now = self._clock.now()
        if receipt.skipped:
            await self._end(parcel, "skipped", receipt.skipped, self._settlement.skipped)
            return
        async with self._database.begin() as tx:
            ours = await tx.parcels.settle(parcel.envelopes, "sent", now, ref=receipt.ref)
            if ours:
                await self._settlement.sent_all(tx, ours, receipt, now)

    async def _refused(self, parcel: Parcel, error: Undeliverable) -> None:
        """End what WeCom would not take; where one receiver fails all, try the others without."""
        lead, reason = parcel.lead, error.reason
        log.error("send_refused", key=lead.key, reason=reason, messages=len(parcel.envelopes))
        halves = parcel.halves(reason)
        if not halves:
            moved = error if isinstance(error, SessionMoved) else None
            failed = partial(self._settlement.failed, moved=moved)
            await self._end(parcel, "failed", reason, failed)
            return
        now = self._clock.now()
        async with self._database.begin() as tx:
            for number, half in enumerate(halves):
                batch = f"{lead.batch}{number}"
                await tx.parcels.hold(half, now, reason, unsure=False, batch=batch)

    async def _put_off(self, parcel: Parcel, error: Retryable) -> None:
        """Try again later; an answer that may have arrived is asked after, never blindly sent."""
        lead = parcel.lead
        if lead.attempt >= MAX_ATTEMPTS:
            log.error("send_given_up", key=lead.key, reason=error.reason)
            await self._end(parcel, "dead", error.reason, self._settlement.failed)
            return
        now, reason = self._clock.now(), error.reason
        quick = quick_pause(reason, lead.attempt)
        until = now + (quick or max(backoff(lead.attempt), timedelta(seconds=error.after)))
        # What may have left once may have left for ever, whatever a later try was answered.
        unsure = error.may_have_arrived or lead.was_sending
        log.warning("send_put_off", key=lead.key, reason=reason, unsure=unsure)
        async with self._database.begin() as tx:
            if reason in (TOO_OFTEN, TOO_MANY_AT_ONCE):
                name, pace = next(iter(paces_for(lead.message).items()))  # the API's own
                bucket = (await tx.buckets.hold({name: pace}, now))[name]
                if reason == TOO_OFTEN:
                    until = max(until, bucket.block(now))
                else:
                    bucket.close(until)
                await tx.buckets.save([bucket])
            await tx.parcels.hold(parcel.envelopes, until, reason, unsure=unsure)

    async def _end(self, parcel: Parcel, state: str, reason: str, then: Follow) -> None:
        """Write messages' ends and what follows from each, together or not at all."""
        for part in parcel.parts():
            now = self._clock.now()
            async with self._database.begin() as tx:
                for envelope in await tx.parcels.settle(part, state, now, reason=reason):
                    await then(tx, envelope, reason, now)

    async def _bury(self, parcel: Parcel, reason: str) -> None:
        now, why = self._clock.now(), f"settling: {reason}"
        async with self._database.begin() as tx:
            await tx.parcels.settle(parcel.envelopes, "dead", now, reason=why)
