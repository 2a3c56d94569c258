"""Reads back what people sent themselves: their mass messages take the same places as the bot's.

A list is read day by day and a message owner by owner, each with a checkpoint: who stops in the
middle goes on there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

from bot.domain.hand_sends import (
    A_DAY,
    LOOK_BACK,
    OVERLAP,
    STALE,
    Listed,
    key_of,
    look_at,
    next_look,
    next_reading,
    sent_in,
)
from bot.errors import ChannelError, Retryable
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database, Tx
from bot.storage.quota import QuotaRow
from bot.storage.readbacks import Readback
from bot.workers.content import Content
from bot.workers.tasks import Results

log = logger(__name__)
_OWNERS_A_STEP = 10
_PAUSE = timedelta(seconds=5)  # after so many calls
_REST = timedelta(minutes=5)


class Sends(Protocol):
    """Where the mass messages of the bank are asked for."""

    async def listed(
        self, chat_type: Literal["group", "single"], start: datetime, end: datetime
    ) -> Sequence[Listed]:
        """Return the messages made in a span."""

    async def owners(self, msgid: str) -> Mapping[str, bool]:
        """Return who has a part of a message, and whether they sent it."""


class ReadbackWorker:
    """Reads one list, or one message, at a time."""

    watches = ("readbacks",)

    def __init__(
        self, database: Database, sends: Sends, results: Results, content: Content, clock: Clock
    ) -> None:
        self._database = database
        self._sends = sends
        self._results = results
        self._content = content
        self._clock = clock

    async def step(self) -> int:
        """Read what is due; return 1 where anything was."""
        async with self._database.begin() as tx:
            readback = await tx.readbacks.claim(self._clock.now())
        if readback is None:
            return 0
        try:
            await (self._list(readback) if readback.is_list else self._message(readback))
        except ChannelError as error:
            await self._put_off(readback, error)
        return 1

    async def _list(self, readback: Readback) -> None:
        now = self._clock.now()
        start = max(readback.made_at - OVERLAP, now - LOOK_BACK)
        end = min(start + A_DAY, now)
        found = await self._sends.listed(readback.chat_type, start, end)
        again = now if end < now else next_reading(now, self._content.bank.zone)
        async with self._database.begin() as tx:
            ours = await tx.readbacks.ours([one.msgid for one in found])
            others = [
                (one.msgid, one.made_at, look_at(one, now))
                for one in found
                if one.msgid not in ours
            ]
            await tx.readbacks.list_read(readback, others, end, again)

    async def _message(self, readback: Readback) -> None:
        """Read the next few owners' parts of a message."""
        async with self._database.read() as tx:
            ours = await tx.readbacks.ours([readback.id])
        if ours:  # its answer had not come when the list was read
            await self._on(readback, readback.cursor, None)
            return
        owners = await self._sends.owners(readback.id)
        sent = sorted(owner for owner, done in owners.items() if done)
        coming = [owner for owner in sent if owner > readback.cursor][:_OWNERS_A_STEP]
        reached: dict[str, datetime] = {}
        for owner in coming:
            answers = await self._results.all(readback.id, owner)
            reached |= sent_in(answers, readback.made_at)
        await self._keep(readback, reached, owners, coming)

    async def _keep(
        self,
        readback: Readback,
        reached: Mapping[str, datetime],
        owners: Mapping[str, bool],
        coming: Sequence[str],
    ) -> None:
        """Write whom a message reached, and when to go on with it."""
        now, cursor = self._clock.now(), coming[-1] if coming else readback.cursor
        due_at: datetime | None = None
        if any(owner > cursor for owner, done in owners.items() if done):
            due_at = now + _PAUSE
        elif not owners or not all(owners.values()):
            # Who has not sent yet may do so; the list begins anew, places are kept once.
            due_at, cursor = next_look(readback.made_at, now), ""
        async with self._database.begin() as tx:
            if await tx.readbacks.read_on(readback, cursor, due_at):
                await self._count(tx, readback.id, reached, now)

    async def _count(
        self, tx: Tx, msgid: str, reached: Mapping[str, datetime], now: datetime
    ) -> None:
        rows = [
            QuotaRow(subject, "broadcast", key_of(msgid, subject), at)
            for subject, at in sorted(reached.items())
        ]
        new = await tx.quota.put_personal(rows)
        if new:
            await tx.ledger.add("hand_sends_counted", msgid[:64], now, subjects=new)
            log.info("hand_sends_counted", subjects=new)

    async def _on(self, readback: Readback, cursor: str, due_at: datetime | None) -> None:
        async with self._database.begin() as tx:
            await tx.readbacks.read_on(readback, cursor, due_at)

    async def _put_off(self, readback: Readback, error: ChannelError) -> None:
        """Try again later; a message that WeCom never tells about is given up, a list is not."""
        log.warning("readback_failed", readback=readback.id, reason=str(error))
        now = self._clock.now()
        due_at: datetime | None = next_reading(now, self._content.bank.zone)
        if isinstance(error, Retryable):
            due_at = now + max(_REST, timedelta(seconds=error.after))
        if not readback.is_list and now - readback.made_at >= STALE:
            due_at = None
        async with self._database.begin() as tx:
            await tx.readbacks.read_on(readback, readback.cursor, due_at, str(error))


async def begin_reading_back(database: Database, now: datetime) -> None:
    """Have the lists read from a month ago on; a bot that ran before goes on where it was."""
    async with database.begin() as tx:
        await tx.readbacks.begin(now - LOOK_BACK, now)
