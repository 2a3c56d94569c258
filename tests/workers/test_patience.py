"""A database that is away for a moment: what was done is written down, and nothing waits long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.clock import FakeClock
from bot.errors import DatabaseFailed
from bot.storage.db import Database, Tx
from bot.workers import patience
from bot.workers.outbox import OutboxWorker
from bot.workers.patience import surely
from tests.make import broadcast
from tests.workers.line import Line, put, state, work


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_EVERY_S", 0.001)


class Outage:
    """Lets the transactions of a database fail from one on, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: str, after: int, times: int) -> None:
        self.left, self.after = times, after
        original = getattr(Database, kind)

        @asynccontextmanager
        async def failing(database: Database) -> AsyncIterator[Tx]:
            self.after -= 1
            if self.after < 0 and self.left > 0:
                self.left -= 1
                raise DatabaseFailed("unreachable")
            async with original(database) as tx:
                yield tx

        monkeypatch.setattr(Database, kind, failing)


async def test_a_task_that_wecom_took_counts_as_sent_although_the_database_was_away(
    database: Database, worker: OutboxWorker, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(database, message=broadcast())
    Outage(monkeypatch, "begin", after=1, times=20)  # all but the claim
    await work(worker)
    assert len(line.sent) == 1
    assert (await state(database))[0] == "sent"


async def test_a_message_that_had_not_left_is_free_again_at_once(
    database: Database,
    worker: OutboxWorker,
    line: Line,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await put(database, message=broadcast())
    Outage(monkeypatch, "read", after=0, times=1)  # the last look before the call
    await work(worker)
    assert line.sent == []
    assert (await state(database))[0] == "ready"
    await work(worker)
    assert line.sent == [("k", False)]
    assert (await state(database))[0] == "sent"


async def test_a_database_that_stays_away_is_given_up_on() -> None:
    tries = 0

    async def write() -> None:
        nonlocal tries
        tries += 1
        raise DatabaseFailed("unreachable")

    with pytest.raises(DatabaseFailed):
        await surely(write)
    assert tries == patience._TRIES + 1
