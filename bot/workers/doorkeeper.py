"""Decides about what is claimed, and takes the places that it will use up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from bot.domain.delivery import LOOK_AGAIN_WHILE_STOPPED, Hold, Send, Skip, decide
from bot.domain.messages import Policy
from bot.log import logger
from bot.storage.db import Tx
from bot.storage.outbox import STOPPED, Envelope
from bot.workers.content import Content
from bot.workers.gate import facts_for, is_overtaken, is_stopped

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Doubt:
    """It was found half sent and must not be repeated."""


@dataclass(frozen=True, slots=True)
class Stumble:
    """Nobody could decide about it: an error of our own."""

    reason: str


Outcome = Send | Skip | Doubt | Stumble


class Doorkeeper:
    """Asks the gate about one message after another, within the claim's transaction."""

    def __init__(self, content: Content) -> None:
        self._content = content

    async def decide(
        self, tx: Tx, envelope: Envelope, stops: Collection[str], now: datetime
    ) -> Outcome | Hold:
        """Say what to do with a claimed message; an error of its own stops none of the others."""
        if envelope.was_sending and envelope.policy == Policy.UNKNOWN_ON_CRASH:
            return Doubt()
        if envelope.was_sending:
            # It may have left already: it is repeated under the same id, not judged again.
            if is_stopped(envelope, stops):
                return Hold(until=now + LOOK_AGAIN_WHILE_STOPPED, reason=STOPPED)
            # Only that a person has the word counts: then it is not said once more on a guess.
            return Doubt() if await is_overtaken(tx, envelope) else Send()
        try:
            facts, limits = await facts_for(tx, envelope, stops, self._content, now)
            return decide(envelope.terms, facts, limits, self._content.bank.zone, now)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            log.exception("gate_failed", key=envelope.key)
            return Stumble(f"gate: {type(error).__name__}")

    async def reserve(self, tx: Tx, envelope: Envelope, now: datetime) -> None:
        """Take the message's place among those its group gets."""
        terms = envelope.terms
        if envelope.was_sending or not terms.quota:
            return
        await tx.quota.reserve(terms.subject, "broadcast", envelope.key, now)
        if terms.product:
            await tx.quota.reserve(terms.subject, "product", envelope.key, now)
