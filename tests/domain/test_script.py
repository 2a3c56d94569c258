from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot.domain.actions import (
    AnswerWith,
    HandOver,
    OpenLead,
    PauseMarketing,
    PlainAction,
    PutTag,
    SlowDown,
    applies,
)
from bot.domain.effect import Bound
from bot.domain.entry import ReentryRule
from bot.domain.lead import Need
from bot.domain.runnable import missing_in, not_runnable
from bot.domain.script import SopScript, content_hash, from_json, to_json
from bot.domain.script_parts import MissedRule, RestDays
from bot.domain.steps import Intent, PersonalCheck, SendBy, StepKind
from bot.yamlfile import load
from tests.domain.builders import head, script_of, starter_script, starter_text, step

STARTERS = ["senior-21d.sop.yaml", "senior-weekly.sop.yaml", "dormant-3waves.sop.yaml"]


@pytest.mark.parametrize("name", STARTERS)
def test_a_script_written_as_json_reads_back_the_same(name: str) -> None:
    first = starter_script(name)
    assert from_json(to_json(first)) == first
    assert content_hash(from_json(to_json(first))) == content_hash(first)


def test_the_version_follows_the_content_and_not_the_layout() -> None:
    text = starter_text("senior-21d.sop.yaml")
    same = script_of("# 换了注释\n" + text.replace("状态: 已发布 ", "状态:   已发布 "))
    other = script_of(text.replace("看到的回个「1」", "看到的回个「好」"))
    version = content_hash(script_of(text))
    assert content_hash(same) == version
    assert content_hash(other) != version


def test_the_senior_script_is_read_whole() -> None:
    senior = starter_script("senior-21d.sop.yaml")
    assert len(senior.steps) == 17
    assert len(senior.overlays) == 2
    assert senior.rest_days is RestDays.PUSH
    assert (senior.missed.rule, senior.missed.until) == (MissedRule.CATCH_UP, time(18))
    assert senior.rails.quiet == ((time(11, 45), time(14, 30)), (time(19, 30), time(8, 30)))
    assert senior.rails.max_risk == "R2"
    assert senior.holdout_share == 0.1
    assert senior.ending is not None
    assert senior.ending.follow_up == "senior-weekly"
    assert senior.measures is not None
    assert senior.measures.guards["退群率"] == Bound(value=0.05, below=True)
    assert senior.measures.guards["投诉数"] == Bound(value=0, below=False)
    assert senior.opt_out is not None
    assert senior.opt_out.actions == (
        PlainAction.RECORD_REFUSAL,
        PlainAction.STOP_MARKETING_STEPS,
        PlainAction.NOTIFY_OWNER,
    )


def test_the_senior_scripts_steps_hold_what_their_lines_say() -> None:
    senior = starter_script("senior-21d.sop.yaml")
    by_id = {each.id: each for each in senior.steps}
    assert by_id["d01-welcome"].send_by == (SendBy.GROUP_WELCOME,)
    assert not by_id["d01-welcome"].broadcast
    assert by_id["d01-welcome"].must_contain == ("智能助手", "退订")
    (heard,) = by_id["d03-fraud-child"].listens
    assert heard.intent is Intent.BEING_DEFRAUDED
    assert heard.actions == (HandOver(need=Need.RED_FLAG, within_minutes=5),)
    assert by_id["d04-bigfont"].listens[0].actions == (AnswerWith(qa="qa-07"),)
    quiz = by_id["d10-quiz"].interaction
    assert quiz is not None
    assert (quiz.correct, quiz.expects) == ("B", ("A", "B"))
    remind = by_id["d15-event-remind"]
    assert remind.relative is not None
    assert remind.relative.offset_days == -1
    assert remind.guard is not None
    assert remind.guard.group_has_lead is Need.EVENT
    bond = by_id["d17-bond-notice"]
    assert bond.guard is not None
    assert bond.guard.days_before_bond == 5
    assert bond.listens[0].actions[0] == PutTag(tag="国债提醒")
    product = by_id["d18-product-r2"]
    assert product.marketing
    assert product.guard is not None
    assert product.guard.no_complaint_this_week
    assert product.guard.products_this_week_below == 1
    assert product.listens[0].checks == tuple(PersonalCheck)
    assert by_id["d20-nps"].listens[0].actions == (SlowDown(per_week=1),)
    assert by_id["d12-fin-literacy"].listens[0].ask_first is not None


def test_the_dormant_script_is_read_whole_and_can_be_run() -> None:
    dormant = starter_script("dormant-3waves.sop.yaml")
    assert (dormant.reentry.rule, dormant.reentry.days) == (ReentryRule.INTERVAL, 180)
    by_id = {each.id: each for each in dormant.steps}
    assert by_id["w1-split"].split is not None
    assert by_id["w1-split"].split.shares == {"问候": 50, "服务": 50}
    assert by_id["w1-wait"].wait is not None
    assert by_id["w1-wait"].wait.at_most == timedelta(days=5)
    assert by_id["w1-hello"].unconfirmed is not None
    assert by_id["w1-hello"].unconfirmed.at_most == timedelta(hours=24)
    assert by_id["w2-activity"].send_by == (SendBy.BROADCAST, SendBy.NUDGE_MANAGER)
    assert by_id["w2-activity"].valid_until is not None
    assert by_id["w3-call"].workdays == 2
    assert dormant.flows


def test_everything_in_the_starters_scripts_can_be_run() -> None:
    for name in STARTERS:
        starter = starter_script(name)
        assert not_runnable(starter) == []
        assert not any(missing_in(each, starter) for each in starter.steps)


def problems_with(old: str, new: str) -> str:
    text = starter_text("senior-21d.sop.yaml")
    assert old in text
    broken = text.replace(old, new, 1)
    found, problems = load(broken, "senior-21d.sop.yaml", SopScript)
    assert found is None
    line = broken[: broken.index(new)].count("\n") + 1
    assert any(problem.line == line for problem in problems), (line, problems)
    return "\n".join(map(str, problems))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("对象: 客户群", "对象: 群", "不能写「群」 · 是不是想写：客户群。只能写：客户群、客户"),
        ("休息日: 顺延", "休息日: 往后", "只能写：顺延、跳过、照发"),
        ("当日补到18:00", "当日补", "只能写：跳过、当日补到18:00、顺延一天、晚2小时内补发"),
        ("当日补到18:00", "当日补到25:00", "不是时刻"),
        ("重复进入: 不允许", "重复进入: 随便", "每次锚点"),
        ("偏移天: -1", "偏移天: 负一", "不是数"),
        ("日期: 农历九月初九", "日期: 重阳节", "不是日子"),
        ("{降频: 每周1次}", "{降频: 每月1次}", "不是频次"),
        ("{打标签: 国债提醒}", "{贴标签: 国债提醒}", "不认识的动作「贴标签」"),
        ("意图: 疑似正在被骗", "意图: 被骗", "疑似正在被骗"),
        ("储蓄国债发行前5天内", "国债前5天", "不认识的日历事件"),
        ("小于1", "少于1", "不是上限"),
        ("编号: d10-quiz", "编号: 第10天", "编号「第10天」写法不对"),
        ('正确: "B"', '正确: "C"', "不在期待回复里"),
        ("有效期至: 2027-08-31", "有效期至: 2027年8月", "不是日期"),
        ("退群率: 小于0.05", "退群率: 低", "不是指标的界限"),
        ("格式: sop/1", "格式: sop/2", "只能写：sop/1"),
        ("个体校验:", "个人校验:", "是不是想写：个体校验"),
        ("R不高于C", "R低于C", "不能写「R低于C」"),
        ("每群每天企业群发: 1", "每群每天企业群发: 一", "不是数"),
    ],
)
def test_a_slip_in_the_senior_script_is_said_on_its_line(old: str, new: str, words: str) -> None:
    assert words in problems_with(old, new)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("  - {编号: a, 第几天: 1, 相隔天: 2, 正文: 您好}\n", "只能写一个"),
        ("  - {编号: a, 听到就办: [{动作: [退出]}]}\n", "没有写听到什么"),
        ("  - {编号: a, 分支: [{当: 甲}]}\n", "分支写得不完整"),
        (
            "  - {编号: a, 分流: {实验: x, 单位: 客户, 比例: {一: 50, 二: 40}}}\n",
            "各组比例加起来是 90",
        ),
        ("  - {编号: a, 等待: {任一: [x], 最长: 五天}}\n", "不是时长"),
        ("  - {编号: a, 时限: 两天}\n", "不是时限"),
    ],
)
def test_parts_that_contradict_themselves_are_refused(lines: str, words: str) -> None:
    found, problems = load(head() + "步骤:\n" + lines, "f", SopScript)
    assert found is None
    assert words in str(problems[0])
    assert problems[0].line == head().count("\n") + 2


def test_entry_forms_must_name_their_event_or_day() -> None:
    for form in (
        "{方式: 事件}",
        "{方式: 手工, 事件: 群打标签}",
        "{方式: 日期}",
        "{方式: 手工, 提前天: 3}",
    ):
        text = head().replace("{方式: 手工}", form) + "步骤:\n" + step("a", 1)
        found, problems = load(text, "f", SopScript)
        assert found is None
        assert "一起写" in problems[0].what


def test_an_approval_must_not_end_before_it_begins() -> None:
    text = head().replace("有效期至: 2028-12-31", "有效期至: 2025-12-31") + "步骤:\n" + step("a", 1)
    found, problems = load(text, "f", SopScript)
    assert found is None
    assert "早于「审批日」" in problems[0].what


def test_groups_are_admitted_by_tags_size_and_owner() -> None:
    audience = starter_script("senior-21d.sop.yaml").audience
    tags = frozenset({"银龄群"})
    assert audience.admits_group(tags, 20, "客户经理")
    assert not audience.admits_group(frozenset(), 20, "客户经理")
    assert not audience.admits_group(tags | {"暂停运营"}, 20, "客户经理")
    assert not audience.admits_group(tags, 7, "客户经理")
    assert audience.admits_group(tags, 8, "大堂经理")
    assert not audience.admits_group(tags, 201, "客户经理")
    assert not audience.admits_group(tags, 20, "支行行长")


def test_actions_apply_always_or_to_their_words() -> None:
    alarm = HandOver(need=Need.RED_FLAG, if_mentioned=("已经转了", "已经填了"))
    assert applies(alarm, "我已经转了五千")
    assert not applies(alarm, "我没有转")
    assert applies(PlainAction.EXIT, "随便")
    assert applies(OpenLead(need=Need.EVENT), "随便")


def test_pauses_last_days_or_until_solved() -> None:
    text = head() + (
        "退出: {关键词: [退订], 回话: 好的, 动作: [{停营销: 30天}, {停营销: 直到解决}]}\n步骤:\n"
    )
    read = script_of(text + step("a", 1))
    assert read.opt_out is not None
    assert read.opt_out.actions == (PauseMarketing(days=30), PauseMarketing(days=None))


@pytest.mark.parametrize("kind", list(StepKind))
def test_only_events_and_products_sell_and_only_greetings_go_out_on_rest_days(
    kind: StepKind,
) -> None:
    assert kind.marketing is (kind in ("活动", "产品"))
    assert kind.allowed_on_rest_days is (kind in ("祝福", "公益"))
