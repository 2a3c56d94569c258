"""Steps that go by a date, in a run with a token: rest days, through the workers and simulated."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.script import SopScript
from bot.sop.simulation import Manners, simulate
from tests.engine.conftest import MONDAY
from tests.engine.test_token_runs import flow
from tests.engine.world import World
from tests.rooms.sop.test_simulate import case

EXPECTED = {  # 2026-10-17 is a Saturday
    "before": ("10-17", "rest_day"),  # the next working day is after Sunday the 18th
    "ahead": ("10-19", "confirmed"),
    "greeting": ("10-18", "confirmed"),
    "on": ("10-26", "confirmed"),
}


def dated(id: str, anchor: str, offset: int, kind: str = "服务") -> str:
    relative = f"相对: {{锚点: {anchor}, 偏移天: {offset}}}"
    return (
        f'编号: {id}, {relative}, 时间: "10:00-18:00", 类型: {kind}, 发送方式: 企业群发, '
        f"正文: 您好{id}"
    )


def script() -> SopScript:
    return flow(
        dated("before", "10月18日", -1),
        dated("greeting", "10月18日", 0, "祝福"),
        dated("ahead", "10月20日", -3),
        dated("on", "10月24日", 0),
    )


async def test_a_step_by_a_date_gives_way_to_a_day_of_rest(world: World) -> None:
    await world.publish(script())
    await world.people("wm1")
    await world.enrol(script(), "wm1")
    await world.until(MONDAY + timedelta(days=16))
    found = {
        row.step: (f"{row.planned_on:%m-%d}", row.reason or row.state)
        for row in await world.steps("wm1")
    }
    assert found == EXPECTED


def test_the_simulation_says_the_same_of_them() -> None:
    manners = Manners(confirm=1.0, unknown=0.0, quiet=True)
    outcome = simulate(case(script(), 20, manners=manners))
    assert outcome.entered.players
    for player in outcome.entered.players:
        found = {
            row.step: (f"{row.planned_on:%m-%d}", row.reason or row.state) for row in player.ended
        }
        assert found == EXPECTED
