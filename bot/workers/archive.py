"""Archived messages that could not be decrypted are read again, until their key is there."""

from __future__ import annotations

from typing import Protocol

from bot.domain.events import ArchiveUnreadable, Arrival
from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.inbox import ClaimedEvent


class Rereading(Protocol):
    """Where one archived message is read again."""

    async def reread(self, seq: int) -> Arrival | None:
        """Return the message; raise ``Retryable`` where it still cannot be read."""


class Rereader:
    """Works on messages that were unreadable: on success they go their ordinary way."""

    def __init__(self, database: Database, archive: Rereading, clock: Clock) -> None:
        self._database = database
        self._archive = archive
        self._clock = clock

    async def again(self, claimed: ClaimedEvent, event: ArchiveUnreadable) -> None:
        """Read one message again; raise ``Retryable`` where that is in vain once more."""
        arrival = await self._archive.reread(event.seq)
        now = self._clock.now()
        async with self._database.begin() as tx:
            if await tx.inbox.finish_event(claimed) and arrival is not None:
                await tx.inbox.add_events([arrival], now)
