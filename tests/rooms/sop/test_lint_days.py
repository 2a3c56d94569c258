"""A script laid out over days: room, windows, festivals, silence about fraud, speed."""

from __future__ import annotations

import time

import pytest

from tests.domain.builders import day, head, step, tables
from tests.rooms.sop.desk import TODAY, Desk, customer_script

OVERLAY = (
    '  - {{编号: {id}, 日期: {on}, 时间: "08:45-10:00", 类型: 祝福, '
    "发送方式: 企业群发, 正文: 好}}\n"
)


def senior(*lines: str) -> str:
    return head() + "适用: {群标签含任一: [银龄群]}\n步骤:\n" + "".join(lines)


def test_more_broadcasts_in_seven_days_than_the_week_takes(bare: Desk) -> None:
    lines = [step(f"s{n}", n) for n in range(1, 7)]
    bare.write(head() + "步骤:\n" + "".join(lines))
    found = bare.told()
    assert [at for at, said in found if "第 1 到 6 天有 6 条企业群发" in said] == [21]
    lines[5] = step("s6", 8)
    bare.write(head() + "步骤:\n" + "".join(lines))
    assert bare.told() == []
    lines[5] = step("s6", 6, more="前提: {群内有线索: 活动}")
    bare.write(head() + "步骤:\n" + "".join(lines))
    assert bare.told() == []


@pytest.mark.parametrize(
    ("rails", "quota", "words"),
    [
        ("每群每天企业群发: 2", "", "超过平台上限(每天 1 条)"),
        ("每群每周企业群发: 5", "额度: {每周: 2}\n", "超过平台上限(每周 2 条)"),
        ("每群每月企业群发: 8", "额度: {每月: 4}\n", "超过平台上限(每月 4 条)"),
    ],
)
def test_rails_stay_below_the_platforms_quota(
    bare: Desk, rails: str, quota: str, words: str
) -> None:
    bare.edit("_workspace.yaml", "\n隐私:\n", f"\n{quota}\n隐私:\n")
    bare.write(
        head().replace("每群每天企业群发: 1, 每群每周企业群发: 5", rails) + "步骤:\n" + step("a", 1)
    )
    assert any(words in said for _, said in bare.told())
    bare.write(
        head().replace("每群每天企业群发: 1, 每群每周企业群发: 5", "每群每天企业群发: 1")
        + "步骤:\n"
        + step("a", 1)
    )
    assert not any("trial" in problem.file for problem in bare.check().problems)


@pytest.mark.parametrize(
    ("allowed", "more", "sound"),
    [
        ("工作日: ['14:00-17:00']", "", True),
        ("工作日: ['14:00-17:00'], 休息日: [], 节假日: [], 除夕: []", "", False),
        ("节假日: [], 除夕: []", "节假日: 只在节假日", False),
        ("节假日: [], 除夕: []", "节假日: 下一个工作日", True),
        ("工作日: ['22:00-11:00'], 休息日: [], 节假日: [], 除夕: []", "", True),
    ],
)
def test_a_window_must_be_open_on_some_day_on_which_it_may_go(
    bare: Desk, allowed: str, more: str, sound: bool
) -> None:
    text = head().replace("护栏: {", f"护栏: {{只在: {{{allowed}}}, ")
    bare.write(text + "步骤:\n" + step("a", 1, more=more))
    found = bare.told()
    assert sound is (found == []), found
    assert sound or "全在「只在」的时段外" in found[0][1]


def test_two_festivals_that_meet_are_told_with_their_day(bare: Desk) -> None:
    tail = "日历叠加:\n" + OVERLAY.format(id="a", on="农历正月初一")
    bare.write(head() + "步骤:\n" + step("x", 1) + tail + OVERLAY.format(id="b", on="2027-02-06"))
    found = bare.told()
    assert any(at == 19 and "2027-02-06 这天和「a」撞在一起" in said for at, said in found), found
    bare.write(head() + "步骤:\n" + step("x", 1) + tail + OVERLAY.format(id="b", on="除夕"))
    assert bare.told() == []


def test_an_event_that_would_squeeze_a_step_out_is_noted(bare: Desk) -> None:
    remind = step("r", 1).replace("第几天: 1", "相对: {锚点: 活动日, 偏移天: -1}")
    bare.write(head() + "步骤:\n" + "".join(step(f"s{n}", n) for n in (1, 2, 3)) + remind)
    assert any("步骤 r 那天已经没有额度" in said for _, said in bare.notes())
    by_hand = remind.replace("企业群发", "提醒群主侧边栏一键发")
    bare.write(head() + "步骤:\n" + "".join(step(f"s{n}", n) for n in (1, 2, 3)) + by_hand)
    assert not any("没有额度" in said for _, said in bare.notes())


def test_a_run_longer_than_the_file_allows_is_told(bare: Desk) -> None:
    text = head().replace("休息日", "最长天数: 20\n休息日")
    bare.write(text + "步骤:\n" + step("a", 1) + step("b", 30))
    assert any("超过最长天数 20" in said for _, said in bare.told())


def test_a_weekday_from_which_most_is_left_out_is_noted(bare: Desk) -> None:
    lines = [step(f"s{n}", day) for n, day in enumerate((1, 8, 15))]
    bare.write(head(rest="跳过") + "步骤:\n" + "".join(lines))
    assert any("从周六起算，3 个步骤碰上休息日会跳过" in said for _, said in bare.notes())
    bare.write(head(rest="顺延") + "步骤:\n" + "".join(lines))
    assert not any("trial" in note.file for note in bare.check().notes)


def test_older_people_hear_of_fraud_every_week(bare: Desk) -> None:
    fraud = [step(f"f{n}", day, kind="反诈") for n, day in enumerate((1, 7, 13))]
    bare.write(senior(*fraud, step("end", 18)))
    assert not any("trial" in note.file for note in bare.check().notes)
    bare.write(senior(fraud[0], step("end", 18)))
    assert any("天没有反诈内容" in said for at, said in bare.notes() if at == 17)
    bare.write(head() + "步骤:\n" + fraud[0] + step("end", 18))
    assert not any("trial" in note.file for note in bare.check().notes)


def test_two_hundred_steps_are_checked_about_as_fast_as_their_days_are_counted(bare: Desk) -> None:
    """Under a second on an idle machine; the bound here moves with how busy this one is."""
    body = "大家好，不认得的链接不点，不明的电话不接，转账之前打个电话问问家里人。"
    lines = [step(f"s{n}", 1 + int(n * 1.7)).replace("您好", body) for n in range(200)]
    bare.write(head() + "步骤:\n" + "".join(lines))
    bare.check()  # what is made once a process is made: the calendar, patterns
    began = time.perf_counter()
    bare.check()
    took = time.perf_counter() - began
    known = tables()
    began = time.perf_counter()
    sum(known.is_workday(TODAY) for _ in range(2_000_000))
    assert took < 3 * (time.perf_counter() - began)


def test_a_one_to_one_script_has_no_days_of_groups(bare: Desk) -> None:
    send = '时间: "10:00-11:30", 类型: 服务, 发送方式: 企业群发, 正文: 您好'
    lines = [f"编号: s{n}, 第几天: 1, {send}" for n in range(3)]
    bare.write(customer_script(*lines))
    assert bare.told(today=day("2026-10-12")) == []
