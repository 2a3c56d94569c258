"""A script is edited under a million sleeping runs while WeCom goes on calling."""

from __future__ import annotations

import asyncio
import sqlite3
import time as machine_time
from contextlib import closing
from datetime import UTC, datetime, time
from typing import Any

import asyncpg

from bot.bench.figures import Progress, spread
from bot.bench.ground import Grounds, content_of, on_both, with_one_step
from bot.bench.sleepers import put_to_sleep
from bot.clock import SystemClock
from bot.domain.events import Notice
from bot.storage.db import Database
from bot.storage.notices import NoticeWriter
from bot.workers.content import Content, Snapshot, read_snapshot
from bot.workers.publish import Sweeper, publish
from bot.workspace import Workspace

BAR_WAIT_MS = 1000.0
_TIMERS = {"sqlite": 1_000_000, "postgresql": 100_000}
_EVERY_S = 0.02  # a callback
_BODY = "<xml><MsgType>event</MsgType></xml>" * 8
_BEFORE, _AFTER = (time(9, 30), time(10, 30)), (time(10, 0), time(11, 0))
_AT_ONCE = (
    "UPDATE enrolments SET due_at = due_at + 1800000000",
    "UPDATE run_steps SET opens_at = opens_at + 1800000000",
)


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Publish an edit that moves every timer, and time every callback that comes meanwhile."""
    now = datetime.now(UTC)
    files = read_snapshot(workspace, now.date())

    async def on_one(name: str, grounds: Grounds) -> dict[str, Any]:
        count = _TIMERS[name]
        async with grounds() as url:
            content = content_of(workspace, with_one_step(files, *_BEFORE), now)
            database = await Database.open(url)
            try:
                await put_to_sleep(database, content.snapshot, count, 0, now)
                found = await reschedule(database, content, with_one_step(files, *_AFTER))
            finally:
                await database.close()
            blocked_s = await _all_at_once(url)
        met = found["moved"] == count and found["callback_wait"]["max_ms"] <= BAR_WAIT_MS
        return {**found, "met": met, "reference_one_statement_holds_the_database_s": blocked_s}

    found = await on_both(on_one, progress)
    return {
        "what": "an edit moves every timer, chunk by chunk; a callback is stored every 20 ms",
        "bar_longest_wait_ms": BAR_WAIT_MS,
        **found,
        "met": all(each.get("met", False) for each in found.values()),
    }


async def reschedule(database: Database, content: Content, edited: Snapshot) -> dict[str, Any]:
    """Publish edited files and carry that out, with callbacks arriving from beginning to end."""
    clock, ended = SystemClock(), asyncio.Event()
    calls = asyncio.create_task(_callbacks(NoticeWriter(database, clock), ended))
    began = machine_time.perf_counter()
    await publish(database, edited, clock.now())
    content.adopt(edited)
    moved = await Sweeper(database, content, clock).sweep()
    seconds = machine_time.perf_counter() - began
    ended.set()
    waits = await calls
    return {
        "moved": moved,
        "seconds": round(seconds, 1),
        "moved_per_s": round(moved / seconds),
        "callback_wait": spread(waits),
    }


async def _callbacks(writer: NoticeWriter, ended: asyncio.Event) -> list[float]:
    """Store callbacks at a steady rate, whether or not the ones before are stored; in ms."""
    waits: list[float] = []
    calls: set[asyncio.Task[None]] = set()
    number, due = 0, machine_time.perf_counter()
    while not ended.is_set():
        number += 1
        call = asyncio.create_task(_callback(writer, number, due, waits))
        calls.add(call)
        call.add_done_callback(calls.discard)
        due += _EVERY_S
        await asyncio.sleep(max(0.0, due - machine_time.perf_counter()))
    await asyncio.gather(*calls)
    return waits


async def _callback(writer: NoticeWriter, number: int, due: float, waits: list[float]) -> None:
    await writer.add(Notice(key=f"bench-{number}", channel="kf", body=_BODY))
    waits.append((machine_time.perf_counter() - due) * 1e3)


async def _all_at_once(url: str) -> float:
    """Move the same timers in one transaction: so long SQLite would take no callback at all."""
    began = machine_time.perf_counter()
    if url.startswith("sqlite"):
        await asyncio.to_thread(_all_at_once_sqlite, url.partition(":///")[2])
    else:
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                for statement in _AT_ONCE:
                    await connection.execute(statement)
        finally:
            await connection.close()
    return round(machine_time.perf_counter() - began, 1)


def _all_at_once_sqlite(path: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _AT_ONCE:
            connection.execute(statement)
        connection.execute("COMMIT")
