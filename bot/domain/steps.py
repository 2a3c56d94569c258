"""The parts of a script that reach customers: steps, overlays, and what is listened for."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from bot.domain.actions import Actions
from bot.domain.calendar import DayName
from bot.domain.fields import DayWindow, Slug, WordList, Words, YesNo, refuse
from bot.domain.flow import Branch, Split, Unconfirmed, ValidUntil, Wait
from bot.domain.lead import Need
from bot.domain.value import Value

_WORKDAYS = re.compile(r"([1-9]\d?)个工作日")
_BELOW = re.compile(r"小于(\d+(?:\.\d+)?)")
_BEFORE_BOND = re.compile(r"储蓄国债发行前(\d{1,2})天内")


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
    def allowed_on_rest_days(self) -> bool:
        """Tell whether 照发 may send this kind on a rest day."""
        return self in (StepKind.GREETING, StepKind.PUBLIC_GOOD)


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


def _below(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _BELOW.fullmatch(value.strip())
    if match is None:
        raise refuse(f"「{value}」不是上限", "写成 小于1 的样子")
    return match[1]


def _bond_days(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _BEFORE_BOND.fullmatch(value.strip())
    if match is None:
        raise refuse(f"不认识的日历事件「{value}」", "写成 储蓄国债发行前5天内 的样子")
    return int(match[1])


def _workdays(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _WORKDAYS.fullmatch(value.strip())
    if match is None:
        raise refuse(f"「{value}」不是时限", "写成 2个工作日 的样子")
    return int(match[1])


Below = Annotated[
    int, BeforeValidator(_below), PlainSerializer(lambda n: f"小于{n}", return_type=str)
]


class Relative(Value):
    """Placed by an event's day: {锚点: 活动日, 偏移天: -1}."""

    anchor: Literal["活动日"] = Field(alias="锚点")
    offset_days: int = Field(alias="偏移天", ge=-30, le=30)


class Guard(Value):
    """What must hold when the step is due (前提); otherwise it is skipped, not made up for."""

    group_has_lead: Need | None = Field(None, alias="群内有线索")
    days_before_bond: Annotated[
        int | None,
        BeforeValidator(_bond_days),
        PlainSerializer(
            lambda n: None if n is None else f"储蓄国债发行前{n}天内", return_type=str | None
        ),
    ] = Field(None, alias="日历事件")
    no_complaint_this_week: YesNo = Field(False, alias="群内本周无投诉")
    products_this_week_below: Below | None = Field(None, alias="本周产品内容次数")


class Interaction(Value):
    """What replies are hoped for and where they are counted."""

    expects: WordList = Field(alias="期待回复")
    metric: Words = Field(alias="计入指标")
    correct: Words | None = Field(None, alias="正确")

    @model_validator(mode="after")
    def _correct_is_expected(self) -> Interaction:
        if self.correct is not None and self.correct not in self.expects:
            raise refuse(f"「正确: {self.correct}」不在期待回复里", "把它加进期待回复")
        return self


class Attachment(Value):
    """A picture of the workspace's files folder, with words for those who cannot see it."""

    kind: Literal["图片"] = Field(alias="类型")
    file: Words = Field(alias="素材")
    alt: Words = Field(alias="替代文字")


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


class Ending(Value):
    """What follows the last step (结束后)."""

    follow_up: Slug | None = Field(None, alias="转入")
    group_tags: tuple[Words, ...] = Field((), alias="群打标签")


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
    window: DayWindow | None = Field(None, alias="时间")
    kind: StepKind | None = Field(None, alias="类型")
    send_by: Annotated[tuple[SendBy, ...], BeforeValidator(_one_or_many)] = Field(
        (), alias="发送方式"
    )
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
