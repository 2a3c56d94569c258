"""Decides about what is claimed, and takes the places that it will use up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.delivery import LOOK_AGAIN_WHILE_STOPPED, Hold, Send, Skip
from bot.domain.messages import Policy
from bot.log import logger
from bot.storage.db import Tx
from bot.storage.outbox import STOPPED, Envelope
from bot.workers.content import Content
from bot.workers.gate import is_overtaken, is_stopped, look, places_of

log = logger(__name__)
_OWN_ERRORS = (ValueError, TypeError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class Doubt:
    """It was found half sent and must not be repeated."""


@dataclass(frozen=True, slots=True)
class Stumble:
    """Nobody could decide about it: an error of our own."""

    reason: str


Outcome = Send | Skip | Doubt | Stumble


class Doorkeeper:
    """Asks the gate about messages, within the claim's transaction.

    Whoever asks holds the rows of the subjects (``gate.counted``) until that transaction ends.
    """

    def __init__(self, content: Content) -> None:
        self._content = content

    async def decide_all(
        self, tx: Tx, envelopes: Sequence[Envelope], stops: Collection[str], now: datetime
    ) -> list[Outcome | Hold]:
        """Say what to do with claimed messages that are each for somebody else.

        An error about one of them stops none of the others.
        """
        halves = {
            one.id: await self._half_sent(tx, one, stops, now)
            for one in envelopes
            if one.was_sending
        }
        fresh = [one for one in envelopes if not one.was_sending]
        judged = halves | await self._judge(tx, fresh, stops, now)
        return [judged[one.id] for one in envelopes]

    async def _judge(
        self, tx: Tx, fresh: Sequence[Envelope], stops: Collection[str], now: datetime
    ) -> dict[int, Outcome | Hold]:
        """Judge messages that have not begun to leave; one by one where that fails together."""
        if not fresh:
            return {}
        try:
            outlook = await look(tx, fresh, stops, self._content, now)
            return {one.id: outlook.decide(one) for one in fresh}
        except _OWN_ERRORS as error:
            if len(fresh) == 1:
                log.exception("gate_failed", key=fresh[0].key)
                return {fresh[0].id: Stumble(f"gate: {type(error).__name__}")}
        judged: dict[int, Outcome | Hold] = {}
        for one in fresh:
            judged |= await self._judge(tx, [one], stops, now)
        return judged

    async def _half_sent(
        self, tx: Tx, envelope: Envelope, stops: Collection[str], now: datetime
    ) -> Outcome | Hold:
        if envelope.policy == Policy.UNKNOWN_ON_CRASH:
            return Doubt()
        # It may have left already: it is repeated under the same id, not judged again.
        if is_stopped(envelope, stops):
            return Hold(until=now + LOOK_AGAIN_WHILE_STOPPED, reason=STOPPED)
        # Only that a person has the word counts: then it is not said once more on a guess.
        return Doubt() if await is_overtaken(tx, envelope) else Send()

    async def reserve_all(self, tx: Tx, envelopes: Sequence[Envelope], now: datetime) -> None:
        """Take the messages' places among those that their subjects get."""
        rows = await places_of(tx, envelopes, self._content, now)
        if rows:
            await tx.quota.use_many(rows)
