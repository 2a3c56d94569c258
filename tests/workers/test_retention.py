"""The tidying at night: only then, only when nothing else is to be done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.clock import FakeClock
from bot.config.parts import RetentionSettings
from bot.domain.script import to_json
from bot.domain.subject import Occurrence
from bot.storage.db import Database
from bot.storage.tables import events
from bot.workers.content import Content, version_of
from bot.workers.loop import run_until_idle
from bot.workers.retention import RetentionWorker
from tests.domain.builders import head, script_of, step
from tests.make import CUSTOMER, NOON, OWNER, arrival, local, new_step

NIGHT = local("02:00", "2026-10-13")
OLD = NOON - timedelta(days=40)


@pytest.fixture
def tidier(database: Database, content: Content, clock: FakeClock) -> RetentionWorker:
    return RetentionWorker(database, RetentionSettings(), content, clock)


@pytest.fixture(autouse=True)
async def old_rows(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival("old")], OLD)
        await tx.connection.execute(update(events).values(state="done", due_at=None))
        await tx.conversations.add_turn(CUSTOMER, "客户", "您好", NOON - timedelta(days=200))
        await tx.ledger.add("message_in", CUSTOMER, NOON - timedelta(days=2000))


async def rows(database: Database) -> tuple[int, int, int]:
    async with database.read() as tx:
        counted = [
            await tx.connection.exec_driver_sql(f"SELECT count(*) FROM {name}")
            for name in ("events", "turns", "ledger")
        ]
    first, second, third = (result.scalar_one() for result in counted)
    return first, second, third


async def test_by_day_nothing_is_removed_and_at_night_what_is_old(
    database: Database, tidier: RetentionWorker, clock: FakeClock
) -> None:
    assert await run_until_idle([tidier], database, clock) == 0
    assert await rows(database) == (1, 1, 1)
    clock.jump(NIGHT)
    assert await run_until_idle([tidier], database, clock) > 0
    assert await rows(database) == (0, 0, 1)  # the ledger is kept for ever
    assert await run_until_idle([tidier], database, clock) == 0  # once a night


async def test_what_happened_is_kept_for_two_years(
    database: Database, tidier: RetentionWorker, clock: FakeClock
) -> None:
    moments = [NOON - timedelta(days=days) for days in (800, 700, 0)]
    async with database.begin() as tx:
        for at in moments:
            await tx.occurrences.add([Occurrence(f"{at}", CUSTOMER, "客户回复", at)], at)
        due = await tx.occurrences.take(NOON, limit=10)
        await tx.occurrences.asked([one.id for one in due])
    clock.jump(NIGHT)
    await run_until_idle([tidier], database, clock)
    async with database.read() as tx:
        kept = (await tx.occurrences.of_subjects([CUSTOMER]))[CUSTOMER]
    assert [one.at for one in kept] == moments[1:]


@pytest.mark.parametrize("counts_all", [False, True])
async def test_steps_of_old_runs_go_and_every_entry_stays_where_all_are_counted(
    database: Database,
    tidier: RetentionWorker,
    content: Content,
    clock: FakeClock,
    counts_all: bool,
) -> None:
    entry = "{方式: 手工, 总数最多: 9}" if counts_all else "{方式: 手工}"
    script = script_of(head(id="trial").replace("{方式: 手工}", entry) + "步骤:\n" + step("a", 1))
    async with database.begin() as tx:
        await tx.scripts.publish("trial", version_of(script), to_json(script), NOON)
        for rotation in (1, 2, 3):
            at = NOON - timedelta(days=800 - rotation)
            run = await tx.runs.enrol(
                script="trial",
                version=version_of(script),
                subject=CUSTOMER,
                owner=OWNER,
                branch="",
                anchor=at.date(),
                state="running",
                now=at,
                rotation=rotation,
            )
            assert run is not None
            await tx.runs.add_steps(run, [new_step("a")], at)
            (placed,) = await tx.runs.steps(run)
            await tx.runs.set_step(placed.id, at, state="confirmed")
            await tx.runs.end_all([run], "done", "", at)
    clock.jump(NIGHT)
    await run_until_idle([tidier], database, clock)
    async with database.read() as tx:
        assert await tx.admissions.entered("trial", None) == (3 if counts_all else 1)
        assert [one.run for one in await tx.runs.all_steps("trial")] == [3]


async def test_while_work_waits_nothing_is_removed(
    database: Database, tidier: RetentionWorker, clock: FakeClock
) -> None:
    clock.jump(NIGHT)
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival("new")], clock.now())
    assert await tidier.step() == 0
    async with database.begin() as tx:
        (event,) = await tx.inbox.claim_events(clock.now())
        await tx.inbox.finish_event(event)
    assert await tidier.step() == 1


async def test_a_limit_of_days_for_the_ledger_is_kept(
    database: Database, content: Content, clock: FakeClock
) -> None:
    clock.jump(NIGHT)
    keep = RetentionSettings(ledger_days=365, turns_days=0)
    await run_until_idle([RetentionWorker(database, keep, content, clock)], database, clock)
    assert await rows(database) == (0, 1, 0)
