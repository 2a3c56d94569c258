"""Reminders through the whole engine: the file's number for a thing, three a day for an owner."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from bot.domain.messages import BroadcastReminder, Outbound
from bot.domain.polling import REMINDERS_A_DAY
from bot.domain.staff_messages import StaffText
from tests.engine.conftest import MONDAY
from tests.engine.test_token_runs import flow
from tests.engine.world import World
from tests.make import ZONE, local

ASKS = '编号: {}, 时间: "{}", 类型: 服务, 发送方式: 企业群发, 正文: 您好{}{}'


@pytest.fixture
def backend() -> str:
    return "sqlite"


def reminders(world: World) -> list[tuple[datetime, Outbound]]:
    """Return what reminded the owner: WeCom's own reminder, or one message about several."""
    return [
        (at, message)
        for at, message in world.wire.sent
        if isinstance(message, BroadcastReminder)
        or (isinstance(message, StaffText) and "群发助手" in message.text)
    ]


@pytest.mark.parametrize("most", [0, 1, 2])
async def test_a_step_is_reminded_of_as_often_as_its_file_says_in_whatever_task_it_waits(
    world: World, most: int
) -> None:
    """Its first task is taken back before the quiet hours, and another made after them."""
    rule = f", 群主未确认: {{提醒: {most}, 最长: 24小时, 之后: 跳过}}"
    script = flow(ASKS.format("ask", "10:00-11:30", "", rule))
    rails = script.rails.model_copy(
        update={"quiet": ((local("12:00").time(), local("14:00").time()),)}
    )
    script = script.model_copy(update={"rails": rails})
    world.wire.confirm = 0.0
    await world.publish(script)
    await world.people("wm1")
    await world.enrol(script, "wm1")
    await world.until(MONDAY + timedelta(days=2))
    assert len(world.wire.tasks) == 2
    assert await world.outcome("wm1") == {"ask": "owner_unconfirmed"}
    assert len(reminders(world)) == most


async def test_an_owner_is_reminded_three_times_a_day_at_most_over_all_his_tasks(
    world: World,
) -> None:
    windows = [f"{hour:02}:00-{hour + 2:02}:30" for hour in range(9, 18)]
    for number, window in enumerate(windows):
        rule = ", 群主未确认: {提醒: 3, 最长: 4小时, 之后: 跳过}"
        script = flow(ASKS.format("ask", window, number, rule), id=f"trial-{number}")
        await world.publish(script)
        await world.people(f"wm{number}")
        await world.enrol(script, f"wm{number}")
    world.wire.confirm = 0.0
    await world.until(MONDAY + timedelta(days=3))
    assert len(world.wire.tasks) >= len(windows)
    told = reminders(world)
    a_day = Counter(at.astimezone(ZONE).date() for at, _ in told)
    assert max(a_day.values()) == REMINDERS_A_DAY
    alone = Counter(one.task for _, one in told if isinstance(one, BroadcastReminder))
    assert set(alone.values()) <= {1}
    assert len(await world.noted("owner_reminded")) == len(told)


async def test_a_reminder_that_waits_for_an_emergency_stop_to_end_is_not_given_next_day(
    world: World,
) -> None:
    rule = ", 群主未确认: {提醒: 3, 最长: 48小时, 之后: 跳过}"
    script = flow(ASKS.format("ask", "10:00-19:30", "", rule))
    script = script.model_copy(update={"rails": script.rails.model_copy(update={"quiet": ()})})
    world.wire.confirm = 0.0
    await world.publish(script)
    await world.people("wm1")
    await world.enrol(script, "wm1")
    await world.until(local("10:29"))
    await world.tasks.step()
    world.clock.jump(local("10:35"))
    await world.tasks.step()  # puts the first reminder, which nobody sends yet
    assert len(await world.noted("owner_reminded")) == 1
    world.clock.jump(local("09:00", "2026-10-13"))
    await world.work()
    # Yesterday's is not given any more, whatever is given today.
    assert len(reminders(world)) == len(await world.noted("owner_reminded")) - 1
