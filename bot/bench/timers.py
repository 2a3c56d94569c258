"""A million sleeping timers: how soon a bot stands, how punctual it is, how much memory it takes.

``python -m bot.bench.timers`` is the bot: it reads one JSON order and prints one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time as machine_time
from bisect import bisect_left
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from bot.bench.figures import Progress, spread
from bot.bench.ground import STEP, Grounds, content_of, on_both, with_one_step
from bot.bench.processes import python
from bot.bench.sleepers import open_ready, put_to_sleep
from bot.clock import SystemClock
from bot.memory import peak_mb
from bot.storage.bulk import update_rows
from bot.storage.db import Database
from bot.storage.tables import enrolments, run_steps
from bot.workers.content import Snapshot, read_snapshot
from bot.workers.loop import run_for_ever
from bot.workers.publish import publish
from bot.workers.runs import RunWorker
from bot.workspace import Workspace

BAR_START_S, BAR_P99_MS, BAR_MEMORY_MB = 1.0, 100.0, 200.0
_SLEEPING = 1_000_000
_WAKING, _WITHIN_S = 1_500, 15.0
_WINDOW = (time(0, 1), time(23, 59))
_POLL_S = 0.005


@dataclass(frozen=True)
class Order:
    """What the bot is to wake for: run 1 at once, the next ``waking`` at random within seconds."""

    url: str
    files: str
    waking: int
    within_s: float


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Wake 1,500 of a million timers, and the same 1,500 where nobody else sleeps."""
    now = datetime.now(UTC)
    snapshot = with_one_step(read_snapshot(workspace, now.date()), *_WINDOW)

    async def on_one(name: str, grounds: Grounds) -> dict[str, Any]:
        found = {}
        for label, count in (("alone", _WAKING + 1), ("among_a_million", _SLEEPING)):
            async with grounds() as url:
                progress(f"    {count} timers")
                found[label] = await wake(url, workspace, snapshot, count, _WAKING, _WITHIN_S)
        return _judged(found["among_a_million"], found["alone"])

    found = await on_both(on_one, progress)
    return {
        "what": f"{_WAKING} of {_SLEEPING} timers fall due at random within {_WITHIN_S:.0f} s",
        "bar_start_s": BAR_START_S,
        "bar_p99_ms": BAR_P99_MS,
        "bar_memory_above_empty_mb": BAR_MEMORY_MB,
        **found,
        "met": all(each.get("met", False) for each in found.values()),
    }


def _judged(full: dict[str, Any], alone: dict[str, Any]) -> dict[str, Any]:
    above = round(full["memory_mb"] - alone["memory_mb"], 1)
    return {
        **full,
        "memory_above_empty_mb": above,
        "met": full["start_to_first_work_s"] <= BAR_START_S
        and full["due_to_run"]["p99_ms"] <= BAR_P99_MS
        and above <= BAR_MEMORY_MB,
        "reference_with_no_other_timer": alone,
    }


async def wake(
    url: str, workspace: Workspace, snapshot: Snapshot, count: int, waking: int, within_s: float
) -> dict[str, Any]:
    """Put so many timers to sleep, start a bot of its own on them, and return what it saw."""
    database = await Database.open(url)
    try:
        await put_to_sleep(database, snapshot, count, waking + 1, datetime.now(UTC))
    finally:
        await database.close()
    order = Order(url, str(workspace.root), waking, within_s)
    words = json.dumps(asdict(order)).encode()
    output, code = await python(["-m", "bot.bench.timers"], words)
    if code:
        raise RuntimeError(f"the waking process ended with code {code}")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


class _Timed:
    """The planner's worker with the moments at which each of its batches was on disk."""

    watches = RunWorker.watches

    def __init__(self, worker: RunWorker) -> None:
        self._worker = worker
        self.written_at: list[float] = []

    async def step(self) -> int:
        """Step the worker."""
        worked = await self._worker.step()
        self.written_at.append(machine_time.time())
        return worked


async def _serve(order: Order) -> dict[str, Any]:
    workspace, clock = Workspace(Path(order.files)), SystemClock()
    snapshot = with_one_step(read_snapshot(workspace, clock.now().date()), *_WINDOW)
    began = machine_time.perf_counter()
    database = await open_ready(order.url)
    content = content_of(workspace, snapshot, clock.now())
    await publish(database, snapshot, clock.now())
    worker, stopping = _Timed(RunWorker(database, content, clock)), asyncio.Event()
    await _due(database, [(1, clock.now())])
    running = asyncio.create_task(run_for_ever([worker], database, clock, stopping))
    await _planned(database, 1)
    stood = machine_time.perf_counter() - began
    first = clock.now() + timedelta(seconds=0.5)
    chance = random.Random(1)  # noqa: S311 - the same moments in every run
    wakes = [
        (run, first + timedelta(seconds=chance.uniform(0, order.within_s)))
        for run in range(2, order.waking + 2)
    ]
    await _due(database, wakes)
    await asyncio.sleep(order.within_s)
    await _planned(database, order.waking + 1)
    stopping.set()
    await running
    waits = await _waits(database, worker.written_at, dict(wakes))
    await database.close()
    return {
        "start_to_first_work_s": round(stood, 3),
        "due_to_run": spread(waits),
        "memory_mb": round(peak_mb(), 1),
    }


async def _due(database: Database, wakes: list[tuple[int, datetime]]) -> None:
    async with database.begin() as tx:
        opens = [(moment, run, STEP) for run, moment in wakes]
        await update_rows(tx.connection, run_steps, ("enrolment", "step"), ("opens_at",), opens)
        due = [(moment, run) for run, moment in wakes]
        await update_rows(tx.connection, enrolments, ("id",), ("due_at",), due)


async def _planned(database: Database, count: int) -> None:
    deadline = machine_time.monotonic() + 60
    while machine_time.monotonic() < deadline:
        async with database.read() as tx:
            if sum((await tx.outbox.counts()).values()) >= count:
                return
        await asyncio.sleep(_POLL_S)
    raise RuntimeError("timers were not run in time")


async def _waits(
    database: Database, written_at: list[float], wakes: dict[int, datetime]
) -> list[float]:
    """Return how long after its due moment each timer's message was on disk, in ms."""
    async with database.read() as tx:
        rows = await tx.connection.exec_driver_sql("SELECT key, created_at FROM outbox")
        made = [(int(key.split(":")[1]), at / 1e6) for key, at in map(tuple, rows.all())]
    return [
        (written_at[bisect_left(written_at, at)] - wakes[run].timestamp()) * 1e3
        for run, at in made
        if run in wakes
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_serve(Order(**json.load(sys.stdin))))) + "\n")
