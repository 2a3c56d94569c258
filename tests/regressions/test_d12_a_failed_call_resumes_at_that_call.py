"""D12: of five calls the third fails; those that were made are not made again."""

from __future__ import annotations

import pytest

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.messages import CHANNEL_OF
from bot.errors import Retryable
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.loop import one_by_one
from bot.workers.outbox import OutboxWorker
from tests.make import NOON, broadcast
from tests.workers.conftest import clock as clock
from tests.workers.conftest import content as content
from tests.workers.conftest import snapshot as snapshot
from tests.workers.line import Line

KEYS = [f"sop:{number}:d02:1" for number in range(1, 6)]


@pytest.mark.parametrize("restarted", [False, True])
async def test_the_third_of_five_calls_fails_and_only_that_one_is_made_again(
    database: Database, content: Content, clock: FakeClock, restarted: bool
) -> None:
    line = Line(None, None, Retryable("wecom_-1", 5))

    def sender() -> OutboxWorker:
        channels = dict.fromkeys(CHANNEL_OF.values(), line)
        return OutboxWorker(database, channels, content, clock, manner=one_by_one)

    async with database.begin() as tx:
        for key in KEYS:
            await tx.outbox.put(key, broadcast(key), Terms(purpose="control"), NOON)
    worker = sender()
    await worker.step()
    assert [key for key, _ in line.sent] == KEYS
    if restarted:
        worker = sender()
        await database.take_over(clock.now())
    for _ in range(10):
        clock.advance(seconds=2)
        await worker.step()
    assert [key for key, _ in line.sent] == [*KEYS, KEYS[2]]
    async with database.read() as tx:
        assert await tx.outbox.counts() == {"sent": 5}
