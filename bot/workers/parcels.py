"""What leaves in one call: a message alone, or all that is due of its batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.batches import MOST_IN_A_CALL, merged
from bot.domain.messages import Outbound, Policy
from bot.storage.db import Tx
from bot.storage.outbox import Envelope

_WRITTEN_AT_ONCE = 200  # ends that bring about more than a row each: callbacks wait no longer
# Refusals for the sake of one receiver: a bad id, no friend, a group that is gone.
_FOR_ONE_RECEIVER = frozenset(
    {"wecom_40050", "wecom_40096", "wecom_84061", "wecom_90501", "wecom_90509"}
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """Claimed messages that share one call; all of them fresh, or all in doubt."""

    envelopes: tuple[Envelope, ...]

    @property
    def lead(self) -> Envelope:
        """Return the message whose key, channel and tries stand for all."""
        return self.envelopes[0]

    @property
    def message(self) -> Outbound:
        """Return the one message that reaches all of them."""
        return merged([one.message for one in self.envelopes])

    def parts(self) -> Iterator[tuple[Envelope, ...]]:
        """Give the messages in pieces that one transaction may end."""
        for start in range(0, len(self.envelopes), _WRITTEN_AT_ONCE):
            yield self.envelopes[start : start + _WRITTEN_AT_ONCE]

    def halves(self, reason: str) -> tuple[Sequence[Envelope], ...]:
        """Return two halves to be tried each by itself, where one receiver's fault fails all."""
        if len(self.envelopes) == 1 or reason not in _FOR_ONE_RECEIVER:
            return ()
        middle = len(self.envelopes) // 2
        return self.envelopes[:middle], self.envelopes[middle:]


async def gather(tx: Tx, claimed: Sequence[Envelope], now: datetime) -> list[Parcel]:
    """Put beside each claimed message what else is due of its batch, in the same transaction.

    What was half sent is only ever put beside what was in the same call, to be asked after.
    """
    together: dict[tuple[str, datetime | None], list[Envelope]] = {}
    for one in claimed:
        alone = not one.batch or (one.was_sending and one.policy != Policy.UNKNOWN_ON_CRASH)
        together.setdefault((one.key if alone else one.batch, one.tried_at), []).append(one)
    parcels, room = [], MOST_IN_A_CALL
    for envelopes in together.values():
        lead = envelopes[0]
        if lead.batch and room <= 0 and not lead.was_sending:
            await tx.parcels.put_back(envelopes, now, lead.reason)  # the next claim has room again
            continue
        if lead.batch and room > 0:
            most = min(room, MOST_IN_A_CALL - len(envelopes))
            more = await tx.parcels.join(lead, now, limit=most)
            room -= len(more)
            envelopes += more
        parcels.append(await _of_different_subjects(tx, envelopes, now))
    return parcels


async def _of_different_subjects(tx: Tx, envelopes: Sequence[Envelope], now: datetime) -> Parcel:
    """Keep one message to a subject in a call: by that each is told apart afterwards."""
    first: dict[str, Envelope] = {}
    for one in envelopes:
        first.setdefault(one.terms.subject, one)
    if len(first) < len(envelopes) and not envelopes[0].was_sending:
        kept = {one.id for one in first.values()}
        again = [one for one in envelopes if one.id not in kept]
        await tx.parcels.put_back(again, now, "")
        return Parcel(tuple(first.values()))
    return Parcel(tuple(envelopes))
