"""A step that people drain or terminate: runs pass over it, and go on behind it."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.hold import Verb
from bot.domain.script import SopScript
from tests.domain.builders import head, script_of
from tests.engine.conftest import MONDAY
from tests.engine.hands import meant, terminate, told
from tests.engine.test_token_runs import flow, sends
from tests.engine.world import World
from tests.make import local

ALWAYS = "休息日: 照发\n"
WEEK = MONDAY + timedelta(days=7)


async def hold(world: World, words: str, verb: Verb) -> None:
    orders, target = await meant(world, words)
    assert await orders.hold(target, verb)


def heard(world: World, who: str) -> list[str]:
    return [words.removeprefix("您好") for _, whom, words in world.wire.delivered() if whom == who]


async def begin(world: World, script: SopScript, *people: str) -> None:
    await world.publish(script)
    await world.people(*people)
    await world.enrol(script, *people, anchor=MONDAY.date())


def in_days(**ways: str) -> SopScript:
    """A script for groups that is planned ahead: one step a day."""
    steps = [
        f'  - {{编号: {step}, 第几天: {day}, 时间: "10:00-11:30", 类型: 服务, 发送方式: {way}, '
        f"正文: 您好{step}}}\n"
        for day, (step, way) in enumerate(ways.items(), 1)
    ]
    return script_of(head(id="trial", rest="照发", weekly=7) + "步骤:\n" + "".join(steps))


async def test_a_drained_step_is_passed_over_with_all_that_belongs_to_it(world: World) -> None:
    ask = sends("ask", "等待: {任一: [到网点], 最长: 5天}, 重复: {次数: 3, 每隔天: 1}")
    script = flow(sends("hello"), ask, sends("then"), more=ALWAYS)
    await begin(world, script, "wm1")
    await hold(world, "trial/ask", "drain")
    await world.until(WEEK)
    assert await world.outcome("wm1") == {
        "hello": "confirmed",
        "ask": "drained",
        "then": "confirmed",
    }
    assert heard(world, "wm1") == ["hello", "then"]
    assert (await world.run("wm1")).state == "done"


async def test_what_is_with_people_when_a_step_is_drained_is_finished(world: World) -> None:
    ask = sends("ask", "等待: {任一: [到网点], 最长: 2天}")
    await begin(world, flow(ask, sends("then"), more=ALWAYS), "wm1")
    await world.until(local("10:20"))
    await hold(world, "trial/ask", "drain")
    await world.until(MONDAY + timedelta(days=1))
    assert await world.outcome("wm1") == {"ask": "confirmed"}
    assert (await world.run("wm1")).phase == "wait"
    await world.until(WEEK)
    assert heard(world, "wm1") == ["ask", "then"]


async def test_a_drained_step_of_a_plan_is_skipped_until_it_is_opened_again(world: World) -> None:
    script = in_days(a="企业群发", b="企业群发", c="企业群发")
    await world.publish(script)
    await world.groups("wr1")
    await world.enrol(script, "wr1", anchor=MONDAY.date())
    await hold(world, "trial/a", "drain")
    await hold(world, "trial/c", "drain")
    await world.until(MONDAY + timedelta(days=1))
    orders, target = await meant(world, "trial/c")
    assert await orders.resume(target) == ["drain"]
    await world.until(WEEK)
    assert await world.outcome("wr1") == {"a": "drained", "b": "confirmed", "c": "confirmed"}


async def test_a_terminated_step_is_taken_back_and_the_runs_go_on(world: World) -> None:
    world.wire.confirm = 0
    script = in_days(a="企业群发", b="提醒群主侧边栏一键发", c="企业群发")
    await world.publish(script)
    await world.groups("wr1", "wr2")
    await world.enrol(script, "wr1", "wr2", anchor=MONDAY.date())
    await world.until(local("10:40"))
    assert await terminate(world, "trial/a") == 2
    await world.until(local("10:45"))
    assert len(world.wire.cancelled) == 1
    assert (await world.run("wr1")).state == "running"
    await world.until(MONDAY + timedelta(days=1, hours=2, minutes=40))
    assert await terminate(world, "trial/b") == 2
    world.wire.confirm = 1
    await world.until(WEEK)
    assert len(told(world)) == 1
    assert await world.outcome("wr1") == {"a": "terminated", "b": "terminated", "c": "confirmed"}
    assert (await world.run("wr1")).state == "done"
    used = await world.rows("SELECT key FROM quota WHERE subject = 'wr1'")
    assert [row[0].rpartition(":")[2] for row in used] == ["c"]


async def test_a_terminated_step_does_not_end_the_script(world: World) -> None:
    script = flow(
        sends("hello"), "编号: w, 等待: {任一: [到网点], 最长: 5天}", sends("then"), more=ALWAYS
    )
    await begin(world, script, "wm1", "wm2")
    await world.until(local("15:00"))
    assert (await world.run("wm1")).node == "w"
    await terminate(world, "trial/then")
    assert (await world.run("wm1")).state == "running"
    await world.people("wm3")
    asked = await world.enter(script, "wm3")
    assert [one.state for one in asked.admissions] == ["entered"]  # it still lets people in
    await terminate(world, "trial/w")  # who waits there waits no more
    await world.until(local("15:10"))
    assert [one["by"] for one in await world.noted("wait_ended")] == ["terminated"] * 2
    assert await world.outcome("wm2") == {"hello": "confirmed", "then": "terminated"}
    assert (await world.run("wm2")).state == "done"


async def test_a_step_that_is_on_its_way_when_it_is_terminated_does_not_leave(
    world: World,
) -> None:
    script = in_days(a="企业群发", b="企业群发")
    await world.publish(script)
    await world.groups("wr1")
    await world.enrol(script, "wr1", anchor=MONDAY.date())
    await world.until(local("10:00"))
    world.clock.jump(local("10:30"))
    await world.runs.step()
    assert await world.outcome("wr1") == {"a": "queued", "b": "planned"}
    async with world.database.begin() as tx:  # as one written just before it was ordered
        await tx.holds.begin("skip", "step", "trial/a", "王芳", "", world.clock.now())
    await world.until(WEEK)
    assert await world.outcome("wr1") == {"a": "terminated", "b": "confirmed"}
