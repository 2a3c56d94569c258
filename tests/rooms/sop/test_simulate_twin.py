"""The simulator and the real workers decide alike for the same input (I9)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bot.domain.mass_messages import Broadcast, CustomerBroadcast, sender_of
from bot.domain.runs import RunStep
from bot.domain.script import SopScript
from bot.domain.steps import SendBy
from bot.sop.simulation import ASKED, Manners, Outcome, simulate
from bot.sop.simulation.chance import Chance
from bot.sop.simulation.hands import press_after
from tests.domain.builders import script_of, starter_script
from tests.engine.conftest import (
    MONDAY,
    database,
    snapshot,
    url,
    workspace,
    world,
)
from tests.engine.world import Wire, World
from tests.rooms.sop.test_simulate import case

__all__ = ["database", "snapshot", "url", "workspace", "world"]

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
PEOPLE = """\
格式: sop/1
编号: people
名称: 试跑
版本: 1
状态: 已发布
负责人: 运营-甲
人设: xiaoan
对象: 客户
进入: {方式: 手工}
审批: {内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}
适用: {条件: 好友 且 营销同意, 排除: 拒收}
起点: 进入日
最长天数: 60
护栏: {静默时段: ["11:45-14:30", "19:30-08:30"], 每客每天: 1, 每客每周一对一营销: 1,
  每客每月一对一营销: 2}
步骤:
  - {编号: s, 分流: {实验: 口吻, 单位: 客户, 比例: {甲: 50, 乙: 50}}}
  - {编号: a, 时间: "09:30-17:00", 类型: 活动, 发送方式: 企业群发, 正文按分流: {甲: 你好, 乙: 您好}}
  - {编号: w, 等待: {任一: [到网点], 最长: 4天},
     分支: [{当: 到网点, 转到: c}, {当: 年龄 >= 60, 转到: b}, {否则: d}]}
  - {编号: b, 相隔天: 1, 时间: "09:30-10:30", 类型: 反诈, 发送方式: 企业群发, 正文: 防骗,
     重复: {次数: 3, 每隔天: 2}}
  - {编号: c, 时间: "14:30-15:30", 类型: 活动, 发送方式: 企业群发, 正文: 来过, 额度用完: 等到有额度}
  - {编号: d, 相隔天: 2, 类型: 知识, 发送方式: 企业群发, 正文: 知识, 前提: {条件: 非(到网点)},
     群主未确认: {提醒: 1, 最长: 24小时, 之后: 跳过}}
  - {编号: e, 类型: 活动, 发送方式: 企业群发, 正文: 再来, 额度用完: 跳过}
  - {编号: f, 相隔天: 1, 类型: 活动, 发送方式: 企业群发, 正文: 最后, 错过时间窗: 后面一起顺延}
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
        assert isinstance(message, Broadcast | CustomerBroadcast)
        zone, text = self._case.bank.zone, _text(message)
        day = f"{made_at.astimezone(zone):%Y%m%d}"
        same = [
            other
            for other, (at, one) in self.tasks.items()
            if (_owner(one), _text(one)) == (_owner(message), text)
            and f"{at.astimezone(zone):%Y%m%d}" == day
        ]
        about = (
            _owner(message),
            self._steps.get(text, "not in the simulation"),
            same.index(msgid) + 1,
            day,
            "",
        )
        after = press_after(Chance(self._case.seed), self._case.manners.confirm, *about)
        at, cancelled = None if after is None else made_at + after, self.cancelled.get(msgid)
        return None if at is None or (cancelled is not None and cancelled <= at) else at


def _owner(message: object) -> str:
    assert isinstance(message, Broadcast | CustomerBroadcast)
    return sender_of(message)


def _text(message: object) -> str:
    assert isinstance(message, Broadcast | CustomerBroadcast)
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


async def test_of_customers_the_simulation_and_the_workers_decide_alike(world: World) -> None:
    """A token script, with what the simulated customers do done by the real ones, too (I9)."""
    script = script_of(PEOPLE)
    owner = world.owner.model_copy(update={"role": "客户经理"})
    bank = world.content.bank.model_copy(update={"staff": (owner,)})
    nothing = ("客户回复", "客户拒收", "投诉", "删好友", ASKED)
    rates = dict.fromkeys(nothing, 0.0) | {"到网点": 0.3}
    manners = Manners(confirm=0.75, unknown=0.05, rates=rates)
    outcome = simulate(case(script, 30, bank=bank, manners=manners))
    players = outcome.entered.players
    subjects = [player.run.subject for player in players]
    world.wire = TwinWire(world, outcome)
    world.begin()
    await world.publish(script)
    for player in players:
        known = {name: _raw(value) for name, value in player.facts.facts.items()}
        await world.people(player.run.subject, facts=known)
    runs = await world.enrol(script, *subjects)
    happened = [(one.at, p.run.subject, one.kind, one.key) for p in players for one in p.happened]
    assert happened
    for at, subject, kind, key in sorted(happened):
        await world.until(at)
        await world.happens(subject, kind, at, f"{subject}:{key}")
    await world.until(MONDAY + timedelta(days=62))
    real = {subject: sorted(_row(row) for row in await world.steps(subject)) for subject in runs}
    simulated = decided(outcome)
    for subject in subjects:
        assert real[subject] == simulated[subject]
    ends = {player.run.subject: (player.run.state, player.run.been) for player in players}
    assert ends == {s: ((run := await world.run(s)).state, run.been) for s in subjects}
    reasons = {row[4] for rows in real.values() for row in rows}
    assert {"confirmed"} < {row[3] for rows in real.values() for row in rows}
    assert {"owner_unconfirmed", "weekly_cap"} <= reasons
    assert {row[0] for rows in real.values() for row in rows} == {*"abcdef"}


def _raw(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value
