"""Runs for tests of what lies below the engine: a group that entered, and its step."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from bot.storage.tx import Tx
from tests.make import CHAT, NOON, OWNER, new_step


class ARun(NamedTuple):
    """A run, and its one step."""

    run: int
    step: int


async def a_run(
    tx: Tx,
    state: str,
    *,
    step: str = "d02",
    script: str = "senior-21d",
    version: str = "1",
    chat: str = CHAT,
    now: datetime = NOON,
) -> ARun:
    """Let a group have entered a script; its step is in a state such as "queued"."""
    run = await tx.runs.enrol(
        script=script,
        version=version,
        subject=chat,
        owner=OWNER,
        branch="",
        anchor=date(2026, 10, 11),
        state="running",
        now=now,
    )
    assert run is not None
    await tx.runs.add_steps(run, [new_step(step)], now)
    (row,) = await tx.runs.steps(run)
    await tx.runs.set_step(row.id, now, state=state, iteration=1)
    return ARun(run, row.id)
