"""The sender: the only place from which anything leaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bot.domain.delivery import Hold, Send, Skip, decide
from bot.domain.messages import Policy
from bot.errors import Retryable, Undeliverable
from bot.log import logger
from bot.ports import Channel, Clock
from bot.storage.db import Database, Tx
from bot.storage.outbox import Envelope
from bot.storage.work import MAX_ATTEMPTS, backoff
from bot.workers.content import Content
from bot.workers.gate import facts_for
from bot.workers.loop import Manner, side_by_side
from bot.workers.settle import Settlement

log = logger(__name__)
_AT_ONCE = 10
_RATE_LIMITED = "wecom_45009"


class _Unforeseen(Retryable):
    """Nobody knows how far the call came: it must not be repeated blindly."""

    may_have_arrived = True


class OutboxWorker:
    """Claims messages, asks the gate, sends, and writes down what became of each."""

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
        self._content = content
        self._clock = clock
        self._manner = manner
        self._settlement = Settlement(content)

    async def step(self) -> int:
        """Send one batch; return how many messages it held."""
        async with self._database.begin() as tx:
            claimed = await tx.outbox.claim(self._clock.now(), limit=_AT_ONCE)
            sending = [envelope for envelope in claimed if await self._may_leave(tx, envelope)]
        await self._manner(self._send(envelope) for envelope in sending)
        return len(claimed)

    async def _may_leave(self, tx: Tx, envelope: Envelope) -> bool:
        """Ask the gate; a row found half sent whose call must not be repeated is in doubt."""
        now = self._clock.now()
        if envelope.was_sending and envelope.policy == Policy.UNKNOWN_ON_CRASH:
            log.error("send_in_doubt", key=envelope.key)
            await tx.outbox.settle(envelope.id, envelope.attempt, "unknown", now, reason="in_doubt")
            await self._settlement.unknown(tx, envelope, now)
            return False
        if envelope.was_sending:
            return True  # it may have left already: it is repeated under the same id, not judged
        facts, limits = await facts_for(tx, envelope.key, envelope.terms, self._content, now)
        decision = decide(envelope.terms, facts, limits, self._content.bank.zone, now)
        match decision:
            case Send():
                await self._reserve(tx, envelope)
                return True
            case Hold(until=until, reason=reason):
                await tx.outbox.put_back(envelope.id, envelope.attempt, until, reason)
            case Skip(reason=reason):
                log.info("message_skipped", key=envelope.key, reason=reason)
                await tx.outbox.settle(envelope.id, envelope.attempt, "skipped", now, reason=reason)
                await self._settlement.skipped(tx, envelope, reason, now)
        return False

    async def _reserve(self, tx: Tx, envelope: Envelope) -> None:
        terms, now = envelope.terms, self._clock.now()
        if terms.quota:
            await tx.quota.reserve(terms.subject, "broadcast", envelope.key, now)
        if terms.quota and terms.product:
            await tx.quota.reserve(terms.subject, "product", envelope.key, now)

    async def _send(self, envelope: Envelope) -> None:
        channel = self._channels[envelope.channel]
        try:
            receipt = await channel.send(
                envelope.key, envelope.message, repeated=envelope.was_sending
            )
        except Retryable as error:
            await self._put_off(envelope, error)
            return
        except Undeliverable as error:
            await self._give_up(envelope, error.reason)
            return
        except Exception as error:
            log.exception("send_failed", key=envelope.key)
            await self._put_off(envelope, _Unforeseen(type(error).__name__))
            return
        now = self._clock.now()
        async with self._database.begin() as tx:
            mine = await tx.outbox.settle(
                envelope.id, envelope.attempt, "sent", now, ref=receipt.ref
            )
            if mine:
                await self._settlement.sent(tx, envelope, receipt, now)

    async def _put_off(self, envelope: Envelope, error: Retryable) -> None:
        """Try again later; an answer that may have arrived is asked after, never blindly sent."""
        if envelope.attempt >= MAX_ATTEMPTS:
            await self._give_up(envelope, error.reason)
            return
        now = self._clock.now()
        pause = max(backoff(envelope.attempt), timedelta(seconds=error.after))
        unsure = error.may_have_arrived
        log.warning("send_put_off", key=envelope.key, reason=error.reason, unsure=unsure)
        async with self._database.begin() as tx:
            if error.reason == _RATE_LIMITED:
                await tx.outbox.block(envelope.message.kind, now + pause, now)
            await tx.outbox.hold(
                envelope.id, envelope.attempt, now + pause, error.reason, unsure=unsure
            )

    async def _give_up(self, envelope: Envelope, reason: str) -> None:
        log.error("send_given_up", key=envelope.key, reason=reason)
        now = self._clock.now()
        async with self._database.begin() as tx:
            if await tx.outbox.settle(envelope.id, envelope.attempt, "failed", now, reason=reason):
                await self._settlement.failed(tx, envelope, reason, now)
