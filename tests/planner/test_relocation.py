"""Moving runs by somebody's order: looked at first, then done, never a step twice (V2, V3, I10)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.script import SopScript
from bot.sop.diff import diff
from bot.sop.outlook import Outlook
from bot.workers.content import version_of
from bot.workers.relocation import Aim, Relocation
from tests.domain.builders import script, step
from tests.engine.conftest import MONDAY
from tests.engine.conftest import world as world
from tests.engine.test_token_runs import flow, sends
from tests.engine.world import World
from tests.make import local

OLD = script(step("a", 1), step("b", 2), step("c", 3))
NEW = script(step("a", 1), step("b", 2).replace("您好", "早上好"), step("d", 4))
GROUPS = ("wr1", "wr2", "wr3")


def relocation(world: World, to: SopScript, **how: object) -> Relocation:
    aim = Aim(to, version_of(to), **how)  # type: ignore[arg-type]
    return Relocation(world.database, world.content, world.clock, aim)


async def look(world: World, before: SopScript, to: SopScript, **how: object) -> Outlook:
    return await relocation(world, to, **how).look(diff(before, to))


@pytest.fixture
async def planned(world: World) -> World:
    """Give three groups that have had their first step."""
    await world.publish(OLD)
    await world.groups(*GROUPS)
    await world.enrol(OLD, *GROUPS)
    await world.until(local("12:00"))
    await world.publish(NEW)
    return world


async def test_who_is_concerned_is_said_before_anything_is_written(planned: World) -> None:
    before = await planned.rows("SELECT id, version, due_at FROM enrolments ORDER BY id")
    outlook = await look(planned, OLD, NEW, retime=True)
    assert outlook.runs == 3
    assert set(outlook.steps) == {"b", "c", "d"}  # a has gone out, and concerns nobody any more
    assert outlook.steps["b"].how == ("reworded",)
    assert outlook.steps["b"].first == list(GROUPS)
    (days, count) = next(iter(outlook.steps["c"].days.items()))
    assert (days[1], count) == (None, 3)
    assert await planned.rows("SELECT id, version, due_at FROM enrolments ORDER BY id") == before


async def test_runs_go_on_in_the_new_version_and_repeat_nothing(planned: World) -> None:
    done = await relocation(planned, NEW, retime=True).carry_out("运营-甲")
    assert (done.moved, done.later) == (3, 0)
    await planned.until(MONDAY + timedelta(days=6))
    assert await planned.outcome("wr1") == {
        "a": "confirmed",
        "b": "confirmed",
        "c": "step_removed",
        "d": "confirmed",
    }
    told = [text for _, who, text in planned.wire.delivered() if who == "wr1"]
    assert told == ["您好", "早上好", "您好"]
    assert max((await planned.keys()).values()) == 1
    assert [entry["by"] for entry in await planned.noted("moved")] == ["运营-甲"] * 3
    assert (await look(planned, OLD, NEW)).runs == 0


FLOW = flow(sends("a"), "编号: w, 等待: {任一: [到网点], 最长: 5天}", sends("b"))
SHORT = flow(sends("a"), sends("b2"))


async def test_a_run_at_a_deleted_step_stays_until_somebody_says_where_it_goes(
    world: World,
) -> None:
    await world.publish(FLOW)
    await world.people("wm1")
    await world.enrol(FLOW, "wm1")
    await world.until(local("14:00"))
    assert (await world.run("wm1")).node == "w"
    await world.publish(SHORT)
    assert (await look(world, FLOW, SHORT)).stay == {"no_target": ["wm1"]}
    assert (await relocation(world, SHORT).carry_out("甲")).moved == 0
    assert (await look(world, FLOW, SHORT, mapping={"w": "a"})).stay == {"already_done": ["wm1"]}
    done = await relocation(world, SHORT, mapping={"w": "b2"}).carry_out("甲")
    assert done.moved == 1
    await world.until(MONDAY + timedelta(days=3))
    assert await world.outcome("wm1") == {"a": "confirmed", "b2": "confirmed"}


async def test_a_run_that_is_in_a_managers_list_is_moved_later(world: World) -> None:
    world.wire.confirm = 0.0
    await world.publish(FLOW)
    await world.people("wm1")
    await world.enrol(FLOW, "wm1")
    await world.until(local("10:30"))
    done = await relocation(world, SHORT).carry_out("甲")
    assert (done.moved, done.later) == (0, 1)
    assert (await world.run("wm1")).version == version_of(FLOW)


async def test_a_run_can_be_ended_by_a_move(world: World) -> None:
    await world.publish(FLOW)
    await world.people("wm1")
    await world.enrol(FLOW, "wm1")
    await world.until(local("14:00"))
    done = await relocation(world, SHORT, mapping={"w": "结束"}).carry_out("甲")
    assert done.ended == 1
    run = await world.run("wm1")
    assert (run.state, run.reason) == ("exited", "moved_out")
