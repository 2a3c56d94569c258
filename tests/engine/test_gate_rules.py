"""What the gate asks besides a script's own days: the night, risk, peace, who is held out."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bot.domain.admission import Holdouts
from bot.domain.audience import bucket
from bot.domain.knowledge import ProductSheet
from bot.domain.rails import GuardRails
from bot.domain.script import SopScript
from tests.domain.builders import head, script_of
from tests.engine.conftest import MONDAY
from tests.engine.test_token_runs import flow
from tests.engine.world import World
from tests.make import ZONE

SELLS = (
    '编号: a, 第几天: 1, 时间: "10:00-11:30", 类型: 产品, 产品: demo-r2-001, '
    '发送方式: 企业群发, 正文: "{产品.名称}"'
)
INVITES = '编号: a, 第几天: {day}, 时间: "10:00-11:30", 类型: 活动, 发送方式: 企业群发, 正文: 来'
FIT = {"年龄": 40, "风险等级": "C3", "测评日": "2026-06-01"}
SHARE = 0.1


async def sent(world: World, script: SopScript, who: str = "wm1", days: int = 3) -> dict[str, str]:
    await world.publish(script)
    await world.enrol(script, who, anchor=world.clock.now().astimezone(ZONE).date())
    await world.until(world.clock.now() + timedelta(days=days))
    return await world.outcome(who)


def rated(world: World, monkeypatch: pytest.MonkeyPatch, rating: str | None) -> None:
    """Let the catalogue say another risk of the product from now on."""
    sheet = world.content.product("demo-r2-001")
    assert sheet is not None
    other = sheet.model_copy(update={"risk_rating": rating})

    def product(product_id: str) -> ProductSheet | None:
        return other if product_id == sheet.id else None

    monkeypatch.setattr(world.content, "product", product)
    world.begin()


async def test_where_a_file_names_no_hours_nobody_is_woken_at_night(world: World) -> None:
    night = flow(
        '编号: a, 第几天: 2, 时间: "03:00-04:00", 类型: 服务, 发送方式: 企业群发, 正文: 一',
        '编号: b, 第几天: 3, 时间: "08:30-10:00", 类型: 服务, 发送方式: 企业群发, 正文: 二',
        more="休息日: 照发\n",
    ).model_copy(update={"rails": GuardRails()})
    await world.people("wm1")
    outcome = await sent(world, night, days=5)
    assert outcome["a"] != "confirmed"
    assert outcome["b"] == "confirmed"
    hours = [at.astimezone(ZONE).hour for at, _, _ in world.wire.delivered()]
    assert hours == [9]


@pytest.mark.parametrize("rating", ["R4", None])
async def test_c09_a_product_that_became_too_risky_is_not_said_to_a_group(
    world: World, monkeypatch: pytest.MonkeyPatch, rating: str | None
) -> None:
    script = script_of(head(rest="照发") + f"步骤:\n  - {{{SELLS}}}\n")
    rated(world, monkeypatch, rating)
    await world.groups("wr1")
    assert await sent(world, script, "wr1") == {"a": "product_too_risky"}
    assert world.wire.delivered() == []


async def test_c09_the_gate_asks_again_once_the_words_are_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = script_of(head(rest="照发") + f"步骤:\n  - {{{SELLS}}}\n")
    await world.groups("wr1")
    await world.publish(script)
    await world.enrol(script, "wr1", anchor=MONDAY.date())
    world.clock.jump(MONDAY + timedelta(hours=2, minutes=31))
    await world.runs.step()  # the words are written, and wait in the outbox
    assert await world.outcome("wr1") == {"a": "queued"}
    rated(world, monkeypatch, "R4")
    await world.until(MONDAY + timedelta(days=1))
    assert await world.outcome("wr1") == {"a": "product_too_risky"}
    assert world.wire.delivered() == []


@pytest.mark.parametrize(
    ("event", "days", "becomes"),
    [
        ("投诉", 5, "left_in_peace"),
        ("投诉", 29, "left_in_peace"),
        ("投诉", 31, "confirmed"),
        ("亲人离世", 20, "left_in_peace"),
        ("到网点", 5, "confirmed"),
    ],
)
async def test_c11_nobody_is_offered_a_product_soon_after_a_complaint_or_a_death(
    world: World, event: str, days: int, becomes: str
) -> None:
    await world.people("wm1", facts=FIT)
    await world.happens("wm1", event, MONDAY - timedelta(days=days))
    assert await sent(world, flow(SELLS, more="休息日: 照发\n")) == {"a": becomes}


async def test_c11_says_nothing_of_what_is_no_product(world: World) -> None:
    await world.people("wm1", facts=FIT)
    await world.happens("wm1", "投诉", MONDAY - timedelta(days=5))
    assert await sent(world, flow(INVITES.format(day=1), more="休息日: 照发\n")) == {
        "a": "confirmed"
    }


def _drawn(seed: str, *, next_year: bool) -> str:
    """Return a customer whom the coming year draws, or neither year."""
    for number in range(1000):
        who = f"wm{number}"
        drawn = [bucket(f"{seed}-{year}", who) < SHARE for year in (2026, 2027)]
        if drawn == [False, next_year]:
            return who
    raise AssertionError("nobody is drawn")


@pytest.mark.parametrize(
    ("seed", "holdouts", "kind", "becomes"),
    [
        ("gh", {"everywhere": SHARE}, "活动", "held_out"),
        ("gh", {"everywhere": SHARE}, "服务", "confirmed"),
        ("ph-唤醒", {"programs": {"唤醒": SHARE}}, "活动", "held_out"),
    ],
)
async def test_i6_whom_the_new_year_holds_out_gets_no_marketing_from_an_old_run(
    world: World, seed: str, holdouts: dict[str, Any], kind: str, becomes: str
) -> None:
    world.content.holdouts = Holdouts(**holdouts)
    world.clock.jump(datetime(2026, 12, 28, 8, 0, tzinfo=ZONE))
    steps = INVITES.format(day=9).replace("类型: 活动", f"类型: {kind}")
    script = flow(steps, more="休息日: 照发\n互斥组: 唤醒\n")
    held, free = (_drawn(seed, next_year=each) for each in (True, False))
    await world.people(held, free)
    await world.publish(script)
    await world.enrol(script, held, free, anchor=date(2026, 12, 28))
    await world.until(datetime(2027, 1, 8, 8, 0, tzinfo=ZONE))
    assert await world.outcome(held) == {"a": becomes}
    assert await world.outcome(free) == {"a": "confirmed"}


@pytest.mark.parametrize(
    "line",
    [
        '相对: {锚点: 活动日, 偏移天: -1}, 时间: "10:00-11:30", 正文: 明天见',
        '第几天: 2, 时间: "10:00-11:30", 正文: "{活动.名称}，来坐坐"',
        '第几天: 2, 时间: "10:00-11:30", 正文: 快来, 有效到: {活动开始前小时: 3}',
    ],
)
@pytest.mark.parametrize("who", ["wm1", "wr1"])
async def test_without_a_coming_event_every_run_says_so_in_the_same_words(
    world: World, line: str, who: str
) -> None:
    """A run with a token and one whose days are planned."""
    last = max(event.on for event in world.content.bank.events)
    world.clock.jump(datetime.combine(last + timedelta(days=3), MONDAY.timetz()))
    step = f"编号: a, {line}, 类型: 服务, 发送方式: 企业群发"
    if who == "wm1":
        await world.people(who)
        script = flow(step, more="休息日: 照发\n")
    else:
        await world.groups(who)
        script = script_of(head(rest="照发") + f"步骤:\n  - {{{step}}}\n")
    assert await sent(world, script, who, days=4) == {"a": "no_event"}
