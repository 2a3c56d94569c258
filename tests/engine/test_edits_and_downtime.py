"""Live edits, changed shares, a new calendar, long downtime (I5, I7, I10, I14; 2.12, 2.13)."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from bot.clock import FakeClock
from bot.domain.opening import Hours
from bot.domain.script import SopScript
from bot.domain.script_parts import OnEdit
from bot.storage.db import Database
from bot.workers.calendar_news import CalendarNews
from bot.workers.content import Content, Snapshot
from bot.workers.publish import Sweeper
from bot.workspace import Workspace
from tests.engine.conftest import MONDAY
from tests.engine.random_scripts import planned_script, token_script
from tests.engine.test_invariants import DAYS, GROUPS, PEOPLE, SEEDS, play
from tests.engine.test_token_runs import flow
from tests.engine.world import World
from tests.make import local

MANY = tuple(f"wm{number}" for number in range(20))
NEXT_WINDOW = timedelta(days=4)  # a step that begins when the one before is seen to be over
LEASES = timedelta(hours=2)  # two minutes each; then a poll may come an hour later
Delivered = list[tuple[datetime, str, str]]
FEW = SEEDS[:1] if len(SEEDS) < 10 else SEEDS


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def another(
    migrated_sqlite: Path, tmp_path: Path, workspace: Workspace, snapshot: Snapshot
) -> Callable[[], Awaitable[World]]:
    async def open_one() -> World:
        file = tmp_path / "another.db"
        shutil.copyfile(migrated_sqlite, file)
        database = await Database.open(f"sqlite:///{file}", durable=False)
        return World(database, workspace, snapshot, FakeClock(MONDAY))

    return open_one


async def move_to(world: World, script: SopScript) -> None:
    """Put a version in force, and move every run to it that is at a safe point."""
    await world.publish(script)
    async with world.database.begin() as tx:
        await tx.moving.begin(f"runs:{script.id}")
    await Sweeper(world.database, world.content, world.clock).sweep()


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("seed", FEW)
async def test_i7_crashes_change_nothing_but_moments(
    world: World, another: Callable[[], Awaitable[World]], seed: int, planned: bool
) -> None:
    subjects = GROUPS if planned else PEOPLE
    other, to_the_end = await another(), MONDAY + timedelta(days=DAYS)
    try:
        # Nobody ends a run: how far it is at a moment is what a crash may change.
        people = {"planned": planned, "ends_at": to_the_end, "prompt": True}
        whole = await play(other, seed, share=0.0, **people)
        crashed = await play(world, seed, share=0.1, **people)
        assert crashed.crashes
        assert not whole.crashes
        for subject in subjects:
            assert await crashed.outcome(subject) == await whole.outcome(subject)
        late = LEASES if planned else LEASES + NEXT_WINDOW
        _same_but_for_moments(crashed.wire.delivered(), whole.wire.delivered(), late)
    finally:
        await other.database.close()


def _same_but_for_moments(crashed: Delivered, whole: Delivered, late: timedelta) -> None:
    """What was in the hands of whoever died is taken up again once its lease is over."""
    told, as_told = ([(who, words, at) for at, who, words in one] for one in (crashed, whole))
    pairs = list(zip(sorted(told), sorted(as_told), strict=True))
    assert [one[:2] for one, _ in pairs] == [other[:2] for _, other in pairs]
    assert max((abs(one[2] - other[2]) for one, other in pairs), default=late) <= late


@pytest.mark.parametrize("seed", FEW)
async def test_i5_an_exposed_unit_keeps_its_arm_whatever_the_shares_become(
    world: World, seed: int
) -> None:
    def version(shares: str, number: int) -> SopScript:
        split = f"编号: split, 分流: {{实验: words, 单位: 客户, 比例: {shares}}}"
        said = ", ".join(
            (
                'SAY, 时间: "10:00-11:30", 类型: 服务, 发送方式: 企业群发',
                "正文按分流: {甲: 你好甲, 乙: 你好乙}, 重复: {次数: 6, 每隔天: 1}",
            )
        )
        script = flow(split, said.replace("SAY", "编号: say"), more="休息日: 照发\n")
        return script.model_copy(update={"number": number, "on_edit": OnEdit.UNDUE_STEPS})

    random = Random(seed)
    await world.publish(version("{甲: 50, 乙: 50}", 1))
    await world.people(*MANY)
    half = version("{甲: 50, 乙: 50}", 1)
    await world.enrol(half, *MANY[:10])
    for number in range(2, 6):
        await world.until(MONDAY + timedelta(days=number - 1, hours=random.randint(0, 12)))
        share = random.randint(1, 99)
        changed = version(f"{{甲: {share}, 乙: {100 - share}}}", number)
        await move_to(world, changed)
        if number == 3:
            await world.enrol(changed, *MANY[10:])
    await world.until(MONDAY + timedelta(days=12))
    heard: dict[str, set[str]] = defaultdict(set)
    for _, who, words in world.wire.delivered():
        heard[who].add(words)
    assert set(heard) == set(MANY)
    assert all(len(words) == 1 for words in heard.values())
    epochs = await world.rows("SELECT count(DISTINCT epoch) FROM assignments")
    assert epochs[0][0] >= 1


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("seed", FEW)
async def test_i10_a_moved_run_does_nothing_again_and_goes_on(
    world: World, seed: int, planned: bool
) -> None:
    make = planned_script if planned else token_script
    subjects = GROUPS if planned else PEOPLE
    first = make(Random(f"{seed}-first"), "trial")
    await world.publish(first)
    await (world.groups(*subjects) if planned else world.people(*subjects))
    await world.enrol(first, *subjects)
    random = Random(seed)
    for number in range(3):
        await world.until(MONDAY + timedelta(days=3 * number, hours=random.randint(1, 30)))
        edited = make(Random(f"{seed}-edit-{number}"), "trial")
        await move_to(world, edited.model_copy(update={"number": number + 2}))
    await world.until(MONDAY + timedelta(days=75))
    states = await world.rows("SELECT state FROM enrolments")
    assert {row[0] for row in states} <= {"done", "exited"}
    assert set((await world.keys()).values()) <= {1}
    for subject in subjects:
        done = [(step.step, step.round) for step in await world.steps(subject)]
        assert len(done) == len(set(done))
        run = await world.run(subject)
        assert len(run.been) == len(set(run.been))


@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("seed", FEW)
async def test_26_hours_of_downtime_over_a_holiday(world: World, seed: int, planned: bool) -> None:
    """2.12: nothing expired is sent, nothing twice, and nothing out of hours."""
    world.clock.jump(local("08:00", "2026-09-28"))
    make = planned_script if planned else token_script
    subjects = GROUPS if planned else PEOPLE
    script = make(Random(f"{seed}-down"), "trial")
    await world.publish(script)
    await (world.groups(*subjects) if planned else world.people(*subjects))
    await world.enrol(script, *subjects)
    random = Random(seed)
    for day in ("2026-09-30", "2026-10-05"):
        await world.until(local(f"{random.randint(8, 19):02}:10", day))
        world.clock.advance(hours=26)  # nobody works meanwhile
    await world.until(local("09:00", "2026-12-20"))
    content = world.content
    hours = Hours(script.rails, content.tables, content.bank.zone)
    assert all(hours.is_open(at) for at, _, _ in world.wire.delivered())
    assert set((await world.keys()).values()) <= {1}
    by_day: dict[tuple[str, object], int] = defaultdict(int)
    for at, who, _ in world.wire.delivered():
        by_day[who, at.astimezone(content.bank.zone).date()] += 1
    a_day = script.rails.broadcasts_a_day if planned else script.rails.private_a_day
    assert max(by_day.values(), default=0) <= a_day


async def test_i14_a_new_calendar_moves_only_what_is_to_come(world: World) -> None:
    script = planned_script(Random(5), "trial").model_copy(update={"rest_days": "顺延"})
    await world.publish(script)
    await world.groups(*GROUPS)
    await world.enrol(script, *GROUPS)
    await world.until(MONDAY + timedelta(days=7))
    before = {step.step: step for step in await world.steps("wr1")}
    await recalendar(world.content, world)
    after = {step.step: step for step in await world.steps("wr1")}
    today = world.clock.now().date()
    past = [s for s in before.values() if s.planned_on <= today or s.state != "planned"]
    assert all(after[step.step] == step for step in past)
    moved = [s for s in before.values() if after[s.step].planned_on != s.planned_on]
    assert moved
    assert all(not world.content.tables.is_workday(step.planned_on) for step in moved[:1])


async def recalendar(content: Content, world: World) -> None:
    """Make the next workday on which a step is planned a holiday, as a new schedule does."""
    today = world.clock.now().date()
    planned = [step.planned_on for step in await world.steps("wr1") if step.state == "planned"]
    day = min(day for day in planned if day > today)
    tables = content.tables
    workdays = {**tables.workdays, day: False}
    news = CalendarNews(world.database, world.clock)
    assert not await news.look(tables)
    content.tables = tables.model_copy(update={"workdays": workdays})
    assert await news.look(content.tables)
    await Sweeper(world.database, world.content, world.clock).sweep()
