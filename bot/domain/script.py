"""A script file (NAME.sop.yaml), one to one: Chinese keys outside, English fields inside."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Literal

from pydantic import Field

from bot.domain.effect import Measures
from bot.domain.entry import Audience, Entry, Reentry, ReentryText
from bot.domain.fields import Slug, Words
from bot.domain.rails import GuardRails
from bot.domain.script_parts import (
    Anchor,
    Approval,
    Exit,
    LateJoiners,
    Missed,
    MissedRule,
    MissedText,
    OnEdit,
    OptOut,
    RestDays,
    Status,
    Subject,
    Variable,
)
from bot.domain.step_terms import EVENT_DAY, Ending
from bot.domain.steps import PRIORITIES, Listen, Overlay, Priority, SendBy, Step, StepKind
from bot.domain.value import Value

_GREETING_GRACE = Missed(rule=MissedRule.CATCH_UP_WITHIN, within=timedelta(hours=2))
_TASK_GRACE = Missed(rule=MissedRule.CATCH_UP_WITHIN, workdays=3)
_UNTIL_EVENT = Missed(rule=MissedRule.CATCH_UP_WITHIN, until_event=True)


class SopScript(Value):
    """One script of the workspace."""

    format: Literal["sop/1"] = Field(alias="格式")
    id: Slug = Field(alias="编号")
    name: Words = Field(alias="名称")
    number: int = Field(alias="版本", ge=1)
    status: Status = Field(alias="状态")
    owner: Words = Field(alias="负责人")
    persona: Slug = Field(alias="人设")
    subject: Subject = Field(alias="对象")
    entry: Entry = Field(alias="进入")
    reentry: ReentryText = Field(Reentry(), alias="重复进入")
    approval: Approval | None = Field(None, alias="审批")
    audience: Audience = Field(Audience(), alias="适用")
    anchor: Anchor = Field(alias="起点")
    rest_days: RestDays = Field(RestDays.PUSH, alias="休息日")
    missed_said: MissedText | None = Field(None, alias="错过时间窗")
    on_edit: OnEdit = Field(OnEdit.NEW_ONLY, alias="改文件后")
    rails: GuardRails = Field(GuardRails(), alias="护栏")
    max_days: int = Field(365, alias="最长天数", ge=1, le=365)
    exclusive: Words | None = Field(None, alias="互斥组")
    priority: Priority | None = Field(None, alias="优先级")
    variables: dict[str, Variable] | None = Field(None, alias="变量")
    opt_out: OptOut | None = Field(None, alias="退出")
    late_joiners: LateJoiners | None = Field(None, alias="迟到成员")
    steps: tuple[Step, ...] = Field(alias="步骤", min_length=1)
    overlays: tuple[Overlay, ...] = Field((), alias="日历叠加")
    listens: tuple[Listen, ...] = Field((), alias="听到就办")
    exits: tuple[Exit, ...] = Field((), alias="出口")
    measures: Measures | None = Field(None, alias="看效果")

    @property
    def holdout_share(self) -> float:
        """Return the share of subjects that do not run: 留白群比例 for groups, else 留白比例."""
        holdout = self.measures.holdout if self.measures else None
        if holdout is None:
            return 0.0
        return holdout.group_share if self.subject is Subject.GROUP else holdout.share

    @property
    def flows(self) -> bool:
        """Tell whether runs go by a token from step to step, and not by days planned at entry."""
        return self.subject is Subject.CUSTOMER or any(step.steers for step in self.steps)

    @property
    def missed(self) -> Missed:
        """Return the file's own 错过时间窗, or 跳过 where it says nothing."""
        return self.missed_said or Missed()

    def missed_for(self, part: Step | Overlay) -> Missed:
        """Return what becomes of a step whose window passed (sop_semantics 2.12).

        The step's own word goes before the file's; where both are silent, the kind decides.
        """
        said = part.missed if isinstance(part, Step) else None
        return said or self.missed_said or _default_missed(part)

    def priority_of(self, part: Step | Overlay) -> int:
        """Return who goes first where room is short: the file's 优先级, or the part's kind's."""
        if self.priority is not None:
            return PRIORITIES[self.priority]
        return part.priority if isinstance(part, Step) else part.kind.priority

    @property
    def ending(self) -> Ending | None:
        """Return what follows the last step, if any step says so."""
        return next((step.after for step in reversed(self.steps) if step.after), None)

    @property
    def parts(self) -> tuple[Step | Overlay, ...]:
        """Return the steps and then the overlays."""
        return (*self.steps, *self.overlays)

    def part(self, id: str) -> Step | Overlay | None:
        """Return the step or overlay of that id."""
        return next((part for part in self.parts if part.id == id), None)


def _default_missed(part: Step | Overlay) -> Missed:
    if isinstance(part, Step):
        relative = part.relative
        if relative is not None and relative.anchor == EVENT_DAY and relative.offset_days < 0:
            return _UNTIL_EVENT
        if part.send_by and part.send_by[0] is SendBy.TASK_FOR_MANAGER:
            return _TASK_GRACE
    if part.kind in (StepKind.GREETING, StepKind.PUBLIC_GOOD):
        return _GREETING_GRACE
    return Missed(rule=MissedRule.SHIFT if part.kind is StepKind.KNOWLEDGE else MissedRule.SKIP)


def to_json(script: SopScript) -> str:
    """Write a script as canonical JSON in the file's own words; ``from_json`` reads it back."""
    plain = script.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> SopScript:
    """Read what ``to_json`` wrote."""
    return SopScript.model_validate(json.loads(text))


def content_hash(script: SopScript) -> str:
    """Return the version: a hash of all the file says, whatever its comments and layout."""
    return hashlib.sha256(to_json(script).encode()).hexdigest()[:16]
