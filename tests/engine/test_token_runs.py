"""A run with a token, through the real workers: waits, branches, repeats, splits, exits."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.script import SopScript
from tests.domain.builders import script_of, starter_script
from tests.engine.conftest import MONDAY
from tests.engine.world import World
from tests.make import local

HEAD = """\
格式: sop/1
编号: {id}
名称: 试跑
版本: 1
状态: 已发布
负责人: 运营-甲
人设: xiaoan
对象: 客户
进入: {{方式: 手工}}
审批: {{内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}}
起点: 进入日
护栏: {{静默时段: ["20:30-09:00"], 每客每天: 10, 每客每周一对一营销: 7}}
{more}步骤:
"""
SENDS = "类型: 服务, 发送方式: 企业群发"


def flow(*steps: str, id: str = "trial", more: str = "") -> SopScript:
    return script_of(HEAD.format(id=id, more=more) + "".join(f"  - {{{each}}}\n" for each in steps))


def sends(id: str, more: str = "") -> str:
    extra = f", {more}" if more else ""
    return f'编号: {id}, 时间: "10:00-11:30", {SENDS}, 正文: 您好{id}{extra}'


async def test_the_dormant_script_waits_branches_and_hands_over(world: World) -> None:
    script = starter_script("dormant-3waves.sop.yaml")
    await world.publish(script)
    await world.people("wm1", "wm2")
    await world.enrol(script, "wm1", "wm2")
    await world.until(local("12:00"))
    assert (await world.run("wm1")).node == "w1-wait"
    assert {who for _, who, _ in world.wire.delivered()} == {"wm1", "wm2"}
    await world.happens("wm1", "客户回复", local("12:00"))
    await world.until(local("15:30"))
    run = await world.run("wm1")
    assert run.node == "engaged"
    taken = await world.noted("branch_taken")
    assert [(one["step"], one["to"]) for one in taken] == [("w1-wait", "engaged")]
    await world.until(MONDAY + timedelta(days=8))
    assert (await world.run("wm2")).node == "w2-wait"


async def test_w1_a_wait_ends_at_its_deadline(world: World) -> None:
    script = flow(
        "编号: ask, 等待: {任一: [到网点], 最长: 5天}, "
        "分支: [{当: 到网点, 转到: came}, {否则: gone}]",
        sends("came", "转到: 结束"),
        sends("gone"),
        more="休息日: 照发\n",
    )
    await world.publish(script)
    await world.people("wm1")
    await world.enrol(script, "wm1")
    await world.until(MONDAY + timedelta(days=5, minutes=9))
    assert (await world.run("wm1")).node == "ask"
    await world.until(MONDAY + timedelta(days=5, hours=5))
    assert (await world.run("wm1")).state == "done"
    assert await world.outcome("wm1") == {"gone": "confirmed"}
    assert [one["by"] for one in await world.noted("wait_ended")] == ["timeout"]


async def test_w2_an_event_counts_by_its_own_moment_and_may_come_late(world: World) -> None:
    script = flow(
        "编号: ask, 等待: {任一: [到网点], 最长: 24小时}, "
        "分支: [{当: 到网点, 转到: came}, {否则: gone}]",
        sends("came", "转到: 结束"),
        sends("gone"),
    )
    await world.publish(script)
    await world.people("wm1", "wm2")
    await world.enrol(script, "wm1", "wm2")
    await world.until(MONDAY + timedelta(hours=24, minutes=8))
    deadline = MONDAY + timedelta(hours=24)
    await world.happens("wm1", "到网点", deadline - timedelta(seconds=1))
    await world.happens("wm2", "到网点", deadline + timedelta(seconds=1))
    await world.until(MONDAY + timedelta(hours=30))
    assert set(await world.outcome("wm1")) == {"came"}
    assert set(await world.outcome("wm2")) == {"gone"}


async def test_w2_an_event_told_twice_counts_once(world: World) -> None:
    script = flow("编号: ask, 等待: {任一: [活动报名], 最长: 2天, 至少: 2}", sends("then"))
    await world.publish(script)
    await world.people("wm1")
    await world.enrol(script, "wm1")
    await world.until(MONDAY + timedelta(hours=1))
    for _ in range(3):
        await world.happens("wm1", "活动报名", MONDAY + timedelta(minutes=30), key="same")
    await world.work()
    assert (await world.run("wm1")).node == "ask"
    await world.happens("wm1", "活动报名", MONDAY + timedelta(minutes=40), key="other")
    await world.work()
    assert (await world.run("wm1")).node == "then"


async def test_w3_what_happened_already_ends_a_wait_unless_it_has_to_be_new(world: World) -> None:
    wait = "等待: {{任一: [到网点], 最长: 2天, 已发生: {}}}"
    old = flow(sends("hello"), f"编号: ask, {wait.format('跳过')}", sends("then"), id="old")
    new = flow(sends("hello"), f"编号: ask, {wait.format('要新的')}", sends("then"), id="new")
    await world.publish(old, new)
    await world.people("wm1", "wm2")
    await world.enrol(old, "wm1")
    await world.enrol(new, "wm2")
    await world.until(local("09:30"))
    for subject in ("wm1", "wm2"):
        await world.happens(subject, "到网点", local("09:20"))
    await world.until(local("15:00"))
    assert (await world.run("wm1")).node == "then"
    assert (await world.run("wm2")).node == "ask"
    await world.happens("wm2", "到网点", local("15:00"))
    await world.work()
    assert (await world.run("wm2")).node == "then"


async def test_a_branch_counts_an_event_in_the_days_it_names_whatever_the_wait_waits_for(
    world: World,
) -> None:
    wait = "等待: {任一: [客户回复], 最长: 2天, 从: 本步后}"
    fork = "分支: [{{当: '{}', 转到: came}}, {{否则: 结束}}]"
    script = flow(
        sends("hello"),
        f"编号: ask, {wait}, {fork.format('次数(客户回复, 14) >= 1')}",
        sends("came"),
    )
    new = flow(
        sends("hello"), f"编号: ask, {wait}, {fork.format('客户回复')}", sends("came"), id="new"
    )
    await world.publish(script, new)
    await world.people("wm1", "wm2", "wm3")
    await world.enrol(script, "wm1", "wm2")
    await world.enrol(new, "wm3")
    await world.until(local("09:30"))
    for subject in ("wm1", "wm3"):
        await world.happens(subject, "客户回复", local("09:20"))  # before the step that waits
    await world.until(MONDAY + timedelta(days=4))
    taken = {one["run"]: one["to"] for one in await world.noted("branch_taken")}
    assert taken == {1: "came", 2: "结束", 3: "结束"}


async def test_b1_the_first_true_branch_is_taken_and_told_with_its_reasons(world: World) -> None:
    script = flow(
        "编号: fork, 分支: [{当: 年龄 >= 60, 转到: old}, {当: 年龄 >= 18, 转到: adult}, "
        "{否则: unknown}]",
        sends("old", "转到: 结束"),
        sends("adult", "转到: 结束"),
        sends("unknown"),
    )
    await world.publish(script)
    await world.people("wm1", facts={"年龄": 66})
    await world.people("wm2", facts={"年龄": 30})
    await world.people("wm3")
    await world.enrol(script, "wm1", "wm2", "wm3")
    await world.until(local("12:00"))
    taken = {one["run"]: one for one in await world.noted("branch_taken")}
    assert [taken[n]["to"] for n in (1, 2, 3)] == ["old", "adult", "unknown"]
    assert taken[1]["why"] == [["年龄 >= 60", "是"], ["年龄", "66"]]
    assert [set(await world.outcome(f"wm{n}")) for n in (1, 2, 3)] == [
        {"old"},
        {"adult"},
        {"unknown"},
    ]


async def test_b2_a_step_repeats_as_often_as_it_says_and_a_true_branch_ends_it(
    world: World,
) -> None:
    script = flow(
        sends(
            "ask", "重复: {次数: 3, 每隔天: 2}, 分支: [{当: 客户回复, 转到: thanks}, {否则: end}]"
        ),
        sends("thanks", "转到: 结束"),
        sends("end"),
        more="休息日: 照发\n",
    )
    await world.publish(script)
    await world.people("wm1", "wm2")
    await world.enrol(script, "wm1", "wm2")
    await world.until(local("15:00"))
    assert (await world.run("wm1")).round == 2
    await world.happens("wm1", "客户回复", local("15:00"))
    await world.until(MONDAY + timedelta(days=9))
    assert await world.outcome("wm1") == dict.fromkeys(("ask", "ask~2", "thanks"), "confirmed")
    days = [step.planned_on.day for step in await world.steps("wm2")]
    assert days[:3] == [12, 14, 16]
    assert set((await world.keys()).values()) == {1}
    assert "sop:2:ask~3:1" in await world.keys()


async def test_max_duration_ends_a_run_that_waits(world: World) -> None:
    script = flow(
        "编号: ask, 等待: {任一: [到网点], 最长: 90天}", sends("then"), more="最长天数: 10\n"
    )
    await world.publish(script)
    await world.people("wm1")
    await world.enrol(script, "wm1")
    await world.until(MONDAY + timedelta(days=11))
    run = await world.run("wm1")
    assert (run.state, run.reason) == ("exited", "max_duration")


async def test_a_failed_precondition_skips_the_step_with_its_actions_and_goes_on(
    world: World,
) -> None:
    script = flow(
        sends("a", "前提: {条件: 年龄 >= 60}, 动作: [{打标签: 国债提醒}]"),
        sends("b", "动作: [{打标签: 国债提醒}]"),
    )
    await world.publish(script)
    await world.people("wm1")
    await world.enrol(script, "wm1")
    await world.until(local("15:00"))
    assert await world.outcome("wm1") == {"a": "precondition", "b": "confirmed"}
    assert [key for key in await world.keys() if "tag" in key or "~" in key] != []
    assert not [key for key in await world.keys() if ":a~1" in key]


async def test_a_way_without_room_gives_way_to_the_next(world: World) -> None:
    both = '编号: {}, 时间: "10:00-11:30", 类型: 活动, 发送方式: [企业群发, 提醒经理], 正文: 来吧'
    script = flow(
        both.format("first"),
        both.format("second"),
        more="",
    )
    rails = script.rails.model_copy(update={"private_marketing_a_week": 1})
    script = script.model_copy(update={"rails": rails})
    await world.publish(script)
    await world.people("wm1")
    await world.enrol(script, "wm1")
    await world.until(local("12:00", "2026-10-13"))
    ways = {step.step: step.way for step in await world.steps("wm1")}
    assert ways == {"first": "企业群发", "second": "提醒经理"}


async def test_a_full_week_lets_a_step_wait_for_the_day_with_room(world: World) -> None:
    script = flow(
        '编号: one, 时间: "10:00-11:30", 类型: 活动, 发送方式: 企业群发, 正文: 来吧',
        '编号: two, 时间: "10:00-11:30", 类型: 活动, 发送方式: 企业群发, 正文: 来吧',
        more="休息日: 照发\n",
    )
    rails = script.rails.model_copy(update={"private_marketing_a_week": 1})
    script = script.model_copy(update={"rails": rails})
    await world.publish(script)
    await world.people("wm1")
    await world.enrol(script, "wm1")
    await world.until(MONDAY + timedelta(days=9))
    assert [step.planned_on.day for step in await world.steps("wm1")] == [12, 19]
    assert await world.outcome("wm1") == {"one": "confirmed", "two": "confirmed"}


async def test_c6_a_script_that_brings_nothing_stops(world: World) -> None:
    """The upper bound of what it brings, times its value, is below what it costs."""
    measured = "看效果: {主指标: 互动率, 价值: 20, 成本: 3, 对照: {留白比例: 0.3, 随机种子: s}}\n"
    script = flow(
        "编号: ask, 等待: {任一: [到网点], 最长: 2天}, "
        "分支: [{当: 本波增量上界 < 成本, 转到: stop}, {否则: more}]",
        sends("more", "转到: 结束"),
        "编号: stop, 动作: [{打标签: 国债提醒}]",
        more=measured,
    )
    people = [f"wm{number}" for number in range(80)]
    await world.publish(script)
    await world.people(*people)
    await world.enrol(script, *people[:29])
    await world.until(MONDAY + timedelta(days=3))
    assert (await world.run("wm0")).been == ("ask", "more")  # too few to say anything
    await world.enrol(script, *people[29:])
    async with world.database.begin() as tx:
        await tx.connection.exec_driver_sql(
            "UPDATE enrolments SET state = 'held_out', due_at = NULL WHERE id > 45"
        )
    await world.happens("wm40", "到网点", world.clock.now() + timedelta(minutes=1))
    await world.until(MONDAY + timedelta(days=9))
    assert (await world.run("wm41")).been == ("ask", "stop")
