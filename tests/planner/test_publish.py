"""Saved files: published in one short transaction, carried out in chunks, resumed after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from bot.bench.ground import SCRIPT, fill, with_one_step
from bot.clock import FakeClock
from bot.domain.runs import RunStep
from bot.storage.db import Database
from bot.storage.tx import Tx
from bot.workers import publish as publishing
from bot.workers import sweeps
from bot.workers.content import Content, Snapshot, version_of
from bot.workers.publish import Sweeper, publish
from bot.workers.runs import RunWorker
from bot.workers.ticker import ContentWorker
from bot.workspace import Workspace
from tests.planner.conftest import START
from tests.planner.test_planning import A_SECOND, rows, work

GROUPS = 60
LATER = timedelta(minutes=30)


@pytest.fixture
def before(snapshot: Snapshot) -> Snapshot:
    return with_one_step(snapshot, time(9, 30), time(10, 30))


@pytest.fixture
def after(snapshot: Snapshot) -> Snapshot:
    return with_one_step(snapshot, time(10, 0), time(11, 0))


@pytest.fixture
async def opens_at(database: Database, content: Content, before: Snapshot) -> datetime:
    content.adopt(before)
    await publish(database, before, START)
    (moment,) = await fill(database, content, GROUPS, START)
    return moment


async def steps(database: Database) -> list[RunStep]:
    async with database.read() as tx:
        return await tx.runs.all_steps(SCRIPT)


async def versions(database: Database) -> dict[str, int]:
    found = await rows(database, "SELECT version, count(*) FROM enrolments GROUP BY version")
    return dict(found)  # type: ignore[arg-type]


async def test_steps_that_have_not_begun_move_and_their_runs_wake_for_them(
    database: Database,
    content: Content,
    clock: FakeClock,
    opens_at: datetime,
    after: Snapshot,
) -> None:
    numbers = {step.id for step in await steps(database)}
    clock.jump(opens_at - timedelta(hours=1))
    assert await publish(database, after, clock.now())
    content.adopt(after)
    assert {step.opens_at for step in await steps(database)} == {opens_at}
    assert await Sweeper(database, content, clock).sweep() == 2 * GROUPS  # its groups, its runs
    moved = await steps(database)
    assert {step.opens_at for step in moved} == {opens_at + LATER}
    assert {step.id for step in moved} == numbers
    assert await versions(database) == {version_of(after.scripts[SCRIPT]): GROUPS}
    async with database.read() as tx:
        assert (await tx.due())["enrolments"] == opens_at + LATER
        assert (await tx.due())["groups"] == clock.now()
        assert await tx.moving.under_way() == {}
    clock.jump(opens_at + A_SECOND)
    assert await RunWorker(database, content, clock).step() == 0
    clock.jump(opens_at + LATER + A_SECOND)
    await work(RunWorker(database, content, clock))
    assert len(await rows(database, "SELECT id FROM outbox")) == GROUPS


async def test_what_has_begun_keeps_its_day_and_only_the_version_changes(
    database: Database,
    content: Content,
    clock: FakeClock,
    opens_at: datetime,
    after: Snapshot,
) -> None:
    clock.jump(opens_at + A_SECOND)
    await work(RunWorker(database, content, clock))
    stood = await steps(database)
    await publish(database, after, clock.now())
    content.adopt(after)
    await Sweeper(database, content, clock).sweep()
    assert await steps(database) == stood
    assert {step.state for step in stood} == {"queued"}
    due = await rows(database, "SELECT count(*) FROM enrolments WHERE due_at IS NOT NULL")
    assert due == [(0,)]  # a message on its way wakes its run when it is settled


async def test_a_sweep_that_a_crash_ended_goes_on_in_the_next_process(
    database: Database,
    content: Content,
    clock: FakeClock,
    opens_at: datetime,
    after: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeps, "ROWS", 20)
    monkeypatch.setattr(sweeps, "BEGIN_WITH", 4)
    await publish(database, after, clock.now())
    content.adopt(after)
    chunks = 0
    whole = publishing._Runs.next

    async def crash(self: publishing._Runs, tx: Tx, *given: object) -> publishing.Chunk:
        nonlocal chunks
        chunks += 1
        done = await whole(self, tx, *given)  # type: ignore[arg-type]
        if chunks == 3:
            raise asyncio.CancelledError
        return done

    with monkeypatch.context() as patched:
        patched.setattr(publishing._Runs, "next", crash)
        with pytest.raises(asyncio.CancelledError):
            await Sweeper(database, content, clock).sweep()
    old = GROUPS - (await versions(database))[version_of(after.scripts[SCRIPT])]
    assert 0 < old < GROUPS
    assert await Sweeper(database, content, clock).sweep() == old
    assert {step.opens_at for step in await steps(database)} == {opens_at + LATER}
    assert await Sweeper(database, content, clock).sweep() == 0


async def test_a_chunk_is_never_longer_than_its_rows(
    database: Database,
    content: Content,
    clock: FakeClock,
    opens_at: datetime,
    after: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeps, "ROWS", 20)
    lengths: list[int] = []
    whole = publishing._Runs.next

    async def count(self: publishing._Runs, tx: Tx, *given: object) -> publishing.Chunk:
        chunk = await whole(self, tx, *given)  # type: ignore[arg-type]
        lengths.append(chunk.rows)
        return chunk

    monkeypatch.setattr(publishing._Runs, "next", count)
    await publish(database, after, clock.now())
    content.adopt(after)
    await Sweeper(database, content, clock).sweep()
    assert len(lengths) > GROUPS * 2 // 20
    assert max(lengths) <= 20


async def _nothing(snapshot: Snapshot) -> None:
    return None


async def test_files_are_worked_by_only_once_they_are_published(
    database: Database,
    content: Content,
    clock: FakeClock,
    opens_at: datetime,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    was = content.snapshot
    worker = ContentWorker(database, content, _nothing, clock)

    async def refused(*given: object) -> bool:
        raise OSError("the disk is full")

    def at_commit(commit: Callable[..., object]) -> None:
        monkeypatch.setattr("bot.workers.saved_files.publish", commit)

    with monkeypatch.context():
        at_commit(refused)
        with pytest.raises(OSError, match="disk"):
            await worker.reload()
    assert content.snapshot is was
    seen: list[Snapshot] = []

    async def looked(of: Database, *given: Any) -> publishing.Published:
        published = await publish(of, *given)
        seen.append(content.snapshot)
        return published

    at_commit(looked)
    assert await worker.reload()
    assert seen == [was]
    assert content.snapshot is not was
    assert set(content.snapshot.scripts) > {SCRIPT}
