"""What happens to customers and in groups, and which runs it stops, wholly or in part (出口)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field

from bot.domain.script import SopScript
from bot.domain.script_parts import Exit, Subject
from bot.domain.steps import Step
from bot.domain.value import Value

# An event of before a run says nothing of it; one of a bank's file may know its day only.
AS_OLD_AS = timedelta(hours=24)

Part = Literal["全部", "营销类", "产品类"]
_WIDEST_FIRST: tuple[Part, ...] = ("全部", "营销类", "产品类")


class EventKind(StrEnum):
    """The events that are heard live; the bank's files may tell of others by their names."""

    REPLIED = "客户回复"
    FRIEND_ADDED = "添加好友"
    FRIEND_LOST = "删好友"
    JOINED_GROUP = "客户入群"
    LEFT_GROUP = "退群"
    GROUP_DISMISSED = "群解散"
    COMPLAINED = "投诉"
    REFUSED = "客户拒收"
    RESTORED = "恢复"
    LEAD_WON = "线索成交"
    TASK_DONE = "任务完成"
    SIGNED_UP = "活动报名"
    LARGE_DEPOSIT = "大额入金"


MEMBER_REFUSED = "成员拒收"  # what a group's script calls a refusal
# Whoever complains, refuses or has bought is meant in every group, not where it was said alone.
EVERYWHERE: frozenset[str] = frozenset(
    {EventKind.COMPLAINED, EventKind.REFUSED, EventKind.LEAD_WON, EventKind.LARGE_DEPOSIT}
)
_REASONS: dict[str, str] = {
    EventKind.GROUP_DISMISSED: "group_dismissed",
    EventKind.COMPLAINED: "complaint",
    EventKind.REFUSED: "customer_refused",
    EventKind.FRIEND_LOST: "friend_lost",
    EventKind.LEAD_WON: "lead_won",
    EventKind.LARGE_DEPOSIT: "large_deposit",
}


class Happened(Value):
    """Something that happened to a customer, or to a group as a whole.

    ``key`` tells it from every other event; ``chat`` is the group in which it happened and
    ``manager`` whose relation it concerns, where that matters. ``facts`` hold no personal data.
    """

    key: str
    kind: str
    subject: str
    at: datetime
    chat: str = ""
    manager: str = ""
    facts: dict[str, str | int | float | bool] = Field(default_factory=dict)


class Concerned(Value):
    """A live run that an event may stop."""

    id: int
    script: str
    version: str
    subject: str
    of_group: bool
    owner: str
    entered_at: datetime


class Stopped(Value):
    """What an event stops of one run."""

    run: Concerned
    part: Part
    happened: Happened


def reason_of(kind: str) -> str:
    """Return the reason a run carries that an event ended."""
    return _REASONS.get(kind, f"event:{kind}")


def is_sold_by(step: Step, part: Part) -> bool:
    """Tell whether a step belongs to what is stopped."""
    if part == "产品类":
        return step.product is not None or (step.kind is not None and step.kind == "产品")
    return part == "全部" or step.marketing


def is_late_enough(happened: Happened, run: Concerned) -> bool:
    """Tell whether an event may say something of a run: it is no older than the run."""
    return happened.at >= run.entered_at - AS_OLD_AS


def stops_run(happened: Happened, run: Concerned, script: SopScript) -> Part | None:
    """Say what an event stops of a run by its own script; None for nothing.

    In a group's run only what is written for 全群 counts, or what happens to the group itself.
    """
    if not is_late_enough(happened, run):
        return None
    rows = _rows(script.exits, happened.kind)
    if not run.of_group:
        if happened.kind == EventKind.FRIEND_LOST and happened.manager not in ("", run.owner):
            return None  # a colleague was deleted, and not who speaks in this run
        part = _widest(rows)
        if part is None and happened.kind in (EventKind.COMPLAINED, EventKind.REFUSED):
            return "营销类"  # whatever the file says (S07, S20)
        return part
    if happened.subject == run.subject:
        return _widest(rows)
    return _widest(row for row in rows if row.scope == "全群")


def stops_person(happened: Happened, script: SopScript) -> Part | None:
    """Say what an event stops of a member's one-to-one runs by the script of a group (本人)."""
    if script.subject is not Subject.GROUP:
        return None
    return _widest(row for row in _rows(script.exits, happened.kind) if row.scope != "全群")


def wider(one: Part | None, other: Part | None) -> Part | None:
    """Return which of two stops takes more away."""
    return next((part for part in _WIDEST_FIRST if part in (one, other)), None)


def _rows(exits: Iterable[Exit], kind: str) -> list[Exit]:
    names = {kind, MEMBER_REFUSED} if kind == EventKind.REFUSED else {kind}
    return [row for row in exits if str(row.event) in names]


def _widest(rows: Iterable[Exit]) -> Part | None:
    parts = {row.stops for row in rows}
    return next((part for part in _WIDEST_FIRST if part in parts), None)
