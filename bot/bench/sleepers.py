"""A database of a million timers, written by the database itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from bot.bench.ground import SCRIPT, STEP
from bot.domain.bank import Bank
from bot.storage import tables
from bot.storage.bulk import insert_rows
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.workers.content import Snapshot, version_of
from bot.workers.publish import publish

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_A_MONTH_S = 30 * 24 * 3600
_GROUP = ("id", "name", "owner", "branch", "tags", "members", "seen_at", "attempt")
_SERIES = {
    "sqlite": (
        "WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series WHERE i < {n})",
        "series",
    ),
    "postgresql": ("", "generate_series(1, {n}) AS series(i)"),
}
_NUMBER = {"sqlite": "printf('%07d', i)", "postgresql": "lpad(i::text, 7, '0')"}
_RUNS = (
    "INSERT INTO enrolments (script, version, subject, owner, branch, anchor, state, entered_at, "
    "due_at, attempt) {series} SELECT '{script}', '{version}', 'wr' || {number}, '{owner}', "
    "'{branch}', '{anchor}', 'running', {now}, "
    "{first} + (CAST(i AS BIGINT) * 7919 % {spread}) * 1000000, 0 FROM {source}"
)
_STEPS = (
    "INSERT INTO run_steps (enrolment, step, kind, planned_on, opens_at, closes_at, state, "
    "changed_at) SELECT id, '{step}', 'step', anchor, due_at, due_at + 28800000000, 'planned', "
    "entered_at FROM enrolments"
)


async def put_to_sleep(
    database: Database, snapshot: Snapshot, count: int, groups: int, now: datetime
) -> None:
    """Let so many runs sleep until some time of the month that begins tomorrow.

    ``groups`` of them have their group in the database: only those may be woken.
    """
    await publish(database, snapshot, now)
    async with database.begin() as tx:
        run = tx.connection.exec_driver_sql
        name = tx.connection.dialect.name
        before, source = _SERIES[name]
        words = {
            "series": before.format(n=count),
            "source": source.format(n=count),
            "number": _NUMBER[name],
            "script": SCRIPT,
            "step": STEP,
            "version": version_of(snapshot.scripts[SCRIPT]),
            **_who(snapshot.bank),
            "anchor": now.astimezone(snapshot.bank.zone).date().isoformat(),
            "now": _micros(now),
            "first": _micros(now + timedelta(days=1)),
            "spread": _A_MONTH_S,
        }
        await run(_RUNS.format(**words))
        await run(_STEPS.format(**words))
        await insert_rows(tx.connection, tables.groups, _GROUP, _groups(snapshot, groups, now))
    if name == "postgresql":
        async with database.begin() as tx:
            await tx.connection.exec_driver_sql("ANALYZE")


def _who(bank: Bank) -> dict[str, str]:
    owner = next(member for member in bank.staff if member.branch)
    return {"owner": owner.userid, "branch": owner.branch or ""}


def _groups(snapshot: Snapshot, count: int, now: datetime) -> list[tuple[object, ...]]:
    who = _who(snapshot.bank)
    members = json.dumps([])
    return [
        (f"wr{number:07}", f"安心群{number}", *who.values(), "[]", members, now, 0)
        for number in range(1, count + 1)
    ]


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


async def open_ready(url: str) -> Database:
    """Open a database as a starting bot does."""
    database = await Database.open(url)
    await upgrade(database)
    await database.take_over(datetime.now(UTC))
    return database
