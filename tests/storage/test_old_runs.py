"""Of runs that ended long ago steps and tasks go; who was in a script is known for ever."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from bot.domain.delivery import Terms
from bot.storage import old_runs
from bot.storage.db import Database
from bot.storage.old_runs import OldRuns
from bot.storage.tables import enrolments, outbox, run_steps, send_tasks
from bot.storage.tx import Tx
from tests.make import CHAT, CUSTOMER, NOON, OWNER, broadcast, new_step

OLD = NOON - timedelta(days=800)
CUTOFF = NOON - timedelta(days=730)
SCRIPT = "senior-21d"


async def a_run(
    tx: Tx, subject: str, rotation: int = 1, *, state: str = "done", key: str = "", at=OLD
) -> int:  # type: ignore[no-untyped-def]
    """Write a run that began and ended then, with a step that was sent by a task."""
    run = await tx.runs.enrol(
        script=SCRIPT,
        version="1",
        subject=subject,
        owner=OWNER,
        branch="",
        anchor=date(2024, 9, 1),
        state="running",
        now=at,
        rotation=rotation,
    )
    assert run is not None
    await tx.runs.add_steps(run, [new_step("d02")], at)
    (step,) = await tx.runs.steps(run)
    await tx.runs.set_step(step.id, at, state="confirmed", iteration=1)
    await tx.runs.add_task(
        {
            "msgid": f"m{run}",
            "run_step": step.id,
            "owner": OWNER,
            "chat": subject,
            "created_at": at,
            "closes_at": at,
            "due_at": None,
        }
    )
    await tx.connection.execute(
        update(send_tasks).where(send_tasks.c.run_step == step.id).values(state="over")
    )
    ended = None if state in ("running", "held_out") else at
    await tx.runs.change(run, state=state, key=key, ended_at=ended, due_at=None)
    return run


async def sweep(database: Database, counted: Collection[str] = ()) -> int:
    removed, after = 0, 0
    while True:
        async with database.begin() as tx:
            swept = await OldRuns(tx.connection, counted).sweep(CUTOFF, after)
        removed += swept.removed
        if swept.after is None:
            return removed
        after = swept.after


async def left(database: Database) -> tuple[list[int], list[int], list[int]]:
    """Return the runs that are left, those with steps, and those with tasks."""
    of_task = run_steps.join(send_tasks, send_tasks.c.run_step == run_steps.c.id)
    async with database.read() as tx:
        statements = (
            select(enrolments.c.id).order_by(enrolments.c.id),
            select(run_steps.c.enrolment).order_by(run_steps.c.enrolment),
            select(run_steps.c.enrolment).select_from(of_task).order_by(run_steps.c.enrolment),
        )
        runs, steps, tasks = [
            list((await tx.connection.execute(each)).scalars()) for each in statements
        ]
    return runs, steps, tasks


async def test_steps_and_tasks_of_old_runs_go_and_the_newest_run_of_each_kind_stays(
    database: Database,
) -> None:
    async with database.begin() as tx:
        first = await a_run(tx, CHAT)
        gone_out = await a_run(tx, CHAT, 2, state="exited")
        again = await a_run(tx, CHAT, 3)
        of_a_day = await a_run(tx, CHAT, 4, key="2024-10-01")
        held = await a_run(tx, "wrHeld", state="held_out")
        other = await a_run(tx, "wrOther")
        recent = await a_run(tx, CHAT, 5, at=NOON)
    assert await sweep(database) == 2 * 6 + 2  # a step and a task each; two runs
    runs, steps, tasks = await left(database)
    assert runs == [gone_out, of_a_day, held, other, recent]
    assert first not in runs
    assert again not in runs
    assert steps == tasks == [recent]
    assert await sweep(database) == 0


async def test_what_is_not_over_or_waits_for_somebody_stays(database: Database) -> None:
    async with database.begin() as tx:
        running = await a_run(tx, "wr1", state="running")
        lately = await a_run(tx, "wr2")
        await tx.runs.change(lately, ended_at=NOON)
        asked_after, queued, dead = [await a_run(tx, f"wr{number}") for number in (3, 4, 5)]
        (step,) = await tx.runs.steps(asked_after)
        await tx.connection.execute(
            update(send_tasks).where(send_tasks.c.run_step == step.id).values(state="waiting")
        )
        (step,) = await tx.runs.steps(queued)
        await tx.runs.set_step(step.id, OLD, state="queued")
        key = f"sop:{dead}:d02:1"
        await tx.outbox.put(key, broadcast(), Terms(purpose="control"), OLD)
        await tx.connection.execute(
            update(outbox).where(outbox.c.key == key).values(state="dead", due_at=None)
        )
        emptied = await a_run(tx, "wr6")
        newest = await a_run(tx, "wr7")  # SQLite would give its number to another step
    assert await sweep(database) == 2
    runs, steps, tasks = await left(database)
    assert emptied in runs
    assert steps == tasks == [running, lately, asked_after, queued, dead, newest]


async def test_runs_of_a_script_that_counts_every_entry_stay(database: Database) -> None:
    async with database.begin() as tx:
        runs = [await a_run(tx, CUSTOMER, rotation) for rotation in (1, 2, 3)]
        since = await tx.admissions.entered(SCRIPT, None)
    await sweep(database, counted=[SCRIPT])
    assert (await left(database))[:2] == (runs, runs[-1:])
    async with database.read() as tx:
        assert await tx.admissions.entered(SCRIPT, None) == since
    assert await sweep(database) == 2


async def test_who_may_enter_again_is_judged_as_before(database: Database) -> None:
    async with database.begin() as tx:
        for rotation, state in enumerate(("done", "exited", "done", "exited"), 1):
            await a_run(tx, CUSTOMER, rotation, state=state)
        before = (await tx.subjects.past_runs([CUSTOMER], [SCRIPT]))[CUSTOMER]
    await sweep(database)
    async with database.read() as tx:
        after = (await tx.subjects.past_runs([CUSTOMER], [SCRIPT]))[CUSTOMER]
    assert len(after) < len(before)
    assert max(run.rotation for run in after) == max(run.rotation for run in before)
    assert max(run.entered_at for run in after) == max(run.entered_at for run in before)
    for each in ("state", "key"):
        assert {getattr(run, each) for run in after} == {getattr(run, each) for run in before}


async def test_many_runs_go_a_few_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_runs, "CHUNK", 10)
    monkeypatch.setattr(old_runs, "_AT_ONCE", 4)
    async with database.begin() as tx:
        for number in range(25):
            await a_run(tx, f"wr{number % 5}", number // 5 + 1)
        newest = await a_run(tx, CHAT, at=NOON)
        first = await OldRuns(tx.connection).sweep(CUTOFF, 0)
    assert first.removed == 4 * 3
    assert first.after is not None
    assert await sweep(database) == 25 * 2 + 20 - first.removed
    runs, steps, _ = await left(database)
    assert (len(runs), steps) == (6, [newest])
