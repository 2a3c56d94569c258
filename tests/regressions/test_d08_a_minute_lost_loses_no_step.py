"""D8: a step whose minute nobody saw is sent late within its window, or judged by 错过时间窗."""

from __future__ import annotations

import pytest

from bot.clock import FakeClock
from bot.storage.db import Database
from bot.workers.content import Snapshot
from bot.workspace import Workspace
from tests.domain.builders import script, step
from tests.engine.conftest import MONDAY
from tests.engine.test_token_runs import flow, sends
from tests.engine.world import World
from tests.make import local
from tests.planner.conftest import snapshot as snapshot
from tests.planner.conftest import workspace as workspace


@pytest.fixture
def world(database: Database, workspace: Workspace, snapshot: Snapshot) -> World:
    return World(database, workspace, snapshot, FakeClock(MONDAY))


async def test_seven_minutes_that_nobody_saw_lose_nothing(world: World) -> None:
    planned = script(step("a", 1), id="planned")
    one_to_one = flow(sends("b"), id="flow")
    await world.publish(planned, one_to_one)
    await world.groups("wr1")
    await world.people("wm1")
    await world.enrol(planned, "wr1")
    await world.enrol(one_to_one, "wm1")
    await world.until(local("09:27"))
    world.clock.jump(local("09:34"))  # the group's step opened at 09:30
    await world.until(local("09:35"))
    assert set((await world.outcome("wr1")).values()) == {"waiting"}
    await world.until(local("09:57"))
    world.clock.jump(local("10:04"))  # the customer's at 10:00
    await world.until(local("10:05"))
    assert (await world.outcome("wm1")) == {"b": "waiting"}
    await world.until(local("13:00"))
    assert len(world.wire.delivered()) == 2


async def test_a_window_that_nobody_saw_is_missed_for_the_reason_it_was(world: World) -> None:
    planned = script(step("a", 1), step("b", 2), id="planned")
    await world.publish(planned)
    await world.groups("wr1")
    await world.enrol(planned, "wr1")
    await world.until(local("09:00"))
    world.clock.jump(local("10:31"))
    await world.until(local("12:00", "2026-10-13"))
    assert await world.outcome("wr1") == {"a": "window_missed", "b": "confirmed"}
