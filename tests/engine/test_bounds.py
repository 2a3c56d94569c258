"""What nothing is sent beyond: midnight, an event, a repetition's last day, a full ledger."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta

import pytest

from tests.domain.builders import head, script_of
from tests.engine.conftest import MONDAY
from tests.engine.test_token_runs import SENDS, flow, sends
from tests.engine.world import World
from tests.make import ZONE, local

EVERY_DAY = "休息日: 照发\n"
ASKS = '编号: ask, 时间: "10:00-11:30", 正文: 来吧'


@pytest.fixture
def backend() -> str:
    return "sqlite"


async def begun(
    world: World, *texts: str, anchor: datetime = MONDAY, more: str = EVERY_DAY
) -> None:
    script = flow(*texts, more=more)
    await world.publish(script)
    await world.people("wm1")
    await world.enrol(script, "wm1", anchor=anchor.date())


async def test_a_task_ends_at_midnight_so_that_no_day_has_one_message_too_many(
    world: World,
) -> None:
    def pressed(msgid: str) -> datetime | None:
        made, message = world.wire.tasks[msgid]
        late = "一" in str(message) and made < local("00:00", "2026-10-13")
        at = made + (timedelta(hours=24) if late else timedelta(minutes=5))
        cancelled = world.wire.cancelled.get(msgid)
        return None if cancelled is not None and cancelled <= at else at

    world.wire.pressed_at = pressed  # type: ignore[method-assign]
    waits = "群主未确认: {提醒: 1, 最长: 48小时}"
    one = flow(
        f'编号: a, 时间: "10:00-11:30", {SENDS}, 正文: 一, {waits}', more=EVERY_DAY, id="one"
    )
    two = flow(
        f'编号: a, 第几天: 2, 时间: "09:00-09:30", {SENDS}, 正文: 二', more=EVERY_DAY, id="two"
    )
    rails = one.rails.model_copy(update={"quiet": (), "private_a_day": 1})
    scripts = [each.model_copy(update={"rails": rails}) for each in (one, two)]
    await world.publish(*scripts)
    await world.people("wm1")
    for each in scripts:
        await world.enrol(each, "wm1", anchor=MONDAY.date())
    await world.until(MONDAY + timedelta(days=6))
    days = Counter(at.astimezone(ZONE).date() for at, _, _ in world.wire.delivered())
    assert sorted(words for _, _, words in world.wire.delivered()) == ["一", "二"]
    assert max(days.values()) == 1


async def test_words_about_an_event_are_not_made_up_for_once_they_are_untrue(world: World) -> None:
    event = min(
        (one for one in world.content.bank.events if one.branch == world.owner.branch),
        key=lambda one: one.on,
    )
    the_day_before = datetime.combine(event.on - timedelta(days=1), time(8), tzinfo=ZONE)
    world.clock.jump(the_day_before)
    rules = "错过时间窗: 后面一起顺延, 有效到: {活动开始前小时: 3}"
    await begun(world, f"{ASKS}, {SENDS}, {rules}", anchor=the_day_before)
    await world.work()
    world.clock.advance(hours=4)  # nobody works while its window is open
    await world.until(the_day_before + timedelta(days=3))
    assert world.wire.delivered() == []
    assert await world.outcome("wm1") == {"ask": "window_missed"}


@pytest.mark.parametrize(
    ("last", "sent"),
    [
        ("2026-10-18", ["2026-10-12"]),
        ("2026-10-01", []),
        ("2026-10-19", ["2026-10-12", "2026-10-19"]),
    ],
)
async def test_no_round_is_sent_after_the_last_day(
    world: World, last: str, sent: list[str]
) -> None:
    again = f"重复: {{次数: 4, 每隔天: 5, 到: {last}}}"
    await begun(world, f"{ASKS}, {SENDS}, {again}", more="休息日: 顺延\n")
    await world.until(MONDAY + timedelta(days=30))
    assert [str(at.astimezone(ZONE).date()) for at, _, _ in world.wire.delivered()] == sent
    reasons = {row.reason for row in await world.steps("wm1") if row.state == "skipped"}
    assert reasons <= {"repeat_over"}
    assert (await world.run("wm1")).state == "done"


async def test_a_wait_for_something_new_branches_on_what_is_new(world: World) -> None:
    waits = "编号: w, 等待: {任一: [客户回复], 最长: 2天, 已发生: 要新的}"
    branches = "分支: [{当: 客户回复, 转到: yes}, {否则: no}]"
    await begun(
        world, sends("hello"), f"{waits}, {branches}", sends("yes", "转到: 结束"), sends("no")
    )
    await world.until(local("09:00"))
    await world.happens("wm1", "客户回复", local("09:00"))
    await world.until(MONDAY + timedelta(days=6))
    assert [one["by"] for one in await world.noted("wait_ended")] == ["timeout"]
    assert "no" in await world.outcome("wm1")


async def test_who_answers_is_not_tired_whatever_the_script_asks_to_know(world: World) -> None:
    promotes = "类型: 活动, 发送方式: 企业群发, 正文: 来吧"
    texts = [
        f'编号: s{day}, 第几天: {day}, 时间: "10:00-11:30", {promotes}' for day in (1, 9, 17, 25)
    ]
    await begun(world, *texts)
    for day in range(30):
        await world.until(MONDAY + timedelta(days=day, hours=6))
        await world.happens("wm1", "客户回复", world.clock.now())
    days = [
        (at.astimezone(ZONE).date() - MONDAY.date()).days + 1 for at, _, _ in world.wire.delivered()
    ]
    assert days == [1, 9, 17, 25]


async def test_a_round_that_is_passed_over_gives_its_place_back(world: World) -> None:
    missed = "错过时间窗: 只补最近一次, 重复: {次数: 4, 每隔天: 2}"
    await begun(world, f"{ASKS}, {SENDS}, {missed}")
    await world.work()
    world.clock.advance(hours=24 * 4 + 4)  # nobody works
    await world.until(MONDAY + timedelta(days=20))
    rows = await world.steps("wm1")
    assert {row.state for row in rows} == {"confirmed", "skipped"}
    assert await world.rows("SELECT \"key\" FROM quota WHERE state = 'planned'") == []


async def test_of_several_missed_steps_of_a_group_the_newest_alone_is_made_up_for(
    world: World,
) -> None:
    steps = "".join(
        f'  - {{编号: s{day}, 第几天: {day}, 时间: "10:00-11:00", {SENDS}, 正文: 第{day}条}}\n'
        for day in (1, 2, 3, 4)
    )
    text = head(rest="照发", weekly=7, missed="只补最近一次")
    script = script_of(f"{text}步骤:\n{steps}")
    await world.publish(script)
    await world.groups("wr1")
    await world.enrol(script, "wr1", anchor=MONDAY.date())
    await world.work()
    world.clock.advance(hours=24 * 2 + 4)  # until noon of the third day nobody works
    await world.until(MONDAY + timedelta(days=20))
    outcome = await world.outcome("wr1")
    assert [words for _, _, words in world.wire.delivered()] == ["第3条", "第4条"]
    assert outcome["s1"] == outcome["s2"] == "newest_only"
