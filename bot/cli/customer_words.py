"""How a customer's sheet, and what became of a wish to enter, read in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bot.cli.sop_words import in_words

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bot.workers.resuming import Resumed

_STATES = {
    "entered": "进了",
    "held_out": "留白(不发，用来比效果)",
    "refused": "没进",
    "retry": "缺资料，还在等",
    "waiting": "在排队",
    "running": "在走",
    "done": "走完了",
    "exited": "退出了",
}
_REASONS = {
    "audience": "不符合「适用」的条件或标签",
    "audience_unknown": "「适用」要看的资料还不知道",
    "exclusion": "在「排除」里",
    "exclusion_unknown": "「排除」要看的资料还不知道，按排除算",
    "consent": "没有营销同意，或已经拒收",
    "consent_unknown": "不知道有没有营销同意",
    "contactable": "不是在岗同事的好友，或群不在了、群主不在岗",
    "contactable_unknown": "企业微信里还没有见过",
    "running": "正在走这个剧本",
    "entered_before": "走过了，「重复进入」不让再进",
    "too_soon": "离上一次进入还不够天数",
    "exclusive": "同一个互斥组里，正在走优先级不低于它的剧本",
    "anchor_unknown": "起点那一天还不知道",
    "throttled": "名额满了，按顺序等",
    "paused": "暂停了，恢复以后再进",
    "drained": "只出不进",
    "not_approved": "还没有审批，批了以后再进",
    "global": "全行留白",
    "program": "互斥组留白",
    "script": "本剧本留白",
    "unpublished": "剧本没有发布，或这一位不在试点里",
}
_ANSWERS = {
    "audience": "适用",
    "exclusion": "排除",
    "consent": "同意",
    "contactable": "联系得上",
    "holdout": "留白",
}

Lines = list[tuple[str, ...]]


def state_in_words(state: str, reason: str) -> str:
    """Return what became of a wish to enter."""
    word = _STATES.get(state, state)
    return f"{word}：{_REASONS.get(reason, reason)}" if reason else word


def resumed_in_words(done: Resumed, zone: ZoneInfo) -> Iterator[str]:
    """Give the lines of what was lifted of a customer."""
    who = done.name or done.customer
    if not done.changed:
        yield f"{who}：没有停营销，也没有没办结的投诉，没有动。"
    else:
        told = [f"投诉工单 {len(done.complaints)} 张办结"] if done.complaints else []
        if done.paused_until is not None:
            told.append(f"停到 {done.paused_until.astimezone(zone):%Y-%m-%d} 的营销解除了")
        yield f"{who}：{'，'.join(told)}；各个剧本会再问一遍该不该请他。"
    if done.refused_at is not None:
        yield "  他自己说过不收营销，这一条不动：要他自己说「恢复」。"


def lines_of(sheet: dict[str, Any]) -> list[tuple[str, Lines]]:
    """Return the parts of a customer's sheet, each with its rows."""
    facts: dict[str, Any] = sheet["facts"]
    parts: list[tuple[str, Lines]] = [
        (f"客户 {sheet['customer']}", _about(sheet)),
        (
            f"资料(截至 {sheet['facts_as_of'] or '—'})",
            [(name, _yes_no(value)) for name, value in sorted(facts.items())],
        ),
        ("最近做了什么", [(one["at"], one["event"]) for one in sheet["events"]]),
        ("剧本", [_run(one) for one in sheet["runs"]]),
        ("为什么进了或没进", [_decision(one) for one in sheet["decisions"]]),
    ]
    return [(title, rows or [("没有",)]) for title, rows in parts]


def _about(sheet: dict[str, Any]) -> Lines:
    manager = f"{sheet['manager']}({'在岗' if sheet['on_duty'] else '不在岗'})"
    return [
        ("客户经理", manager if sheet["manager"] else "没有好友"),
        ("网点", sheet["branch"] or "—"),
        ("标签", "、".join(sheet["tags"]) or "—"),
        ("拒收营销", _yes_no(sheet["refuses"])),
        ("投诉处理中", _yes_no(sheet["complaint_open"])),
        ("最近互动", sheet["last_seen"] or "—"),
    ]


def _run(run: dict[str, Any]) -> tuple[str, ...]:
    where = f"到「{run['node']}」" if run["node"] and run["state"] == "running" else ""
    state = _STATES.get(run["state"], run["state"])
    return run["script"], run["entered_at"], f"{state}{where}", in_words(run["reason"])


def _decision(one: dict[str, Any]) -> tuple[str, ...]:
    answers = "，".join(f"{word}{_yes_no(one['answers'][name])}" for name, word in _ANSWERS.items())
    return one["script"], one["at"], state_in_words(one["state"], one["reason"]), answers


def _yes_no(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "未知" if value is None else str(value)
