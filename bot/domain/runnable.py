"""What this version's engine cannot run yet; a file with it may be kept as a draft."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.script import SopScript
from bot.domain.script_parts import (
    Anchor,
    ExitEvent,
    MissedRule,
    ReentryRule,
    Status,
    Subject,
)
from bot.domain.steps import SendBy, Step

Path = tuple[str | int, ...]
Gap = tuple[Path, str]

GROUP_ANCHORS = frozenset({Anchor.GROUP_START, Anchor.ENTRY})
GROUP_SENDING = frozenset({SendBy.BROADCAST, SendBy.NUDGE_OWNER, SendBy.GROUP_WELCOME})
GROUP_EXITS = frozenset(
    {
        ExitEvent.GROUP_DISMISSED,
        ExitEvent.COMPLAINT,
        ExitEvent.MEMBER_REFUSED,
        ExitEvent.LEAD_WON,
    }
)
_NEEDED = {"时间": "window", "类型": "kind", "发送方式": "send_by", "正文": "body"}
_FLOW_KEYS = {
    "相隔天": "days_later",
    "正文按分流": "bodies",
    "分流": "split",
    "等待": "wait",
    "分支": "branches",
    "转到": "goto",
    "动作": "actions",
    "时限": "workdays",
    "群主未确认": "unconfirmed",
}


def must_be_runnable(script: SopScript) -> bool:
    """Tell whether the file claims that it may be run."""
    return script.status in (Status.PUBLISHED, Status.REVIEW)


def not_runnable(script: SopScript) -> list[Gap]:
    """List what the engine cannot run, each with its path in the file and its words."""
    if script.subject is not Subject.GROUP:
        return [(("对象",), f"「对象: {script.subject}」")]
    return [*_head(script), *_steps(script)]


def missing_for_groups(step: Step) -> list[str]:
    """List the keys that a group's step has to have and does not."""
    missing = [key for key, field in _NEEDED.items() if not getattr(step, field)]
    return missing if step.day or step.relative else ["第几天", *missing]


def _head(script: SopScript) -> Iterator[Gap]:
    entry, late = script.entry, script.late_joiners
    told: tuple[tuple[bool, Path, str], ...] = (
        (entry.by not in ("事件", "手工"), ("进入", "方式"), f"「方式: {entry.by}」"),
        (entry.event not in (None, "群打标签"), ("进入", "事件"), f"「事件: {entry.event}」"),
        (entry.daily_limit is not None, ("进入", "每天最多"), "「每天最多」"),
        (
            script.reentry.rule is not ReentryRule.NEVER,
            ("重复进入",),
            "「不允许」以外的重复进入",
        ),
        (script.audience.where is not None, ("适用", "条件"), "客户群的「条件」"),
        (script.audience.exclude is not None, ("适用", "排除"), "客户群的「排除」"),
        (script.anchor not in GROUP_ANCHORS, ("起点",), f"「起点: {script.anchor}」"),
        (script.missed.rule is MissedRule.NEXT_DAY, ("错过时间窗",), "「顺延一天」"),
        (
            late is not None and late.way == "单独私聊",
            ("迟到成员", "补课方式"),
            "「单独私聊」",
        ),
        (script.priority is not None, ("优先级",), "写在最外层的「优先级」"),
        (bool(script.variables), ("变量",), "写在最外层的「变量」"),
        (bool(script.listens), ("听到就办",), "写在最外层的「听到就办」"),
        *(
            (
                each.event not in GROUP_EXITS,
                ("出口", number, "事件"),
                f"客户群的「事件: {each.event}」",
            )
            for number, each in enumerate(script.exits)
        ),
    )
    yield from ((path, words) for cannot, path, words in told if cannot)


def _steps(script: SopScript) -> Iterator[Gap]:
    for number, step in enumerate(script.steps):
        for key, field in _FLOW_KEYS.items():
            if getattr(step, field) not in (None, ()):
                yield ("步骤", number, key), f"客户群的「{key}」"
        if len(step.send_by) > 1:
            yield ("步骤", number, "发送方式"), "几种发送方式依次退让"
        for way in step.send_by:
            if way not in GROUP_SENDING:
                yield ("步骤", number, "发送方式"), f"客户群的「发送方式: {way}」"
