"""A channel that does as it is told, and a sender over it."""

from __future__ import annotations

import asyncio

from bot.domain.delivery import Terms
from bot.domain.events import Notice, Received
from bot.domain.messages import Outbound, Receipt
from bot.errors import Retryable
from bot.storage.db import Database
from bot.workers.outbox import OutboxWorker
from tests.make import NOON, staff_terms, staff_text


class Lost(Retryable):
    may_have_arrived = True


class Line:
    """A channel that notes what it is asked to send and answers as it is told to."""

    name = "any"

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[tuple[str, bool]] = []
        self.kinds: list[str] = []
        self.slow: set[str] = set()
        """Kinds whose calls hang until ``hold`` is set."""
        self.hold: asyncio.Event | None = None
        """While set and not fired, calls hang."""
        self.called = asyncio.Event()

    def cursor_of(self, notice: Notice) -> str | None:
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        return Received()

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        self.sent.append((key, repeated))
        self.kinds.append(message.kind)
        self.called.set()
        if self.hold is not None and (not self.slow or message.kind in self.slow):
            await self.hold.wait()
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        return Receipt(ref=f"ref-{key}")


async def work(worker: OutboxWorker) -> int:
    """Set going what is due and wait for its end."""
    looked_at = await worker.step()
    await worker.drain()
    return looked_at


async def put(
    database: Database,
    key: str = "k",
    message: Outbound | None = None,
    terms: Terms | None = None,
) -> None:
    async with database.begin() as tx:
        await tx.outbox.put(key, message or staff_text(), terms or staff_terms(), NOON)


async def state(database: Database, key: str = "k") -> tuple[str, str]:
    async with database.read() as tx:
        found = await tx.outbox.state_of(key)
    assert found is not None
    return found[0], found[1]
