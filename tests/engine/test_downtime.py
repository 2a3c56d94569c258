"""26 hours without an engine over a holiday: counted, and the counters themselves counted after."""

from __future__ import annotations

import json
import sys
from datetime import timedelta

import pytest

from bot.bench.ground import content_of
from bot.bench.sop_downtime import (
    Touch,
    due_in,
    figures,
    is_expired,
    may_be_late,
    missed_of,
    over_cap,
    touches_of,
    twice,
)
from bot.bench.sop_outage import Story, holidays, play, script_of_every_rule
from bot.bench.sop_wire import QuickHands
from bot.clock import FakeClock
from bot.domain.caps import caps_for
from bot.domain.runs import RunStep
from bot.domain.script_parts import Missed, MissedRule, RestDays
from bot.storage.db import Database
from bot.workers.content import Snapshot
from bot.workspace import Workspace
from tests.domain.builders import day, head, script_of, starter_bank, tables
from tests.engine.world import World
from tests.make import ZONE, local

RULES = script_of_every_rule("rules-1", customers=True)
ROW = RunStep(
    id=1,
    run=1,
    step="s0",
    kind="step",
    planned_on=day("2026-09-30"),
    opens_at=local("10:00", "2026-09-30"),
    closes_at=local("11:30", "2026-09-30"),
)


@pytest.fixture
def backend() -> str:
    return "sqlite"


async def test_26_hours_over_national_day(
    workspace: Workspace, snapshot: Snapshot, database: Database
) -> None:
    """2.12: nothing expired, nothing twice, no cap broken; ``pytest -s`` prints the figures."""
    outage = holidays(ZONE)[0]
    assert outage.up - outage.down == timedelta(hours=26)
    story = await play(workspace, snapshot, database, outage, "downtime")
    found = figures(story)
    sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=1))
    never = ("sent_expired", "sent_twice", "over_cap", "left_open")
    assert {name: found[name] for name in never} == dict.fromkeys(never, 0)
    assert found["due_in_the_outage"] >= 30
    assert found["not_sent"]["window_missed"] >= 10
    assert found["sent_in_their_window"] >= 5
    assert found["sent_late_as_the_file_allows"] >= 5
    assert found["messages"] >= 150
    _every_rule_was_met(story)


def _every_rule_was_met(story: Story) -> None:
    """What was due has every rule of 错过时间窗, and went by more than three ways."""
    rules = {missed.rule for one in due_in(story) if (missed := missed_of(story, one))}
    assert rules >= {*MissedRule} - {MissedRule.EXIT}
    assert len({touch.step.way for touch in touches_of(story)}) > 3


def touch(at: str, on: str, *, step: int = 1, closes: str = "23:00") -> Touch:
    moment = local(at, on)
    row = ROW.model_copy(update={"id": step})
    return Touch("wm1", RULES, row, ("private",), moment, moment, local(closes, on))


def test_the_counters_see_what_is_wrong() -> None:
    bank = starter_bank()
    rails = RULES.rails.model_copy(update={"private_marketing_a_week": 2})
    rules = caps_for(RULES.model_copy(update={"rails": rails}), bank, "customer")
    two = [touch("10:00", "2026-09-28"), touch("10:00", "2026-10-01", step=2)]
    assert over_cap(two, ZONE, [rules] * 2) == []
    third = touch("10:00", "2026-10-04", step=3)
    assert over_cap([*two, third], ZONE, [rules] * 3) == [third]
    same_day = touch("18:00", "2026-10-01", step=4)
    assert over_cap([*two, same_day], ZONE, [rules] * 3) == [same_day]
    later = [touch("10:00", f"2026-10-{on:02}", step=on) for on in (8, 15, 23, 30)]
    assert over_cap([*two[1:], *later], ZONE, [rules] * 5) == [later[-1]]
    assert twice([*two, two[0]]) == 1


def test_the_counters_see_what_came_too_late(workspace: Workspace, snapshot: Snapshot) -> None:
    outage = holidays(ZONE)[0]
    content = content_of(workspace, snapshot, outage.down)
    story = Story(outage, content, QuickHands(FakeClock(outage.up), "none"), {}, {}, {}, ())
    fine = touch("10:00", "2026-09-29")
    assert not is_expired(fine, story)
    assert is_expired(fine._replace(made_at=local("23:30", "2026-09-29")), story)
    assert is_expired(fine._replace(at=local("23:30", "2026-09-29")), story)
    while_down = local("23:30", "2026-09-30")
    assert not is_expired(touch("19:50", "2026-09-30")._replace(at=while_down), story)


def late(**within: float) -> Missed:
    return Missed(rule=MissedRule.CATCH_UP_WITHIN, within=timedelta(**within))


@pytest.mark.parametrize(
    ("rule", "at", "allowed"),
    [
        (Missed(rule=MissedRule.SKIP), "2026-09-30 11:31", False),
        (Missed(rule=MissedRule.NEXT_DAY), "2026-10-01 10:30", True),
        (Missed(rule=MissedRule.NEXT_DAY), "2026-10-01 12:00", False),
        (Missed(rule=MissedRule.NEXT_DAY), "2026-10-02 10:30", False),
        (Missed(rule=MissedRule.SHIFT), "2026-10-02 10:30", True),
        (Missed(rule=MissedRule.SHIFT), "2026-10-02 09:30", False),
        (Missed(rule=MissedRule.COALESCE), "2026-10-03 11:00", True),
        (
            Missed(rule=MissedRule.CATCH_UP_WITHIN, within=timedelta(hours=36)),
            "2026-10-01 23:00",
            True,
        ),
        (
            Missed(rule=MissedRule.CATCH_UP_WITHIN, within=timedelta(hours=2)),
            "2026-09-30 13:31",
            False,
        ),
        (Missed(rule=MissedRule.CATCH_UP_WITHIN, workdays=1), "2026-10-08 11:00", True),
        (Missed(rule=MissedRule.CATCH_UP_WITHIN, workdays=1), "2026-10-08 12:00", False),
    ],
)
def test_the_counters_know_the_rules(rule: Missed, at: str, allowed: bool) -> None:
    date_, time_ = at.split()
    moment = local(time_, date_)
    assert may_be_late(rule, RestDays.SEND, ROW, moment, False, tables()) is allowed


@pytest.mark.parametrize(
    ("missed", "up"),
    [("晚36小时内补发", "2026-10-13 14:00"), ("只补最近一次", "2026-10-13 10:15")],
)
async def test_what_may_be_made_up_for_in_hours_that_are_open_is_sent_at_once(
    world: World, missed: str, up: str
) -> None:
    """Not an hour later, when those hours may be over."""
    step = '编号: s1, 第几天: 1, 时间: "10:00-10:40", 类型: 服务, 发送方式: 企业群发, 正文: 您好'
    text = head(rest="照发", missed=missed) + f"步骤:\n  - {{{step}}}\n"
    script = script_of(text.replace('["19:30-08:30"]', '["22:00-08:00"]'))
    await world.publish(script)
    await world.groups("wr1")
    await world.enrol(script, "wr1")
    day_, time_ = up.split()
    world.clock.jump(local(time_, day_))
    await world.until(world.clock.now() + timedelta(minutes=1))
    assert [step.state for step in await world.steps("wr1")] == ["waiting"]
