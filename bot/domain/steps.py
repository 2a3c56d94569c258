"""The parts of a script that reach customers: steps, overlays, and what is listened for."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from bot.domain.actions import Actions
from bot.domain.attachments import Attachment
from bot.domain.calendar import DayName
from bot.domain.fields import DayWindow, Slug, WordList, Words, refuse, written
from bot.domain.flow import Branch, Repeat, Split, Unconfirmed, ValidUntil, Wait
from bot.domain.script_parts import MissedText, OnHoliday, WhenFull
from bot.domain.step_terms import Ending, Guard, Interaction, Relative
from bot.domain.value import Value

_WORKDAYS = re.compile(r"([1-9]\d?)个工作日")

# 红线 > 服务 > 反诈 > 活动 > 知识 > 产品: the higher goes first (field_lessons 6).
PRIORITIES = {"红线": 5, "服务": 4, "反诈": 3, "活动": 2, "知识": 1, "产品": 0}
Priority = Literal["红线", "服务", "反诈", "活动", "知识", "产品"]


class StepKind(StrEnum):
    """What a step is for."""

    WELCOME = "欢迎"
    SERVICE = "服务"
    ANTI_FRAUD = "反诈"
    SENIOR_SERVICE = "适老服务"
    CARE = "关怀"
    INTERACTION = "互动"
    EVENT = "活动"
    KNOWLEDGE = "知识"
    PRODUCT = "产品"
    REVISIT = "回访"
    GREETING = "祝福"
    PUBLIC_GOOD = "公益"

    @property
    def marketing(self) -> bool:
        """Tell whether a step of this kind sells, so that a refusal stops it."""
        return self in (StepKind.EVENT, StepKind.PRODUCT)

    @property
    def priority(self) -> int:
        """Return who goes first where room is short: PRIORITIES by what the kind is."""
        return PRIORITIES[_STANDING.get(self, "知识")]

    @property
    def allowed_on_rest_days(self) -> bool:
        """Tell whether 照发 may send this kind on a rest day."""
        return self in (StepKind.GREETING, StepKind.PUBLIC_GOOD)


_STANDING: dict[StepKind, Priority] = {
    StepKind.WELCOME: "服务",
    StepKind.SERVICE: "服务",
    StepKind.SENIOR_SERVICE: "服务",
    StepKind.REVISIT: "服务",
    StepKind.ANTI_FRAUD: "反诈",
    StepKind.PUBLIC_GOOD: "反诈",
    StepKind.EVENT: "活动",
    StepKind.INTERACTION: "活动",
    StepKind.KNOWLEDGE: "知识",
    StepKind.CARE: "知识",
    StepKind.GREETING: "知识",
    StepKind.PRODUCT: "产品",
}


class SendBy(StrEnum):
    """The way a step reaches people."""

    BROADCAST = "企业群发"
    NUDGE_OWNER = "提醒群主侧边栏一键发"
    GROUP_WELCOME = "入群欢迎语"
    MOMENTS = "朋友圈"
    KEYWORD_REPLY = "小助理自动回复"
    KF = "微信客服"
    NUDGE_MANAGER = "提醒经理一键发"
    TASK_FOR_MANAGER = "提醒经理"


class Intent(StrEnum):
    """What a customer's words mean, beyond single keywords."""

    BEING_DEFRAUDED = "疑似正在被骗"


class PersonalCheck(StrEnum):
    """What must hold for one customer before a product is talked about (S01, S03, S07)."""

    ASSESSMENT_VALID = "风险测评有效"
    RISK_WITHIN = "R不高于C"
    OVER_65_SPECIAL = "年龄65以上走专门流程"
    NOT_REFUSED = "未拒收营销"


def _workdays(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _WORKDAYS.fullmatch(value.strip())
    if match is None:
        raise refuse(f"「{value}」不是时限", "写成 2个工作日 的样子")
    return int(match[1])


class Listen(Value):
    """Words or an intent in a reply, and what is then done (听到就办)."""

    intent: Intent | None = Field(None, alias="意图")
    keywords: WordList | None = Field(None, alias="关键词")
    actions: Actions = Field(alias="动作")
    reply: Words | None = Field(None, alias="回话")
    ask_first: Words | None = Field(None, alias="先问同意")
    checks: tuple[PersonalCheck, ...] = Field((), alias="个体校验")

    @model_validator(mode="after")
    def _hears_something(self) -> Listen:
        if self.intent is None and self.keywords is None:
            raise refuse("没有写听到什么", "补上「关键词: [...]」或「意图: …」")
        return self


_ONE_OR_MANY = {
    "anyOf": [
        {"enum": [way.value for way in SendBy]},
        {"type": "array", "items": {"enum": [way.value for way in SendBy]}, "minItems": 1},
    ]
}


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Overlay(Value):
    """A message for a day of the calendar, whatever the run's day (日历叠加)."""

    id: Slug = Field(alias="编号")
    on: DayName = Field(alias="日期")
    window: DayWindow = Field(alias="时间")
    kind: StepKind = Field(alias="类型")
    send_by: Literal[SendBy.BROADCAST, SendBy.NUDGE_OWNER] = Field(alias="发送方式")
    body: Words = Field(alias="正文")
    must_contain: tuple[Words, ...] = Field((), alias="必含")
    attachments: tuple[Attachment, ...] = Field((), alias="附件")


class Step(Value):
    """One step of a script; which keys a runnable step needs is said by ``runnable``."""

    id: Slug = Field(alias="编号")
    day: int | None = Field(None, alias="第几天", ge=1, le=365)
    relative: Relative | None = Field(None, alias="相对")
    days_later: int | None = Field(None, alias="相隔天", ge=0, le=365)
    repeat: Repeat | None = Field(None, alias="重复")
    window: DayWindow | None = Field(None, alias="时间")
    kind: StepKind | None = Field(None, alias="类型")
    send_by: Annotated[
        tuple[SendBy, ...], BeforeValidator(_one_or_many), WithJsonSchema(_ONE_OR_MANY)
    ] = Field((), alias="发送方式")
    tags_only: tuple[Words, ...] = Field((), alias="只给标签")
    missed: MissedText | None = Field(None, alias="错过时间窗")
    on_holiday: OnHoliday | None = Field(None, alias="节假日")
    when_full: WhenFull | None = Field(None, alias="额度用完")
    product: Slug | None = Field(None, alias="产品")
    guard: Guard | None = Field(None, alias="前提")
    body: Words | None = Field(None, alias="正文")
    bodies: dict[str, Words] | None = Field(None, alias="正文按分流")
    must_contain: tuple[Words, ...] = Field((), alias="必含")
    attachments: tuple[Attachment, ...] = Field((), alias="附件")
    interaction: Interaction | None = Field(None, alias="互动")
    listens: tuple[Listen, ...] = Field((), alias="听到就办")
    unconfirmed: Unconfirmed | None = Field(None, alias="群主未确认")
    valid_until: ValidUntil | None = Field(None, alias="有效到")
    after: Ending | None = Field(None, alias="结束后")
    split: Split | None = Field(None, alias="分流")
    wait: Wait | None = Field(None, alias="等待")
    branches: tuple[Branch, ...] = Field((), alias="分支")
    goto: Words | None = Field(None, alias="转到")
    actions: Actions | None = Field(None, alias="动作")
    workdays: Annotated[
        int | None,
        BeforeValidator(_workdays),
        PlainSerializer(lambda n: None if n is None else f"{n}个工作日", return_type=str | None),
        written(_WORKDAYS.pattern),
    ] = Field(None, alias="时限")

    @model_validator(mode="after")
    def _one_place_in_time(self) -> Step:
        if sum(x is not None for x in (self.day, self.relative, self.days_later)) > 1:
            raise refuse("「第几天」「相对」「相隔天」只能写一个", "删掉多余的")
        return self

    @property
    def broadcast(self) -> bool:
        """Tell whether the step takes the group's mass-send quota of the day."""
        return SendBy.BROADCAST in self.send_by

    @property
    def marketing(self) -> bool:
        """Tell whether the step sells."""
        return self.product is not None or (self.kind is not None and self.kind.marketing)

    @property
    def priority(self) -> int:
        """Return who goes first where room is short: 5 for 红线 down to 0 for 产品."""
        if self.product is not None:
            return StepKind.PRODUCT.priority
        return self.kind.priority if self.kind is not None else PRIORITIES["知识"]

    @property
    def sends(self) -> bool:
        """Tell whether the step brings words to somebody; others only steer the run."""
        return self.body is not None or self.bodies is not None

    @property
    def steers(self) -> bool:
        """Tell whether the step needs a run with a token (split, wait, branch, repeat…)."""
        return bool(
            self.split or self.wait or self.branches or self.goto or self.repeat or self.actions
        ) or (self.days_later is not None)
