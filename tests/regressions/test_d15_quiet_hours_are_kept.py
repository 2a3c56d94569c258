"""D15: a peer tested a string for a number, and its quiet hours never applied."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

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

DAY3 = "2026-10-13"


@pytest.mark.parametrize(
    ("due", "closes", "sent_at"),
    [
        (local("21:00"), local("22:00"), None),  # the whole window is quiet: not at all
        (local("21:00"), local("09:00", DAY3), local("08:30", DAY3)),
        (local("12:00"), local("18:00"), local("14:30")),
        (local("10:00"), local("18:00"), local("10:00")),
    ],
)
async def test_what_is_due_in_quiet_hours_is_not_sent_in_them(
    database: Database,
    content: Content,
    due: datetime,
    closes: datetime,
    sent_at: datetime | None,
) -> None:
    clock, line = FakeClock(due), Line()
    run = await enrolled(database, content, CHAT, due)
    terms: dict[str, Any] = {"opens_at": due, "closes_at": closes}
    async with database.begin() as tx:
        await put_step(tx, run, CHAT, "今天讲防骗", due, **terms)
    worker = OutboxWorker(database, dict.fromkeys(CHANNEL_OF.values(), line), content, clock)
    left_at: datetime | None = None
    while clock.now() <= closes:
        await run_until_idle([worker], database, clock)
        await worker.drain()
        if line.said and left_at is None:
            left_at = clock.now()
        clock.advance(minutes=5)
    assert left_at == sent_at
    assert len(line.said) == (0 if sent_at is None else 1)
    async with database.read() as tx:
        assert await tx.next_due(["outbox"]) is None or sent_at is not None
    assert closes - due <= timedelta(hours=12)
