"""The sender: the only place from which anything leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.delivery import Hold, Send
from bot.domain.merging import calm, member_of
from bot.domain.messages import Moment
from bot.domain.pace import Bucket, Pace, paces_for
from bot.ports import Channel, Clock
from bot.storage.db import Database, Tx
from bot.storage.outbox import QUEUED, Envelope
from bot.workers.carrier import Carrier
from bot.workers.content import Content
from bot.workers.doorkeeper import Doorkeeper, Outcome
from bot.workers.gate import counted
from bot.workers.loop import Manner, one_by_one, side_by_side
from bot.workers.merging import Merging
from bot.workers.parcels import Parcel, gather
from bot.workers.slots import Slots

_SLOTS = 24
_LOOK_AGAIN = timedelta(seconds=5)
_KEPT = 8  # for what somebody waits for: slow mass-send tasks never delay an answer


class OutboxWorker:
    """Claims messages, asks the gate, sends, and writes down what became of each.

    Up to 24 calls are under way at once; a slow one holds its own slot and lane only. What a
    member of staff would get beyond ``a_minute`` messages is put together.
    """

    watches = ("outbox",)

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        content: Content,
        clock: Clock,
        *,
        a_minute: int = 6,
        manner: Manner = side_by_side,
    ) -> None:
        self._a_minute = a_minute
        self._merging = Merging()
        self._database = database
        self._channels = channels
        self._clock = clock
        self._carrier = Carrier(database, channels, content, clock)
        self._door = Doorkeeper(content)
        self._slots = Slots(_SLOTS, kept=_KEPT, in_turn=manner is one_by_one)

    async def step(self) -> int:
        """Set going what there is room for; return how many messages were claimed.

        With them goes what else is due of their batches, in the same transaction and call.
        """
        await self._slots.wait_for_room()
        now = self._clock.now()
        async with self._database.begin() as tx:
            stops = await tx.switches.stopped()
            claimed = await self._claim(tx, stops)
            parcels = await gather(tx, claimed, now)
            todo = await self._judge(tx, parcels, stops) if parcels else []
            for parcel, outcome in todo:
                if isinstance(outcome, Send):
                    await tx.parcels.mark_leaving(parcel.envelopes, now)
        for parcel, outcome in todo:
            await self._slots.start(self._carrier.work(parcel, outcome), urgent=parcel.lead.urgent)
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
        self, tx: Tx, parcels: Sequence[Parcel], stops: frozenset[str]
    ) -> list[tuple[Parcel, Outcome]]:
        """Ask the gate and the buckets, in the claim's transaction; return what is to be done."""
        now = self._clock.now()
        paces: dict[str, Pace] = {}
        for parcel in parcels:
            paces |= self._paces(parcel.lead)
        # Held from here on, so that several senders never count the same free place twice.
        every = [one for parcel in parcels for one in parcel.envelopes]
        held = await tx.buckets.hold(paces, now, also=counted(every))
        todo: list[tuple[Parcel, Outcome]] = []
        for parcel in parcels:
            for outcome, envelopes in (await self._decided(tx, parcel, stops, now)).items():
                match outcome:
                    case Send():
                        if await self._is_being_made(tx, envelopes):
                            await self._put_back(tx, envelopes, now + _LOOK_AGAIN, QUEUED)
                        elif await self._may_go(tx, envelopes, held):
                            await self._door.reserve_all(tx, envelopes, now)
                            todo.append((Parcel(tuple(envelopes)), outcome))
                    case Hold(until=until, reason=reason):
                        await self._put_back(tx, envelopes, until, reason)
                    case _:
                        todo.append((Parcel(tuple(envelopes)), outcome))
        await tx.buckets.save(held.values())
        return todo

    async def _is_being_made(self, tx: Tx, envelopes: Sequence[Envelope]) -> bool:
        """Tell whether the same moment is on its way: friends see each manager's once.

        The bucket of moments is held by now, so that of two senders one finds the other's.
        """
        if not isinstance(envelopes[0].message, Moment):
            return False
        return await tx.parcels.under_way(envelopes)

    async def _decided(
        self, tx: Tx, parcel: Parcel, stops: frozenset[str], now: datetime
    ) -> dict[Outcome | Hold, list[Envelope]]:
        """Return a parcel's messages by what the gate says of each."""
        outcomes = await self._door.decide_all(tx, parcel.envelopes, stops, now)
        sorted_: dict[Outcome | Hold, list[Envelope]] = {}
        for envelope, outcome in zip(parcel.envelopes, outcomes, strict=True):
            sorted_.setdefault(outcome, []).append(envelope)
        return sorted_

    async def _may_go(
        self, tx: Tx, envelopes: Sequence[Envelope], held: Mapping[str, Bucket]
    ) -> bool:
        """Take a token from each of a call's buckets, or put it back until they have one."""
        now, lead = self._clock.now(), envelopes[0]
        wanted = [held[name] for name in self._paces(lead)]
        queued = lead.reason == QUEUED
        waits = [one.wait(now, urgent=lead.urgent, queued=queued) for one in wanted]
        later = [moment for moment in waits if moment is not None]
        if later:
            await self._put_back(tx, envelopes, max(later), QUEUED)
            return False
        calmed = [held[name] for name in calm(_member(lead), self._a_minute)]
        full = any(one.was_full_for(lead.created_at) for one in calmed)
        if full and await self._merging.fold(tx, lead, now):
            for one in calmed:
                one.nobody_waits(now)
            return False
        return _taken(wanted)

    def _paces(self, envelope: Envelope) -> dict[str, Pace]:
        """Return the buckets that a message takes a token from."""
        return paces_for(envelope.message) | calm(_member(envelope), self._a_minute)

    async def _put_back(
        self, tx: Tx, envelopes: Sequence[Envelope], until: datetime, reason: str
    ) -> None:
        await tx.parcels.put_back([e for e in envelopes if not e.was_sending], until, reason)
        for half_sent in (e for e in envelopes if e.was_sending):
            await tx.outbox.put_back(half_sent, until, reason)


def _member(envelope: Envelope) -> str:
    return member_of(envelope.message, envelope.terms)


def _taken(buckets: Sequence[Bucket]) -> bool:
    """Take a token from each."""
    for bucket in buckets:
        bucket.take()
    return True
