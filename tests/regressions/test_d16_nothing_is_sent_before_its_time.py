"""D16: a peer never read when a message was to be sent, and sent all of them at once."""

from __future__ import annotations

from bot.clock import FakeClock
from bot.domain.messages import CHANNEL_OF
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.loop import run_until_idle
from bot.workers.outbox import OutboxWorker
from tests.make import CHAT, local
from tests.regressions.sending import Line, put_step
from tests.storage.test_gate_race import enrolled
from tests.workers.conftest import content as content
from tests.workers.conftest import snapshot as snapshot

NINE, HALF_PAST = local("09:00"), local("09:30")


async def test_a_step_leaves_at_its_time_and_not_a_minute_before(
    database: Database, content: Content
) -> None:
    clock, line = FakeClock(NINE), Line()
    run = await enrolled(database, content, CHAT, NINE)
    async with database.begin() as tx:
        await put_step(
            tx, run, CHAT, "今天讲防骗", NINE, opens_at=HALF_PAST, closes_at=local("11:00")
        )
    worker = OutboxWorker(database, dict.fromkeys(CHANNEL_OF.values(), line), content, clock)
    while clock.now() < HALF_PAST:
        await run_until_idle([worker], database, clock)
        await worker.drain()
        assert line.said == []
        clock.advance(minutes=1)
    async with database.read() as tx:
        assert await tx.next_due(["outbox"]) == HALF_PAST  # it sleeps until then
    await run_until_idle([worker], database, clock)
    await worker.drain()
    assert line.said == [((CHAT,), "今天讲防骗")]
