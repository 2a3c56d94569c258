"""One working process of the measure: ``python -m bot.bench.hands ORDER``, begun by a line.

Events are finished with a row in the ledger, as a handler does it; messages leave by the bot's own
sender, to a sink that counts them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.bench.ground import content_of
from bot.clock import SystemClock
from bot.domain.events import Notice, Received
from bot.domain.messages import Outbound, Receipt
from bot.errors import DatabaseFailed, Undeliverable
from bot.storage.db import Database
from bot.storage.inbox import ClaimedEvent
from bot.workers.content import read_snapshot
from bot.workers.loop import run_for_ever, side_by_side
from bot.workers.outbox import OutboxWorker
from bot.workspace import Workspace

WORKED = "bench_worked"
_AT_ONCE = 20


@dataclass(frozen=True)
class Order:
    """Where the work lies, and where messages go."""

    database: str
    sink: str
    workspace: str


class EventHands:
    """Finishes events, each with its row in the ledger."""

    watches = ("events",)
    hands = 2

    def __init__(self, database: Database, clock: SystemClock) -> None:
        self._database = database
        self._clock = clock
        self.conflicts = 0

    async def step(self) -> int:
        """Work on one batch."""
        try:
            async with self._database.begin() as tx:
                claimed = await tx.inbox.claim_events(self._clock.now(), limit=_AT_ONCE)
            await side_by_side(self._finish(item) for item in claimed)
        except DatabaseFailed:
            self.conflicts += 1
            raise
        return len(claimed)

    async def _finish(self, item: ClaimedEvent) -> None:
        async with self._database.begin() as tx:
            if await tx.inbox.finish_event(item):
                await tx.ledger.add(WORKED, item.key, self._clock.now(), by=os.getpid())


class Sink:
    """A channel that tells a counting server what leaves."""

    name = "app"

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    def cursor_of(self, notice: Notice) -> str | None:
        """Nothing is read here."""
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Read nothing."""
        return Received()

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Tell the sink."""
        async with self._session.post(self._url, json={"key": key, "repeated": repeated}) as answer:
            if answer.status != 200:
                raise Undeliverable(f"sink_{answer.status}")
        return Receipt()


async def work(order: Order) -> None:
    """Work until told to stop, after the line that begins it."""
    clock, stopping = SystemClock(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    workspace = Workspace(Path(order.workspace))
    content = content_of(workspace, read_snapshot(workspace, clock.now().date()), clock.now())
    database = await Database.open(order.database)
    try:
        async with aiohttp.ClientSession() as session:
            events = EventHands(database, clock)
            sender = OutboxWorker(database, {"app": Sink(session, order.sink)}, content, clock)
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.readline)
            database.share_news(ring=True)
            await run_for_ever([events, sender], database, clock, stopping)
            sys.stdout.write(json.dumps({"conflicts": events.conflicts}) + "\n")
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(work(Order(**json.loads(sys.argv[1]))))
