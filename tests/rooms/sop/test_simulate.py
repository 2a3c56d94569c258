"""Playing a script for a whole audience in memory: the same input, the same outcome."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from bot.calendars import calendar_tables
from bot.domain.calendar import in_quiet
from bot.domain.knowledge import ProductSheet
from bot.domain.script import SopScript, content_hash
from bot.domain.script_parts import Status
from bot.sop.simulation import ASKED, Case, Manners, Outcome, read_occasion, report_of, simulate
from bot.workers.files import inspect
from bot.workspace import Workspace, starter_root
from tests.domain.builders import ROOT, script, script_of, starter_bank, starter_script, step

BANK = starter_bank()
MONDAY = date(2026, 10, 12)
SENIOR, DORMANT = starter_script("senior-21d.sop.yaml"), starter_script("dormant-3waves.sop.yaml")
CERTAIN = Manners(confirm=1.0, unknown=0.0, quiet=True)


@cache
def product(id: str) -> ProductSheet | None:
    files, _ = inspect(Workspace(starter_root()), MONDAY)
    assert files is not None
    return files.knowledge.product(id)


def case(of: SopScript = SENIOR, subjects: int = 30, **more: Any) -> Case:
    published = of.model_copy(update={"status": Status.PUBLISHED})
    start = more.pop("start", MONDAY)
    given = {
        "script": published,
        "version": content_hash(of),
        "bank": BANK,
        "tables": calendar_tables(range(start.year, start.year + 2)),
        "product": product,
        "start": start,
        "subjects": subjects,
        "kf_link": "https://example.com/kf",
    }
    return Case(**(given | more))


def play(of: SopScript = SENIOR, subjects: int = 30, **more: Any) -> tuple[Outcome, dict[str, Any]]:
    outcome = simulate(case(of, subjects, **more))
    return outcome, report_of(outcome)


def test_the_same_input_gives_the_same_bytes_on_every_machine() -> None:
    """I15: what a hash seed of Python's own changes, such as the order of sets, is not in it."""
    told = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "bot", "sop", "simulate", "senior-21d", "--json"),
                *("--start", "2026-10-12", "--groups", "15", "-C", str(ROOT)),
            ],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        told.append(done.stdout)
    assert told[0] == told[1]
    assert json.loads(told[0])["funnel"]["planned"] > 15 * 10


def test_another_seed_is_another_town() -> None:
    outcomes = {json.dumps(play(seed=seed)[1], sort_keys=True) for seed in (1, 2)}
    assert len(outcomes) == 2


@pytest.mark.parametrize("of", [SENIOR, DORMANT])
@pytest.mark.parametrize("confirm", [0.0, 0.6, 1.0])
def test_what_was_planned_was_delivered_or_lost_for_a_reason(of: SopScript, confirm: float) -> None:
    """I13: the losses and what arrived add up, in all and in every row of the calendar."""
    _, report = play(of, 40, manners=Manners(confirm=confirm))
    funnel = report["funnel"]
    assert funnel["planned"] == _sum(funnel)
    unplaced = sum(row["subjects"] for row in report["unplaced"])
    assert funnel["planned"] == sum(row["planned"] for row in report["calendar"]) + unplaced
    assert all(row["planned"] == _sum(row) for row in report["calendar"])
    assert funnel["pending"] == 0
    assert (funnel["delivered"] == 0) is (confirm == 0.0)


def _sum(row: Mapping[str, Any]) -> int:
    return int(row["delivered"]) + int(row["pending"]) + sum(row["losses"].values())


def test_where_everybody_presses_and_nobody_reacts_every_task_is_delivered() -> None:
    _, report = play(manners=CERTAIN)
    rows = {row["step"]: row for row in report["calendar"]}
    assert not any(row["losses"] for row in rows.values() if row["way"] == "企业群发")
    assert rows["d15-event-remind"]["losses"]["precondition"] == report["entry"]["entered"]
    assert report["ends"]["done"] == report["entry"]["entered"]


def test_no_cap_is_ever_exceeded_and_nothing_comes_in_quiet_hours() -> None:
    busy = Manners(confirm=0.7, rates={ASKED: 0.2, "投诉": 0.01})
    outcome, _ = play(subjects=40, manners=busy)
    rails, zone = SENIOR.rails, BANK.zone
    for player in outcome.entered.players:
        days = Counter(
            slot.at.astimezone(zone).date()
            for slot in player.slots
            if (slot.kind, slot.state) == ("broadcast", "used")
        )
        assert max(days.values(), default=0) <= rails.broadcasts_a_day
        for day in days:
            week = sum(days[day + timedelta(days=n)] for n in range(7))
            assert week <= rails.broadcasts_a_week
        for at in player.delivered_at.values():
            assert not in_quiet(at.astimezone(zone).time(), rails.quiet)


def test_everybody_of_a_manager_gets_a_step_by_one_press_and_one_call() -> None:
    _, report = play(script(step("a", 1), step("b", 2)), 48, manners=CERTAIN)
    managers = report["case"]["managers"]
    assert report["calls"]["by_kind"]["send"] == 2 * managers
    assert [each["presses"] for each in report["load"]["managers"]] == [2] * managers


def test_a_personal_text_takes_a_call_for_each_name() -> None:
    """Words with a name in them cannot be sent to many at once: sop_semantics 2.14."""
    outcome, report = play(DORMANT, 400, manners=CERTAIN)
    greeted = {
        (player.run.owner, row.text)
        for player in outcome.entered.players
        for row in player.ended
        if row.text and row.way == "企业群发"
    }
    assert report["calls"]["by_kind"]["send"] == len(greeted)


def test_holidays_move_steps_and_are_named_with_their_source() -> None:
    _, report = play(start=date(2026, 9, 28), manners=CERTAIN)
    holidays = {day["on"]: day for day in report["days"]}
    assert holidays["2026-10-01"] == {"on": "2026-10-01", "kind": "holiday", "source": "official"}
    assert holidays["2026-10-10"]["kind"] == "make_up_workday"
    sent = {row["on"] for row in report["calendar"] if row["kind"] not in ("祝福", "公益")}
    assert not sent & {f"2026-10-0{n}" for n in range(1, 8)}
    assert "rest_day" in {shift["reason"] for shift in report["shifts"]}


def test_days_of_a_year_that_nobody_has_published_are_marked() -> None:
    _, report = play(start=date(2030, 1, 7), manners=CERTAIN)
    assert all(row["provisional"] for row in report["calendar"])
    assert not any(row["provisional"] for row in play(manners=CERTAIN)[1]["calendar"])


def test_arms_branches_and_the_data_that_is_missing_are_counted() -> None:
    _, report = play(DORMANT, 600, manners=Manners(unknown=0.3))
    entry = report["entry"]
    counted = sum(entry["refused"].values()) + entry["held_out"] + entry["entered"]
    assert counted == entry["subjects"]
    assert entry["unknown_data"] > 0
    arms = {row["to"]: row["count"] for row in report["arms"]}
    assert sum(arms.values()) == entry["entered"]
    assert set(arms) == {"问候", "服务"}
    left = [row["count"] for row in report["branches"] if row["at"] == "w1-wait"]
    assert 0 < sum(left) <= entry["entered"]


def told(who: int, *events: str, of: SopScript = SENIOR) -> list[tuple[str, str]]:
    occasions = tuple(filter(None, map(read_occasion, events)))
    assert len(occasions) == len(events)
    outcome, _ = play(of, 40, manners=CERTAIN, only=who, occasions=occasions)
    return [(note.kind, str(note.facts.get("step", ""))) for note in outcome.diary.notes]


def test_one_subject_can_be_watched_with_chosen_events() -> None:
    """D6: she replies on day 2, and the run goes another way; he does not press on day 3."""
    log = told(8, "2:客户回复", of=DORMANT)
    assert ("arrived", "engaged") in log
    assert ("arrived", "w2-activity") in told(8, of=DORMANT)
    assert ("step_skipped", "d03-fraud-child") in told(1, "3:不点")
    assert ("slowed_down", "") in told(1, "25@13:00:少发点")


@pytest.mark.parametrize("text", ["客户回复", "0:客户回复", "2:", "2@25:00:客户回复", "x:客户回复"])
def test_an_event_that_nobody_can_read_is_refused(text: str) -> None:
    assert read_occasion(text) is None


MATURING = """\
格式: sop/1
编号: maturing
名称: 到期
版本: 1
状态: 已发布
负责人: 运营-甲
人设: xiaoan
对象: 客户
进入: {方式: 日期, 日期: 到期日, 提前天: 7}
重复进入: 每次锚点
审批: {内容编号: XB-1, 审批人: 消保-乙, 审批日: 2026-01-01, 有效期至: 2028-12-31}
起点: 到期日
护栏: {静默时段: ["20:30-09:00"]}
步骤:
  - {编号: a, 相对: {锚点: 到期日, 偏移天: -3}, 时间: "10:00-18:00", 类型: 服务,
     发送方式: 企业群发, 正文: 您好}
"""


def test_whoever_is_let_in_by_a_date_comes_on_the_days_before_it() -> None:
    outcome, report = play(script_of(MATURING), 200, manners=CERTAIN, days=30)
    assert report["entry"]["entered"] + report["entry"]["not_their_day"] == 200 - sum(
        report["entry"]["refused"].values()
    )
    for player in outcome.entered.players:
        matures = date.fromisoformat(str(player.facts.facts["到期日"]))
        entered = player.run.entered_at
        assert entered is not None
        assert 0 <= (matures - entered.astimezone(BANK.zone).date()).days <= 7
        for row in player.ended:
            if row.state == "confirmed":
                assert 0 <= (matures - row.planned_on).days <= 3
    assert report["funnel"]["delivered"] > 50
