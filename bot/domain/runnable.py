"""What can never run as it stands in a file: parts that do not fit whom the script is for."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.entry import is_day_name
from bot.domain.registry import TAGGED_GROUP
from bot.domain.script import SopScript
from bot.domain.script_parts import Anchor, ExitEvent, Status, Subject
from bot.domain.step_terms import BOND_DAY, EVENT_DAY
from bot.domain.steps import SendBy, Step

Path = tuple[str | int, ...]
Gap = tuple[Path, str, str]

_ANCHORS = {
    Subject.GROUP: frozenset({Anchor.GROUP_START, Anchor.ENTRY, Anchor.FIXED}),
    Subject.CUSTOMER: frozenset(Anchor) - {Anchor.GROUP_START},
}
_WAYS = {
    Subject.GROUP: (
        SendBy.BROADCAST,
        SendBy.NUDGE_OWNER,
        SendBy.GROUP_WELCOME,
        SendBy.TASK_FOR_MANAGER,
    ),
    Subject.CUSTOMER: (
        SendBy.BROADCAST,
        SendBy.NUDGE_MANAGER,
        SendBy.KF,
        SendBy.MOMENTS,
        SendBy.TASK_FOR_MANAGER,
    ),
}
_EXITS_OF_GROUPS = frozenset({ExitEvent.GROUP_DISMISSED, ExitEvent.MEMBER_REFUSED})
_RAILS_OF_GROUPS = {
    "broadcasts_a_day": "每群每天企业群发",
    "broadcasts_a_week": "每群每周企业群发",
    "broadcasts_a_month": "每群每月企业群发",
    "products_a_week": "每群每周含产品内容",
}
_TASKS = frozenset({SendBy.BROADCAST, SendBy.MOMENTS})
_ANYWHERE = frozenset({EVENT_DAY, BOND_DAY})


def must_be_runnable(script: SopScript) -> bool:
    """Tell whether the file claims that it may be run."""
    return script.status in (Status.PUBLISHED, Status.REVIEW)


def not_runnable(script: SopScript) -> list[Gap]:
    """List what can never run, each with its path in the file, what it is and its mend."""
    return [
        *_entry(script),
        *_audience(script),
        *_around(script),
        *(gap for number, step in enumerate(script.steps) for gap in _step(step, number, script)),
    ]


def missing_in(step: Step, script: SopScript) -> list[str]:
    """List the keys that a step has to have and does not.

    A run with a token knows a step's day without its word, and a step may only steer.
    """
    if not step.sends and not step.send_by:
        told = bool(step.split or step.wait or step.branches or step.goto or step.actions)
        return [] if script.flows and told else _needed(step, script)
    return _needed(step, script)


def _needed(step: Step, script: SopScript) -> list[str]:
    by_hand = step.send_by == (SendBy.TASK_FOR_MANAGER,)
    return [
        key
        for key, there in (
            ("第几天", script.flows or step.day or step.relative),
            ("时间", script.flows or step.window),
            ("类型", step.kind or by_hand),
            ("发送方式", step.send_by),
            ("正文", step.sends),
        )
        if not there
    ]


def _entry(script: SopScript) -> Iterator[Gap]:
    entry, group = script.entry, script.subject is Subject.GROUP
    if entry.event is not None and group != (entry.event == TAGGED_GROUP):
        mend = f"客户群只能写 {TAGGED_GROUP}" if group else "改成客户的事件，例如 添加好友"
        yield ("进入", "事件"), f"{_whose(script)}不能由「{entry.event}」进入", mend
    if group and entry.customer_date is not None:
        mend = "改成日历上的日子，例如 10月1日、农历九月初九"
        yield ("进入", "日期"), f"客户群没有「{entry.customer_date}」", mend


def _audience(script: SopScript) -> Iterator[Gap]:
    audience, group = script.audience, script.subject is Subject.GROUP
    keys: tuple[tuple[bool, str], ...] = (
        (not group and bool(audience.tags_any), "群标签含任一"),
        (not group and bool(audience.tags_none), "群标签都不含"),
        (not group and "size" in audience.model_fields_set, "群人数"),
        (not group and bool(audience.owner_roles), "群主角色"),
        (group and bool(audience.customer_tags_any), "客户标签含任一"),
        (group and bool(audience.customer_tags_none), "客户标签都不含"),
    )
    for wrong, key in keys:
        if wrong:
            yield ("适用", key), f"{_whose(script)}用不上「{key}」", "删掉它，或改 对象"
    for field, key in _RAILS_OF_GROUPS.items():
        if not group and field in script.rails.model_fields_set:
            yield ("护栏", key), f"{_whose(script)}用不上「{key}」", "删掉它；一对一的写「每客…」"


def _around(script: SopScript) -> Iterator[Gap]:
    group = script.subject is Subject.GROUP
    if script.anchor not in _ANCHORS[script.subject]:
        fitting = "、".join(anchor for anchor in Anchor if anchor in _ANCHORS[script.subject])
        what = f"{_whose(script)}不能写「起点: {script.anchor}」"
        yield ("起点",), what, f"可以写：{fitting}"
    elif script.anchor is Anchor.FIXED and script.entry.day_name is None:
        yield ("起点",), "「固定日期」没有写是哪一天", "写上 进入: {方式: 日期, 日期: 2026-10-12}"
    elif script.anchor is Anchor.CUSTOMER_DATE and script.entry.customer_date is None:
        yield ("起点",), "「客户日期」没有写是哪个日期", "写上 进入: {方式: 日期, 日期: 到期日}"
    if script.flows and script.overlays:
        mend = "删掉，或另写一个没有分流、等待、分支的剧本来发节日"
        yield ("日历叠加",), "有分流、等待、分支或一对一的剧本，不能再写日历叠加", mend
    if not group and script.late_joiners is not None:
        yield ("迟到成员",), "一对一的剧本没有迟到成员", "删掉这一节"
    for number, each in enumerate(script.exits):
        if not group and (each.event in _EXITS_OF_GROUPS or each.scope == "全群"):
            mend = "换成客户的事件，例如 客户拒收、投诉，不写「范围: 全群」"
            yield ("出口", number, "事件"), "一对一的剧本用不上这个出口", mend


def _step(step: Step, number: int, script: SopScript) -> Iterator[Gap]:
    at: Path = ("步骤", number)
    fitting = _WAYS[script.subject]
    for way in step.send_by:
        if way is SendBy.KEYWORD_REPLY:
            mend = "企业微信没有给程序用的小助理接口，改用「听到就办」"
            yield (*at, "发送方式"), f"不能用「{way}」", mend
        elif way not in fitting:
            mend = f"可以写：{'、'.join(fitting)}"
            yield (*at, "发送方式"), f"{_whose(script)}不能用「{way}」", mend
    if len(set(step.send_by)) < len(step.send_by):
        yield (*at, "发送方式"), "同一种发送方式写了两次", "删掉重复的"
    yield from _idle_keys(step, at)
    relative = step.relative
    if relative is not None and relative.anchor not in _ANYWHERE:
        own = not is_day_name(relative.anchor)
        if own and script.subject is Subject.GROUP:
            mend = "客户群可以写：活动日、国债发行日，或日历上的日子"
            yield (*at, "相对", "锚点"), f"客户群没有「{relative.anchor}」", mend


def _idle_keys(step: Step, at: Path) -> Iterator[Gap]:
    """Give the keys that would do nothing with the ways the step has."""
    ways = set(step.send_by)
    told: tuple[tuple[bool, str, str], ...] = (
        (
            step.workdays is not None and SendBy.TASK_FOR_MANAGER not in ways,
            "时限",
            "「时限」只对「提醒经理」有用",
        ),
        (
            step.unconfirmed is not None and not ways & _TASKS,
            "群主未确认",
            "这种发送方式没有要确认的任务",
        ),
        (
            bool(step.tags_only) and SendBy.MOMENTS not in ways,
            "只给标签",
            "「只给标签」只对「朋友圈」有用",
        ),
        (step.when_full is not None and not step.sends, "额度用完", "这一步不发消息"),
        (step.on_holiday is not None and not step.sends, "节假日", "这一步不发消息"),
        (step.bodies is not None and step.body is not None, "正文", "已经写了「正文按分流」"),
    )
    for idle, key, what in told:
        if idle:
            yield (*at, key), what, "删掉这一行"


def _whose(script: SopScript) -> str:
    return "客户群的剧本" if script.subject is Subject.GROUP else "一对一的剧本"
