"""What a transaction costs through the store, beside SQLite asked directly with the same writes."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.bench.figures import Progress
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.workspace import Workspace

_WRITES, _READS, _STATEMENTS = 400, 1200, 4
_INSERT = "INSERT INTO ledger (kind, subject, at, facts) VALUES (?, ?, ?, ?)"
_SELECT = "SELECT count(*) FROM ledger WHERE kind = ?"


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Measure small transactions without waiting for the disk: what is left is the way to it."""
    with tempfile.TemporaryDirectory(prefix="zhilin-bench-") as folder:
        file = Path(folder) / "bench.db"
        database = await Database.open(f"sqlite:///{file}", durable=False)
        try:
            await upgrade(database)
            writes, reads = await _through_the_store(database)
        finally:
            await database.close()
        bare_writes, bare_reads = await asyncio.to_thread(_directly, file)
    return {
        "what": f"transactions of {_STATEMENTS} inserts, and of one select; disk not waited for",
        "writes_per_s": writes,
        "reads_per_s": reads,
        "reference_sqlite3_writes_per_s": bare_writes,
        "reference_sqlite3_reads_per_s": bare_reads,
        "ratio_writes": round(writes / bare_writes, 2),
        "ratio_reads": round(reads / bare_reads, 2),
    }


async def _through_the_store(database: Database) -> tuple[int, int]:
    now = datetime.now(UTC)
    began = time.perf_counter()
    for number in range(_WRITES):
        async with database.begin() as tx:
            for _ in range(_STATEMENTS):
                await tx.ledger.add("bench", str(number), now, what="a write")
    wrote = time.perf_counter()
    for _ in range(_READS):
        async with database.read() as tx:
            await tx.ledger.count("nothing")
    read = time.perf_counter()
    return round(_WRITES / (wrote - began)), round(_READS / (read - wrote))


def _directly(file: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        began = time.perf_counter()
        for number in range(_WRITES):
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(_STATEMENTS):
                row = ("bench", str(number), time.time_ns() // 1000, '{"what": "a write"}')
                connection.execute(_INSERT, row)
            connection.execute("COMMIT")
        wrote = time.perf_counter()
        for _ in range(_READS):
            connection.execute("BEGIN")
            connection.execute(_SELECT, ("nothing",)).fetchall()
            connection.execute("ROLLBACK")
        read = time.perf_counter()
    return round(_WRITES / (wrote - began)), round(_READS / (read - wrote))
