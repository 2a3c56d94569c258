"""What a simulation counts besides messages: presses, calls to WeCom, steps without a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bot.cli.sim_words import lines_of
from bot.sop.simulation import Manners
from bot.sop.simulation.calls import Asked, count_moment, count_tasks, lists_a_day
from bot.sop.simulation.diary import Diary
from tests.domain.builders import script, script_of, starter_script, step
from tests.make import ZONE
from tests.rooms.sop.desk import customer_script
from tests.rooms.sop.test_simulate import BANK, CERTAIN, MONDAY, play

NINE = datetime(2026, 10, 12, 9, 0, tzinfo=ZONE)
HOUR = timedelta(hours=1)


def asked(minutes: int | None, owner: str = "li", most: int = 2, hours: int = 9) -> Asked:
    pressed = None if minutes is None else NINE + timedelta(minutes=minutes)
    return Asked(owner, NINE, NINE + hours * HOUR, 5, most, pressed)


def counted(*tasks: Asked) -> dict[str, int]:
    diary = Diary()
    count_tasks(tasks, diary, ZONE)
    return dict(diary.calls)


def test_a_task_is_asked_after_ever_more_slowly_and_once_more_after_its_cancel() -> None:
    assert counted(asked(3)) == {"read_back": 1}
    assert counted(asked(12)) == {"read_back": 3}  # after 5, 10 and 20 minutes
    assert counted(asked(None, hours=1)) == {"read_back": 6, "reminder": 1, "cancel": 1}


@pytest.mark.parametrize(("most", "reminders"), [(0, 0), (1, 1), (2, 2), (3, 3)])
def test_an_owner_is_reminded_as_often_as_the_file_says(most: int, reminders: int) -> None:
    assert counted(asked(None, most=most)).get("reminder", 0) == reminders


def test_one_message_reminds_of_all_that_wait_and_three_a_day_are_the_most() -> None:
    together = [asked(None) for _ in range(4)]
    assert counted(*together)["reminder"] == 2
    apart = [
        Asked("li", NINE + n * HOUR / 2, NINE + (n + 1) * HOUR / 2, 5, 1, None) for n in range(8)
    ]
    for task in apart:
        task.closes_at += timedelta(minutes=5)
    assert counted(*apart)["reminder"] == 3
    assert counted(asked(None), asked(None, owner="wang"))["reminder"] == 4


def test_a_result_of_many_takes_a_call_for_each_page() -> None:
    task = asked(3)
    task.receivers = 2000
    assert counted(task) == {"read_back": 2}


def test_a_moment_is_looked_after_and_taken_back_unposted() -> None:
    diary = Diary()
    count_moment(NINE, NINE + HOUR, NINE + timedelta(seconds=30), diary, ZONE)
    assert dict(diary.calls) == {"moment_look": 2}
    count_moment(NINE, NINE + HOUR, None, diary, ZONE)
    assert diary.calls["cancel"] == 1
    assert diary.calls["moment_look"] > 5


def test_what_people_sent_by_hand_is_listed_through_the_day() -> None:
    assert lists_a_day(date(2026, 10, 12), ZONE) == 2 * 2 * 15


TASK = '编号: call, 类型: 服务, 发送方式: 提醒经理, 正文: 请打电话, 时限: "1个工作日"'


def test_a_colleague_who_is_done_ends_the_wait_for_it() -> None:
    """As the real card does: it tells 任务完成; and no customer reacts to a colleague's card."""
    of = customer_script(
        TASK,
        "编号: wait, 等待: {任一: [任务完成], 最长: 3天}, "
        "分支: [{当: 任务完成, 转到: 结束}, {否则: late}]",
        '编号: late, 时间: "10:00-18:00", 类型: 服务, 发送方式: 企业群发, 正文: 抱歉',
    )
    manners = Manners(confirm=0.6, unknown=0.0, rates={"客户回复": 1.0})
    _, report = play(script_of(of), 200, manners=manners)
    ended = {row["to"]: row["count"] for row in report["waits"]}
    rows = {row["step"]: row for row in report["calendar"]}
    assert ended["任务完成"] == rows["call"]["delivered"] == report["people"]["任务完成"]
    assert ended["timeout"] == rows["call"]["losses"]["task_overdue"] > 0
    assert report["people"]["客户回复"] == rows["late"]["delivered"]
    assert report["calls"]["by_kind"]["card_update"] == rows["call"]["delivered"]


def test_a_moment_that_nobody_posts_ends_its_step() -> None:
    line = '编号: m, 时间: "10:00-11:30", 类型: 知识, 发送方式: 朋友圈, 正文: 您好'
    _, report = play(script_of(customer_script(line)), 60, manners=Manners(confirm=0.5))
    (row,) = report["calendar"]
    assert row["pending"] == 0
    assert row["losses"] == {"owner_unconfirmed": row["planned"] - row["delivered"]}
    assert 0 < row["delivered"] < row["planned"]


REMIND = (
    '  - {编号: r, 相对: {锚点: 活动日, 偏移天: -1}, 时间: "09:00-10:00", 类型: 活动, '
    "发送方式: 提醒群主侧边栏一键发, 正文: 明天见}\n"
)


def test_what_was_over_before_the_start_is_told_once_and_has_no_day() -> None:
    _, report = play(script(step("a", 1), REMIND), 30, start=date(2027, 11, 1), manners=CERTAIN)
    entered = report["entry"]["entered"]
    (row,) = report["unplaced"]
    assert (row["step"], row["subjects"]) == ("r", entered)
    assert row["reason"] in ("event_passed", "no_event")
    assert {each["step"] for each in report["calendar"]} == {"a"}
    assert report["skips"][row["reason"]] == entered
    assert report["funnel"]["planned"] == entered * 2


@pytest.mark.parametrize(
    "name", ["senior-21d", "deposit-maturity", "payroll-care", "branch-event", "senior-weekly"]
)
def test_no_line_of_what_ships_lies_before_the_start(name: str) -> None:
    start = date(2026, 11, 23)
    of = starter_script(f"{name}.sop.yaml")
    _, report = play(of, 60, start=start, days=60)
    assert report["calendar"]
    assert all(row["on"] >= str(start) for row in report["calendar"])
    told = "\n".join(lines_of(report | {"hits": [], "notes": []}, {}))
    assert "  -" not in told
    unplaced = [(row["step"], row["reason"]) for row in report["unplaced"]]
    assert len(unplaced) == len(set(unplaced))


def test_the_load_is_told_by_manager_and_by_day() -> None:
    _, report = play(script(step("a", 1), step("b", 2)), 24, manners=CERTAIN)
    days: list[dict[str, Any]] = report["load"]["days"]
    assert [day["on"] for day in days] == [str(MONDAY), str(MONDAY + timedelta(days=1))]
    presses = [sum(each["by_day"].values()) for each in report["load"]["managers"]]
    assert sum(day["presses"] for day in days) == sum(presses)
    names = {str(member.userid): member.name for member in BANK.staff}
    told = list(lines_of(report | {"hits": [], "notes": []}, names))
    assert "每天要点几次" in told


def test_those_whom_one_press_reaches_are_let_out_together() -> None:
    """What waited for open hours is spread by colleague (Q3): a press each, not one a customer."""
    line = '编号: a, 时间: "08:00-18:00", 类型: 服务, 发送方式: 企业群发, 正文: 您好'
    quiet = '护栏: {静默时段: ["20:30-09:00"], 每客每天: 10}\n步骤:'
    of = script_of(customer_script(line).replace("步骤:", quiet))
    outcome, report = play(of, 240, manners=CERTAIN)
    (row,) = report["calendar"]
    assert row["planned"] > 200
    managers = report["load"]["managers"]
    assert [each["presses"] for each in managers] == [1] * len(managers)
    made = {note.at for note in outcome.diary.notes if note.kind == "task_created"}
    assert len(made) > len(managers) // 2  # and not all colleagues at one moment


def test_a_step_of_a_run_with_a_token_says_from_which_day_it_moved() -> None:
    lines = [
        f'编号: {id}, 第几天: {day}, 时间: "10:00-18:00", 类型: 服务, 发送方式: 企业群发, 正文: 好'
        for id, day in (("a", 1), ("b", 6), ("c", 6))
    ]
    of = script_of(customer_script(*lines))  # day 6 is a Saturday, and one a day is the most
    _, report = play(of, 20, manners=CERTAIN)
    moved = [(each["step"], each["from"], each["to"], each["reason"]) for each in report["shifts"]]
    assert moved == [
        ("b", "2026-10-17", "2026-10-19", "rest_day"),
        ("c", "2026-10-17", "2026-10-20", "later"),
    ]
