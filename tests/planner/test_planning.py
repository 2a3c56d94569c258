"""Each step is planned exactly once: in batches, past a crash, past a poisoned run, by two."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.bench.ground import SCRIPT, fill
from bot.clock import FakeClock
from bot.sop.advance import Thinker
from bot.storage.db import Database
from bot.storage.planning import Planning
from bot.workers.content import Content
from bot.workers.publish import publish
from bot.workers.runs import RunWorker
from tests.planner.conftest import START

GROUPS = 250
A_SECOND = timedelta(seconds=1)
DAYS = 4


@pytest.fixture
async def moments(database: Database, content: Content) -> list[datetime]:
    await publish(database, content.snapshot, START)
    return (await fill(database, content, GROUPS, START))[:DAYS]


async def rows(database: Database, statement: str) -> list[tuple[Any, ...]]:
    async with database.read() as tx:
        found = await tx.connection.exec_driver_sql(statement)
        return [tuple(row) for row in found.all()]


async def work(worker: RunWorker) -> None:
    while await worker.step():
        pass


async def planned_once(database: Database, days: int, groups: int = GROUPS) -> None:
    """Every message has its step, every step its ledger entry and its run a next wake-up."""
    keys = Counter(await rows(database, "SELECT key FROM outbox"))
    assert len(keys) == days * groups
    assert set(keys.values()) == {1}
    queued = await rows(
        database, "SELECT enrolment, step, iteration FROM run_steps WHERE state = 'queued'"
    )
    assert {(f"sop:{run}:{step}:{time}",) for run, step, time in queued} == set(keys)
    noted = await rows(database, "SELECT subject, kind FROM ledger WHERE kind = 'step_queued'")
    assert Counter(Counter(noted).values()) == {days: groups}
    late = await rows(
        database,
        "SELECT count(*) FROM enrolments e WHERE e.due_at <> (SELECT min(s.opens_at) "
        "FROM run_steps s WHERE s.enrolment = e.id AND s.state = 'planned')",
    )
    assert late == [(0,)]


async def test_each_step_is_planned_once_whatever_the_size_of_a_batch(
    database: Database, content: Content, clock: FakeClock, moments: list[datetime]
) -> None:
    for at_once, moment in zip((1000, 13, 50, 250), moments, strict=True):
        clock.jump(moment + A_SECOND)
        await work(RunWorker(database, content, clock, at_once=at_once))
    await planned_once(database, DAYS)
    bodies = await rows(database, "SELECT body FROM outbox ORDER BY id DESC LIMIT 1")
    assert "{" not in str(bodies[0][0]).replace('{"', "").replace("{'", "")


class Crash(BaseException):
    """The end of the process, between two statements."""


async def test_a_crash_loses_no_step_and_doubles_none(
    database: Database,
    content: Content,
    clock: FakeClock,
    moments: list[datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crashes = 0
    for name in ("change_steps", "send", "note", "sleep"):
        whole = getattr(Planning, name)
        clock.jump(moments[crashes] + A_SECOND)

        async def crash(self: Planning, *given: Any, of: Any = whole) -> None:
            await of(self, *given)
            raise Crash

        worker = RunWorker(database, content, clock, at_once=50)
        assert await worker.step() == 50
        with monkeypatch.context() as patched:
            patched.setattr(Planning, name, crash)
            with pytest.raises(Crash):
                await worker.step()
        crashes += 1
        assert len(await rows(database, "SELECT id FROM outbox")) == (crashes - 1) * GROUPS + 50
        await work(RunWorker(database, content, clock, at_once=50))
    await planned_once(database, crashes)


async def test_a_run_that_cannot_be_written_is_put_off_alone(
    database: Database, content: Content, clock: FakeClock, moments: list[datetime]
) -> None:
    """Its step's id stands where the database refuses it: the batch is written one by one."""
    async with database.begin() as tx:
        on_sqlite = tx.connection.dialect.name == "sqlite"
        if on_sqlite:
            await tx.connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON ledger WHEN new.subject = 'wr0000007' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        else:
            await tx.connection.exec_driver_sql(
                "ALTER TABLE ledger ADD CONSTRAINT refuse CHECK (subject <> 'wr0000007')"
            )
    try:
        clock.jump(moments[0] + A_SECOND)
        worker = RunWorker(database, content, clock)
        with capture_logs() as logs:
            await work(worker)
        said = [(entry["event"], entry.get("run")) for entry in logs]
        assert said == [("batch_stumbled", None), ("run_stumbled", 7)]
        assert len(await rows(database, "SELECT id FROM outbox")) == GROUPS - 1
        ((due_at, attempt, error),) = await rows(
            database, "SELECT due_at, attempt, error FROM enrolments WHERE subject = 'wr0000007'"
        )
        assert (attempt, error != "") == (1, True)
        assert due_at > clock.now().timestamp() * 1e6
    finally:
        async with database.begin() as tx:
            await tx.connection.exec_driver_sql(
                "DROP TRIGGER refuse" if on_sqlite else "ALTER TABLE ledger DROP CONSTRAINT refuse"
            )
    clock.advance(seconds=3)
    await work(worker)
    await planned_once(database, 1)
    assert await rows(database, "SELECT count(*) FROM enrolments WHERE error <> ''") == [(0,)]


async def test_a_run_whose_own_error_stays_waits_for_a_person(
    database: Database,
    content: Content,
    clock: FakeClock,
    moments: list[datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = Thinker.advance

    def stumble(self: Thinker, standing: Any, played: Any) -> Any:
        if standing.run.id == 5:
            raise ValueError("a thought that cannot be thought")
        return whole(self, standing, played)

    monkeypatch.setattr(Thinker, "advance", stumble)
    clock.jump(moments[0] + A_SECOND)
    worker = RunWorker(database, content, clock)
    tries = 0
    while tries < 20 and (await rows(database, "SELECT due_at FROM enrolments WHERE id = 5"))[0][0]:
        with capture_logs():
            await work(worker)
        clock.advance(minutes=16)
        tries += 1
    assert tries == 8
    assert len(await rows(database, "SELECT id FROM outbox")) == GROUPS - 1
    ((attempt, error, state),) = await rows(
        database, "SELECT attempt, error, state FROM enrolments WHERE id = 5"
    )
    assert (attempt, error, state) == (8, "ValueError", "running")


async def test_two_workers_share_the_runs(
    url: str, database: Database, content: Content, clock: FakeClock, moments: list[datetime]
) -> None:
    """On PostgreSQL each has a server connection of its own; on SQLite they take turns."""
    second = await Database.open(url, durable=False)
    try:
        workers = [
            RunWorker(one, content, clock, at_once=7) for one in (database, second, database)
        ]
        for moment in moments:
            clock.jump(moment + A_SECOND)
            await asyncio.gather(*(work(worker) for worker in workers))
    finally:
        await second.close()
    await planned_once(database, DAYS)


async def test_a_group_that_is_gone_leaves_and_the_others_go_on(
    database: Database, content: Content, clock: FakeClock, moments: list[datetime]
) -> None:
    async with database.begin() as tx:
        await tx.connection.exec_driver_sql(
            "UPDATE groups SET dismissed = true WHERE id IN ('wr0000001', 'wr0000002')"
        )
        await tx.connection.exec_driver_sql("DELETE FROM groups WHERE id = 'wr0000003'")
        await tx.connection.exec_driver_sql(
            "UPDATE enrolments SET version = 'never' WHERE subject = 'wr0000004'"
        )
    clock.jump(moments[0] + A_SECOND)
    await work(RunWorker(database, content, clock))
    assert len(await rows(database, "SELECT id FROM outbox")) == GROUPS - 4
    async with database.read() as tx:
        left = [run for run in await tx.runs.of_script(SCRIPT) if run.state == "exited"]
        assert {(run.subject, run.reason) for run in left} == {
            ("wr0000001", "group_dismissed"),
            ("wr0000002", "group_dismissed"),
            ("wr0000003", "group_dismissed"),
            ("wr0000004", "script_gone"),
        }
        for run in left:
            assert {step.state for step in await tx.runs.steps(run.id)} == {"skipped"}
