"""The planner's writes without its thoughts: what a database takes of the same rows."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import asyncpg

_AT_ONCE = 500
_OUTBOX = "key, channel, policy, lane, bucket, urgent, body, facts, state, created_at, due_at"
_TYPES = (
    *("text", "text", "text", "text", "text", "boolean"),
    *("json", "json", "text", "bigint", "bigint"),
)
_READ = (
    "SELECT 'again:' || key, channel, policy, 'again:' || lane, bucket, urgent, body, facts, "
    "state, created_at, due_at FROM outbox ORDER BY id"
)
_STEPS = (
    "SELECT id, enrolment, text, changed_at FROM run_steps WHERE state = 'queued' "
    "ORDER BY changed_at, id"
)


async def write_bare(url: str) -> int:
    """Write again what the planner wrote, in batches as large as its own; return rows a second.

    A row is a message, its ledger entry, its step and its run, as it is with the planner.
    """
    if url.startswith("sqlite"):
        return await asyncio.to_thread(_sqlite, url.partition(":///")[2])
    return await _postgres(url)


def _batches(letters: Sequence[Any], steps: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    for start in range(0, min(len(letters), len(steps)), _AT_ONCE):
        yield letters[start : start + _AT_ONCE], steps[start : start + _AT_ONCE]


def _sqlite(path: str) -> int:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        letters = connection.execute(_READ).fetchall()
        steps = connection.execute(_STEPS).fetchall()
        marks = ", ".join("?" for _ in _TYPES)
        insert = f"INSERT INTO outbox ({_OUTBOX}) VALUES ({marks})"  # noqa: S608 - our own names
        began = time.perf_counter()
        for some, of_steps in _batches(letters, steps):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert, some)
            for statement, columns in _REST_SQLITE:
                rows = [tuple(row[column] for column in columns) for row in of_steps]
                connection.executemany(statement, rows)
            connection.execute("COMMIT")
        return round(min(len(letters), len(steps)) / (time.perf_counter() - began))


_REST_SQLITE = (
    (
        "INSERT INTO ledger (at, kind, subject, facts) VALUES "
        "(?, 'step_queued', 'wr0000001', '{\"step\": \"d02-rules\", \"time\": 1}')",
        (3,),
    ),
    ("UPDATE run_steps SET state = 'waiting', text = ?, changed_at = ? WHERE id = ?", (2, 3, 0)),
    ("UPDATE enrolments SET due_at = ?, attempt = 0 WHERE id = ?", (3, 1)),
)
_REST_POSTGRES = (
    (
        "INSERT INTO ledger (at, kind, subject, facts) SELECT at, 'step_queued', 'wr0000001', "
        '\'{"step": "d02-rules", "time": 1}\'::json FROM unnest($1::bigint[]) AS new(at)',
        (3,),
    ),
    (
        "UPDATE run_steps SET state = 'waiting', text = new.text, changed_at = new.at "
        "FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS new(text, at, id) "
        "WHERE run_steps.id = new.id",
        (2, 3, 0),
    ),
    (
        "UPDATE enrolments SET due_at = new.at, attempt = 0 "
        "FROM unnest($1::bigint[], $2::bigint[]) AS new(at, id) WHERE enrolments.id = new.id",
        (3, 1),
    ),
)


async def _postgres(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        letters = await connection.fetch(_READ)
        steps = await connection.fetch(_STEPS)
        arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(_TYPES, 1))
        insert = f"INSERT INTO outbox ({_OUTBOX}) SELECT * FROM unnest({arrays})"  # noqa: S608
        began = time.perf_counter()
        for some, of_steps in _batches(letters, steps):
            async with connection.transaction():
                await connection.execute(insert, *zip(*some, strict=True))
                for statement, columns in _REST_POSTGRES:
                    await connection.execute(
                        statement, *([row[column] for row in of_steps] for column in columns)
                    )
        return round(min(len(letters), len(steps)) / (time.perf_counter() - began))
    finally:
        await connection.close()
