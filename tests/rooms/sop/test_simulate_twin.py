"""The simulator and the real workers decide alike for the same input (I9)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.mass_messages import Broadcast
from bot.domain.runs import RunStep
from bot.domain.script import SopScript
from bot.domain.steps import SendBy
from bot.sop.simulation import Manners, Outcome, simulate
from bot.sop.simulation.chance import Chance
from bot.sop.simulation.hands import press_after
from tests.domain.builders import script_of, starter_script
from tests.engine.conftest import (
    MONDAY,
    database,
    migrated_sqlite,
    snapshot,
    url,
    workspace,
    world,
)
from tests.engine.world import Wire, World
from tests.rooms.sop.test_simulate import case

__all__ = ["database", "migrated_sqlite", "snapshot", "url", "workspace", "world"]

FLOW = """\
格式: sop/1
编号: flow
名称: 试跑
版本: 1
状态: 已发布
负责人: 运营-甲
人设: xiaoan
对象: 客户群
进入: {方式: 手工}
审批: {内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}
起点: 进入日
护栏: {静默时段: ["11:45-14:30", "19:30-08:30"], 每群每天企业群发: 1, 每群每周企业群发: 3}
步骤:
  - {编号: s, 分流: {实验: 口吻, 单位: 客户群, 比例: {甲: 50, 乙: 50}}}
  - {编号: a, 时间: "09:30-17:00", 类型: 服务, 发送方式: 企业群发, 正文按分流: {甲: 你好, 乙: 您好}}
  - {编号: b, 相隔天: 1, 时间: "09:30-10:30", 类型: 反诈, 发送方式: 企业群发, 正文: 防骗,
     重复: {次数: 3, 每隔天: 2}}
  - {编号: w, 等待: {任一: [活动报名], 最长: 3天}, 分支: [{当: 群人数 > 30, 转到: c}, {否则: d}]}
  - {编号: c, 类型: 服务, 发送方式: 企业群发, 正文: 人多, 转到: 结束}
  - {编号: d, 类型: 服务, 发送方式: 企业群发, 正文: 人少}
"""
SENIOR = starter_script("senior-21d.sop.yaml")


@pytest.fixture
def backend() -> str:
    """Name one database: what is decided does not hang on which."""
    return "sqlite"


def by_task_only(script: SopScript) -> SopScript:
    """Leave out what somebody does by hand, which the wire in memory has nobody for."""
    steps = tuple(step for step in script.steps if step.send_by == (SendBy.BROADCAST,))
    return script.model_copy(update={"steps": steps, "late_joiners": None})


class TwinWire(Wire):
    """Has the managers press as those of the simulation do, by the same draws."""

    def __init__(self, world: World, outcome: Outcome) -> None:
        super().__init__(world.clock)
        self._case = outcome.case
        rows = [row for player in outcome.entered.players for row in player.ended]
        self._steps = {row.text: row.step for row in rows}

    def pressed_at(self, msgid: str) -> datetime | None:
        made_at, message = self.tasks[msgid]
        assert isinstance(message, Broadcast)
        zone, text = self._case.bank.zone, _text(message)
        day = f"{made_at.astimezone(zone):%Y%m%d}"
        same = [
            other
            for other, (at, one) in self.tasks.items()
            if (one.owner, _text(one)) == (message.owner, text)  # type: ignore[union-attr]
            and f"{at.astimezone(zone):%Y%m%d}" == day
        ]
        about = (
            message.owner,
            self._steps.get(text, "not in the simulation"),
            same.index(msgid) + 1,
            day,
            "",
        )
        after = press_after(Chance(self._case.seed), self._case.manners.confirm, *about)
        at, cancelled = None if after is None else made_at + after, self.cancelled.get(msgid)
        return None if at is None or (cancelled is not None and cancelled <= at) else at


def _text(message: object) -> str:
    assert isinstance(message, Broadcast)
    return message.contents[0].text  # type: ignore[union-attr]


def decided(outcome: Outcome) -> dict[str, list[tuple[Any, ...]]]:
    return {
        player.run.subject: sorted(_row(row) for row in (*player.ended, *player.steps.values()))
        for player in outcome.entered.players
    }


def _row(row: RunStep) -> tuple[Any, ...]:
    return (
        *(row.step, row.round, str(row.planned_on), row.state, row.reason),
        *(row.iteration, row.variant, row.text),
    )


@pytest.mark.parametrize("script", [by_task_only(SENIOR), script_of(FLOW)], ids=["plan", "flow"])
async def test_the_simulation_and_the_workers_decide_alike(world: World, script: SopScript) -> None:
    owner = world.owner.model_copy(update={"role": "客户经理"})
    bank = world.content.bank.model_copy(update={"staff": (owner,)})
    manners = Manners(confirm=0.6, quiet=True)
    of = case(script, 5, bank=bank, members=20, manners=manners)
    outcome = simulate(of)
    subjects = [player.run.subject for player in outcome.entered.players]
    assert subjects
    world.wire = TwinWire(world, outcome)
    world.begin()
    await world.publish(script)
    await world.groups(*subjects)
    runs = await world.enrol(script, *subjects)
    await world.until(MONDAY + timedelta(days=33))
    real = {subject: sorted(_row(row) for row in await world.steps(subject)) for subject in runs}
    simulated = decided(outcome)
    for subject in subjects:
        assert real[subject] == simulated[subject]
    states = {player.run.subject: player.run.state for player in outcome.entered.players}
    assert {subject: (await world.run(subject)).state for subject in runs} == states
