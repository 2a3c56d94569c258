"""How often an API may be read, by all processes: tokens are taken from a row in blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.pace import RESERVE, TOO_OFTEN, Pace
from bot.errors import DatabaseFailed, Retryable
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database

log = logger(__name__)
# Below 10,000 a minute and 150,000 an hour for each API of a corp (wecom_protocol §1.2) at any
# time: 4,000 + 60 × 40 and 4,000 + 3,600 × 40.
_PACE = Pace(burst=4_000, per_second=40)
_BLOCK = 100  # tokens taken in one go: one write serves so many calls
_GOOD_FOR = timedelta(seconds=10)  # and so soon a process hears that another was refused
_NO_ROOM = "rate"
# Without these a customer's question is not heard or not answered: they may use the reserve.
_FOR_ANSWERS = frozenset(
    {
        *("kf/sync_msg", "kf/service_state/get", "kf/customer/batchget"),
        *("media/get", "media/upload", "externalcontact/get"),
    }
)


@dataclass(slots=True)
class _Block:
    left: float
    until: datetime
    blocked_until: datetime | None = None

    @property
    def is_used_up(self) -> bool:
        return self.left < 1 and self.blocked_until is None


class SharedRates:
    """A bucket for each API, a row that every process takes blocks of tokens from.

    ``elsewhere`` are APIs whose calls are counted by another hand: those of the outbox.
    """

    def __init__(
        self, database: Database, clock: Clock, elsewhere: Collection[str] = frozenset()
    ) -> None:
        self._database = database
        self._clock = clock
        self._elsewhere = frozenset(elsewhere)
        self._blocks: dict[str, _Block] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def take(self, api: str) -> None:
        """Count a call; raise ``Retryable`` where there is no room for it, or the API rests."""
        if api in self._elsewhere:
            return
        async with self._locks.setdefault(api, asyncio.Lock()):
            now = self._clock.now()
            block = self._blocks.get(api)
            if block is None or now >= block.until or block.is_used_up:
                block = self._blocks[api] = await self._lease(api, now)
            if block.blocked_until is not None and now < block.blocked_until:
                raise Retryable(TOO_OFTEN, (block.blocked_until - now).total_seconds())
            if block.left < 1:
                raise Retryable(_NO_ROOM, 1.0)
            block.left -= 1

    async def refused(self, api: str) -> None:
        """Rest an API that WeCom refused for being called too often (45009), in all processes."""
        if api in self._elsewhere:
            return
        now = self._clock.now()
        try:
            async with self._database.begin() as tx:
                held = await tx.buckets.hold({_row(api): _PACE}, now)
                bucket = held[_row(api)]
                until = bucket.block(now)
                await tx.buckets.save([bucket])
        except DatabaseFailed:
            return  # it will be refused again, and told then
        log.error("api_rests", api=api, until=until.isoformat())
        self._blocks[api] = _Block(0, until, until)

    async def _lease(self, api: str, now: datetime) -> _Block:
        kept = 0.0 if api in _FOR_ANSWERS else _PACE.burst * RESERVE
        try:
            async with self._database.begin() as tx:
                held = await tx.buckets.hold({_row(api): _PACE}, now)
                bucket = held[_row(api)]
                closed = bucket.blocked_until
                if closed is not None and closed > now:
                    return _Block(0, min(closed, now + _GOOD_FOR), closed)
                room = max(0.0, min(_BLOCK, bucket.tokens - kept))
                bucket.tokens -= room
                await tx.buckets.save([bucket])
        except DatabaseFailed as error:
            raise Retryable(str(error)) from None  # nothing was sent
        return _Block(room, now + _GOOD_FOR)


def _row(api: str) -> str:
    return f"read:{api}"
