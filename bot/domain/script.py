"""A script file (NAME.sop.yaml), one to one: Chinese keys outside, English fields inside."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from bot.domain.fields import Slug, Words
from bot.domain.script_parts import (
    Anchor,
    Approval,
    Audience,
    Entry,
    Exit,
    ExitEvent,
    GuardRails,
    LateJoiners,
    Measures,
    Missed,
    OnEdit,
    OptOut,
    Reentry,
    RestDays,
    Status,
    Subject,
    Variable,
    read_missed,
    read_reentry,
    write_missed,
    write_reentry,
)
from bot.domain.steps import Ending, Listen, Overlay, Step
from bot.domain.value import Value

Priority = Literal["红线", "服务", "反诈", "活动", "知识", "产品"]


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
    reentry: Annotated[
        Reentry,
        BeforeValidator(read_reentry),
        PlainSerializer(write_reentry, return_type=str),
    ] = Field(Reentry(), alias="重复进入")
    approval: Approval | None = Field(None, alias="审批")
    audience: Audience = Field(Audience(), alias="适用")
    anchor: Anchor = Field(alias="起点")
    rest_days: RestDays = Field(RestDays.PUSH, alias="休息日")
    missed: Annotated[
        Missed,
        BeforeValidator(read_missed),
        PlainSerializer(write_missed, return_type=str),
    ] = Field(Missed(), alias="错过时间窗")
    on_edit: OnEdit = Field(OnEdit.NEW_ONLY, alias="改文件后")
    rails: GuardRails = Field(GuardRails(), alias="护栏")
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
    def ending(self) -> Ending | None:
        """Return what follows the last step, if any step says so."""
        return next((step.after for step in reversed(self.steps) if step.after), None)

    @property
    def parts(self) -> tuple[Step | Overlay, ...]:
        """Return the steps and then the overlays."""
        return (*self.steps, *self.overlays)

    def complaint_stops_group(self) -> bool:
        """Tell whether one member's complaint stops what sells for the whole group (出口)."""
        return any(out.event is ExitEvent.COMPLAINT and out.scope == "全群" for out in self.exits)

    def part(self, id: str) -> Step | Overlay | None:
        """Return the step or overlay of that id."""
        return next((part for part in self.parts if part.id == id), None)


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
