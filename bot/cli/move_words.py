"""Whom another version of a script concerns, in words that people read before they say yes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from bot.cli.diff_words import HOW
from bot.cli.sop_words import short_day

if TYPE_CHECKING:
    from bot.sop.outlook import Days, Outlook, StepOutlook
    from bot.workers.relocation import Relocated

_STAY = {
    "in_step": "有一步正在发，先不动",
    "awaiting_confirm": "有一步正等同事点发送，先不动",
    "no_target": "停在新版没有的步骤上：用 --map 旧步骤=新步骤，或 旧步骤=结束",
    "already_done": "--map 指的那一步已经做过，不能再做",
}
_SHOWN = 5  # different days that are listed for a step


def lines_of_outlook(outlook: Outlook, names: Mapping[str, str]) -> Iterator[str]:
    """Give the lines of what a move would do to those who run."""
    if not outlook.runs:
        yield "没有在走的群或客户要换版本。"
        return
    stay = sum(map(len, outlook.stay.values()))
    ends = f"，其中 {outlook.ends} 个到此结束" if outlook.ends else ""
    yield f"在走、还不在这一版的：{outlook.runs} 个；能换的 {outlook.runs - stay} 个{ends}"
    for reason, subjects in sorted(outlook.stay.items()):
        yield f"  不动 {len(subjects)} 个：{_STAY.get(reason, reason)}（{_named(subjects, names)}）"
    if outlook.steps:
        yield "还没发的步骤"
        for step in outlook.steps.values():
            yield from _step(step, names)
    if outlook.waking:
        yield "下一次动作的日子"
        yield from _days(outlook.waking)
    if outlook.differs.experiments:
        yield "实验受影响"
        yield from (f"  {line}" for line in outlook.differs.experiments)


def _step(step: StepOutlook, names: Mapping[str, str]) -> Iterator[str]:
    how = "，".join(HOW[each] for each in step.how) or "日子变了"
    yield f"  {step.step}  {how}，影响 {step.runs} 个：{_named(step.first, names, of=step.runs)}"
    yield from _days(step.days, "      ")


def _days(days: Counter[Days], indent: str = "  ") -> Iterator[str]:
    told = sorted(days.items(), key=lambda item: (-item[1], str(item[0])))
    for (before, after), count in told[:_SHOWN]:
        same = "不变" if before == after else f"→ {_day(after)}"
        yield f"{indent}{_day(before)} {same}：{count} 个"
    if len(told) > _SHOWN:
        rest = sum(count for _, count in told[_SHOWN:])
        yield f"{indent}另有 {len(told) - _SHOWN} 种日子，{rest} 个"


def _day(day: date | None) -> str:
    return short_day(day) if day else "到时再排"


def _named(subjects: Sequence[str], names: Mapping[str, str], *, of: int | None = None) -> str:
    shown = "、".join(names.get(each, each) for each in subjects[:10])
    return shown + ("……" if (of or len(subjects)) > len(subjects[:10]) else "")


def json_of_outlook(outlook: Outlook, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what a move would do, for machines."""
    return {
        "runs": outlook.runs,
        "ends": outlook.ends,
        "stay": {reason: list(those) for reason, those in sorted(outlook.stay.items())},
        "steps": [
            {
                "step": step.step,
                "how": list(step.how),
                "runs": step.runs,
                "first": [{"id": id, "name": names.get(id, id)} for id in step.first],
                "days": _json_of_days(step.days),
            }
            for step in outlook.steps.values()
        ],
        "next_due": _json_of_days(outlook.waking),
        "experiments": list(outlook.differs.experiments),
    }


def _json_of_days(days: Counter[Days]) -> list[dict[str, Any]]:
    told = sorted(days.items(), key=lambda item: (-item[1], str(item[0])))
    return [
        {
            "before": str(before) if before else None,
            "after": str(after) if after else None,
            "runs": count,
        }
        for (before, after), count in told
    ]


def lines_of_moved(done: Relocated) -> Iterator[str]:
    """Give the lines of what was done."""
    ended = f"，其中 {done.ended} 个到此结束" if done.ended else ""
    yield f"换好了 {done.moved} 个{ended}。"
    for reason, count in sorted(done.stay.items()):
        yield f"没动 {count} 个：{_STAY.get(reason, reason)}。"
    if done.later:
        yield "正在发、正等确认的，过一会儿再运行一次就接着换。"


def json_of_moved(done: Relocated) -> dict[str, Any]:
    """Return what was done, for machines."""
    return {"moved": done.moved, "ended": done.ended, "stay": dict(sorted(done.stay.items()))}
