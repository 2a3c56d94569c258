"""Limits that are over are kept as long as the history, and no longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from bot.domain.sla import Timer, TimerKind
from bot.storage.db import Database
from bot.storage.retention import HISTORY, Retention
from bot.storage.tables import lead_timers
from tests.make import MINUTE, NOON

OLD = NOON - timedelta(days=800)


def timer(kind: TimerKind, started_at: datetime, done_at: datetime | None) -> Timer:
    return Timer(
        lead=1,
        kind=kind,
        total=30 * MINUTE,
        left=30 * MINUTE,
        round_the_clock=False,
        started_at=started_at,
        due_by=started_at + 30 * MINUTE,
        state="active" if done_at is None else "hit",
        done_at=done_at,
    )


async def test_old_limits_that_are_over_go(database: Database) -> None:
    async with database.begin() as tx:
        await tx.timers.write(
            [
                (timer("accept", OLD, OLD + MINUTE), None),
                (timer("first", OLD, None), NOON),
                (timer("resolve", NOON - MINUTE, NOON), None),
            ]
        )
    assert "lead_timers" in HISTORY
    async with database.begin() as tx:
        swept = await Retention(tx.connection).sweep("lead_timers", NOON - timedelta(days=730), 0)
    assert swept.removed == 1
    async with database.read() as tx:
        left = await tx.connection.execute(select(lead_timers.c.kind).order_by(lead_timers.c.id))
        assert [row.kind for row in left] == ["first", "resolve"]
