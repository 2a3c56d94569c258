"""What a script may hold depends on whom it is for, and what it says follows by rule."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot.domain.runnable import not_runnable
from bot.domain.script import from_json, to_json
from bot.domain.script_parts import Missed, MissedRule
from tests.domain.builders import day, head, script, script_of, step


@pytest.mark.parametrize(
    ("more", "flows"),
    [
        ("相隔天: 2", True),
        ("等待: {任一: [客户回复], 最长: 5天}", True),
        ("分流: {实验: 甲, 单位: 客户群, 比例: {一: 50, 二: 50}}", True),
        ("分支: [{否则: 结束}]", True),
        ("转到: 结束", True),
        ("重复: {次数: 4, 每隔天: 7}", True),
        ("动作: [退出]", True),
        ("群主未确认: {提醒: 2, 最长: 24小时}", False),
        ("额度用完: 跳过", False),
        ("节假日: 照发", False),
    ],
)
def test_a_step_that_steers_makes_the_runs_go_by_a_token(more: str, flows: bool) -> None:
    line = step("a", 1, more=more)
    line = line.replace("第几天: 1, ", "") if more.startswith("相隔天") else line
    read = script(line)
    assert read.flows is flows
    assert not_runnable(read) == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("{方式: 手工}", "{方式: 事件, 事件: 添加好友}", ("进入", "事件")),
        ("{方式: 手工}", "{方式: 日期, 日期: 到期日}", ("进入", "日期")),
        ("起点: 群启动日", "起点: 生日", ("起点",)),
        ("起点: 群启动日", "起点: 固定日期", ("起点",)),
        (
            "起点: 群启动日",
            "起点: 群启动日\n适用: {客户标签含任一: [甲]}",
            ("适用", "客户标签含任一"),
        ),
        ("对象: 客户群", "对象: 客户\n适用: {群标签都不含: [甲]}", ("适用", "群标签都不含")),
        ("对象: 客户群", "对象: 客户\n适用: {群人数: {最少: 3}}", ("适用", "群人数")),
        ("对象: 客户群", "对象: 客户\n迟到成员: {补课方式: 不补}", ("迟到成员",)),
        ("对象: 客户群", "对象: 客户\n出口: [{事件: 群解散, 停: 全部}]", ("出口", 0, "事件")),
        ("对象: 客户群", "对象: 客户", ("护栏", "每群每天企业群发")),
        ("发送方式: 企业群发", "发送方式: 朋友圈", ("步骤", 0, "发送方式")),
        ("发送方式: 企业群发", "发送方式: 小助理自动回复", ("步骤", 0, "发送方式")),
        ("发送方式: 企业群发", "发送方式: [企业群发, 企业群发]", ("步骤", 0, "发送方式")),
        ("第几天: 1", "相对: {锚点: 生日, 偏移天: 0}", ("步骤", 0, "相对", "锚点")),
        ("正文: 您好", "正文: 您好, 时限: 2个工作日", ("步骤", 0, "时限")),
        ("正文: 您好", "正文: 您好, 只给标签: [甲]", ("步骤", 0, "只给标签")),
        ("正文: 您好", "正文: 您好, 正文按分流: {一: 好}", ("步骤", 0, "正文")),
    ],
)
def test_what_does_not_fit_whom_the_script_is_for_is_named(
    old: str, new: str, path: tuple[str | int, ...]
) -> None:
    text = head() + "步骤:\n" + step("a", 1)
    assert old in text
    found = [found for found, _, mend in not_runnable(script_of(text.replace(old, new))) if mend]
    assert path in found


def test_overlays_do_not_go_with_a_token() -> None:
    overlay = (
        '日历叠加: [{编号: o, 日期: 除夕, 时间: "09:00-10:00", 类型: 祝福, '
        "发送方式: 企业群发, 正文: 好}]\n"
    )
    assert not_runnable(script(step("a", 1), tail=overlay)) == []
    (gap,) = not_runnable(script(step("a", 1, more="转到: 结束"), tail=overlay))
    assert gap[0] == ("日历叠加",)


@pytest.mark.parametrize(
    ("said", "step_said", "kind", "by", "rule"),
    [
        ("", "", "服务", "企业群发", Missed()),
        ("", "", "知识", "企业群发", Missed(rule=MissedRule.SHIFT)),
        (
            "",
            "",
            "祝福",
            "企业群发",
            Missed(rule=MissedRule.CATCH_UP_WITHIN, within=timedelta(hours=2)),
        ),
        ("", "", "服务", "提醒经理", Missed(rule=MissedRule.CATCH_UP_WITHIN, workdays=3)),
        ("错过时间窗: 只补最近一次\n", "", "祝福", "企业群发", Missed(rule=MissedRule.COALESCE)),
        (
            "错过时间窗: 跳过\n",
            "错过时间窗: 退出",
            "知识",
            "企业群发",
            Missed(rule=MissedRule.EXIT),
        ),
        (
            "",
            "错过时间窗: 当日补到18:30",
            "知识",
            "企业群发",
            Missed(rule=MissedRule.CATCH_UP, until=time(18, 30)),
        ),
    ],
)
def test_a_missed_window_follows_the_step_then_the_file_then_the_kind(
    said: str, step_said: str, kind: str, by: str, rule: Missed
) -> None:
    text = head().replace("错过时间窗: 跳过\n", said)
    read = script_of(text + "步骤:\n" + step("a", 1, kind=kind, by=by, more=step_said))
    assert read.missed_for(read.steps[0]) == rule
    assert from_json(to_json(read)).missed_for(read.steps[0]) == rule


def test_a_reminder_before_an_event_may_come_late_until_the_event() -> None:
    text = head().replace("错过时间窗: 跳过\n", "") + "步骤:\n"
    line = step("a", 1, kind="活动")
    before = line.replace("第几天: 1", "相对: {锚点: 活动日, 偏移天: -1}")
    after = line.replace("第几天: 1", "相对: {锚点: 活动日, 偏移天: 0}")
    read, later = script_of(text + before), script_of(text + after)
    assert read.missed_for(read.steps[0]).until_event
    assert later.missed_for(later.steps[0]) == Missed()


def test_who_goes_first_follows_the_kind_unless_the_file_says() -> None:
    kinds = ("服务", "反诈", "活动", "知识", "产品")
    lines = [step(f"s{n}", n + 1, kind=kind) for n, kind in enumerate(kinds)]
    read = script(*lines)
    assert [read.priority_of(each) for each in read.steps] == [4, 3, 2, 1, 0]
    text = head() + "优先级: 红线\n步骤:\n" + "".join(lines)
    assert {script_of(text).priority_of(each) for each in read.steps} == {5}


@pytest.mark.parametrize(
    ("on", "day_name", "customer_date"),
    [
        ("2026-10-12", "2026-10-12", None),
        ("10月1日", "10月1日", None),
        ("农历九月初九", "农历九月初九", None),
        ("除夕", "除夕", None),
        ("到期日", None, "到期日"),
        ("农历生日", None, "农历生日"),
        ("贷款还清日", None, "贷款还清日"),
    ],
)
def test_an_entrys_day_is_the_calendars_or_the_customers(
    on: str, day_name: str | None, customer_date: str | None
) -> None:
    form = f"{{方式: 日期, 日期: {on}, 提前天: 7}}"
    entry = script_of(head().replace("{方式: 手工}", form) + "步骤:\n" + step("a", 1)).entry
    assert (entry.day_name, entry.customer_date, entry.days_before) == (day_name, customer_date, 7)


def test_events_since_a_day_are_made_up_for_only_where_the_file_says_so() -> None:
    for said, counts in (("不补", False), ("2026-09-01", True), ("2026-10-02", False)):
        form = f"{{方式: 事件, 事件: 群打标签, 补进: {said}}}"
        entry = script_of(head().replace("{方式: 手工}", form) + "步骤:\n" + step("a", 1)).entry
        assert entry.backfills(day("2026-10-01")) is counts
