"""Steps planned a second through the real worker, beside the same rows merely written."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from bot.bench.bare import write_bare
from bot.bench.figures import Progress
from bot.bench.ground import Grounds, content_of, fill, on_both
from bot.clock import FakeClock
from bot.memory import settled
from bot.storage.db import Database
from bot.workers.content import Content, read_snapshot
from bot.workers.publish import publish
from bot.workers.runs import RunWorker
from bot.workspace import Workspace

BARS = {"sqlite": 10_000, "postgresql": 4_000}
START = datetime.fromisoformat("2026-10-12T00:00:00+08:00")
_GROUPS = 3_000
_ROUNDS = 3
_A_MOMENT = timedelta(seconds=1)


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Play the 21-day script for thousands of groups, on SQLite and on PostgreSQL."""
    content = content_of(workspace, read_snapshot(workspace, START.date()), START)

    async def on_one(name: str, grounds: Grounds) -> dict[str, Any]:
        rounds = []
        for number in range(_ROUNDS):
            async with grounds() as url:
                rounds.append(await _round(url, content, with_reference=not number))
        speeds = [each["steps_per_s"] for each in rounds]
        return {
            "steps": rounds[0]["steps"],
            "steps_per_s": round(median(speeds)),
            "rounds": speeds,
            "bar_per_s": BARS[name],
            "met": median(speeds) >= BARS[name],
            "reference_rows_merely_written_per_s": rounds[0]["reference"],
        }

    found = await on_both(on_one, progress)
    return {
        "what": f"{_GROUPS} groups through the 21-day script: each step judged, worded, written",
        **found,
        "met": all(each.get("met", False) for each in found.values()),
    }


async def _round(url: str, content: Content, *, with_reference: bool) -> dict[str, Any]:
    database = await Database.open(url)
    try:
        moments = await prepare(database, content, _GROUPS)
        with settled():  # as the bot does once it stands
            steps, seconds = await play(database, content, moments)
        reference = await write_bare(url) if with_reference else 0
    finally:
        await database.close()
    return {"steps": steps, "steps_per_s": round(steps / seconds), "reference": reference}


async def prepare(database: Database, content: Content, groups: int) -> list[datetime]:
    """Publish the script, and let groups begin it; return when their steps open."""
    await publish(database, content.snapshot, START)
    return await fill(database, content, groups, START)


async def play(database: Database, content: Content, moments: list[datetime]) -> tuple[int, float]:
    """Plan whatever falls due at each moment; return how many messages and in which seconds."""
    clock = FakeClock(START)
    worker = RunWorker(database, content, clock)
    seconds = 0.0
    for moment in moments:
        clock.jump(moment + _A_MOMENT)
        began = time.perf_counter()
        while await worker.step():
            pass
        seconds += time.perf_counter() - began
    async with database.read() as tx:
        planned = (await tx.outbox.counts()).get("ready", 0)
    return planned, seconds
