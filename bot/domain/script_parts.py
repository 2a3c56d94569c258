"""The parts of a script file around its steps: what day 1 is, what is missed, how it ends."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from bot.domain.actions import Actions
from bot.domain.fields import Day, Slug, WordList, Words, read_time, refuse
from bot.domain.value import Value

_CATCH_UP = re.compile(r"当日补到(.+)")
_WITHIN = re.compile(r"晚([1-9]\d{0,2})(小时|个工作日)内补发")


class Status(StrEnum):
    """Where a script stands on its way to customers."""

    DRAFT = "草稿"
    REVIEW = "待审"
    PUBLISHED = "已发布"
    STOPPED = "停用"


class Subject(StrEnum):
    """Whom a run is for."""

    GROUP = "客户群"
    CUSTOMER = "客户"


class Anchor(StrEnum):
    """What day 1 is."""

    GROUP_START = "群启动日"
    ENTRY = "进入日"
    MEMBER_JOIN = "客户入群日"
    FRIEND_ADDED = "添加好友日"
    FIXED = "固定日期"
    MATURITY = "到期日"
    BIRTHDAY = "生日"
    LUNAR_BIRTHDAY = "农历生日"
    PAYDAY = "发薪日"
    CUSTOMER_DATE = "客户日期"


class RestDays(StrEnum):
    """What a step does that falls on a rest day."""

    PUSH = "顺延"
    SKIP = "跳过"
    SEND = "照发"


class OnEdit(StrEnum):
    """Whom an edited file reaches."""

    NEW_ONLY = "只影响新进入"
    UNDUE_STEPS = "只影响未到期步骤"


class MissedRule(StrEnum):
    """What happens to a step whose window passed unsent (sop_semantics 2.12)."""

    SKIP = "跳过"
    CATCH_UP = "当日补到"
    NEXT_DAY = "顺延一天"
    CATCH_UP_WITHIN = "补发"
    SHIFT = "后面一起顺延"
    COALESCE = "只补最近一次"
    EXIT = "退出"


class Missed(Value):
    """The rule for a missed window.

    ``until`` is the hour up to which the day is still used (CATCH_UP); a step may come late by
    ``within`` or by so many ``workdays`` (CATCH_UP_WITHIN), or up to its event's begin.
    """

    rule: MissedRule = MissedRule.SKIP
    until: time | None = None
    within: timedelta | None = None
    workdays: int | None = None
    until_event: bool = False


_BARE_MISSED = (
    MissedRule.SKIP,
    MissedRule.NEXT_DAY,
    MissedRule.SHIFT,
    MissedRule.COALESCE,
    MissedRule.EXIT,
)
_MISSED_MEND = (
    "只能写：跳过、当日补到18:00、顺延一天、晚2小时内补发、晚3个工作日内补发、"
    "后面一起顺延、只补最近一次、退出"
)


def read_missed(value: object) -> object:
    """Read 跳过, 当日补到18:00, 顺延一天, 晚2小时内补发, 晚3个工作日内补发 and the others."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text in _BARE_MISSED:
        return Missed(rule=MissedRule(text))
    if match := _CATCH_UP.fullmatch(text):
        return Missed(rule=MissedRule.CATCH_UP, until=read_time(match[1]))
    if match := _WITHIN.fullmatch(text):
        number = int(match[1])
        if match[2] == "小时":
            return Missed(rule=MissedRule.CATCH_UP_WITHIN, within=timedelta(hours=number))
        return Missed(rule=MissedRule.CATCH_UP_WITHIN, workdays=number)
    raise refuse(f"不能写「{value}」", _MISSED_MEND)


def write_missed(missed: Missed) -> str:
    """Write the rule as the files have it."""
    if missed.until is not None:
        return f"{missed.rule}{missed.until:%H:%M}"
    if missed.within is not None:
        return f"晚{int(missed.within.total_seconds() // 3600)}小时内补发"
    if missed.workdays is not None:
        return f"晚{missed.workdays}个工作日内补发"
    return str(missed.rule)


MissedText = Annotated[
    Missed,
    BeforeValidator(read_missed),
    PlainSerializer(write_missed, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [str(rule) for rule in _BARE_MISSED]},
                {"type": "string", "pattern": r"^当日补到([01]?\d|2[0-3]):[0-5]\d$"},
                {"type": "string", "pattern": f"^{_WITHIN.pattern}$"},
            ]
        }
    ),
]


class OnHoliday(StrEnum):
    """What a step does on a day of a festival (节假日; sop_semantics H3)."""

    SEND = "照发"
    SKIP = "跳过"
    NEXT_WORKDAY = "下一个工作日"
    PREVIOUS_WORKDAY = "上一个工作日"
    ONLY = "只在节假日"


class WhenFull(StrEnum):
    """What a step does for which there is no room (额度用完)."""

    WAIT = "等到有额度"
    SKIP = "跳过"
    EXIT = "退出"


class Approval(Value):
    """Who allowed the wording, under which number, and until when (审批)."""

    content_id: Words = Field(alias="内容编号")
    approver: Words = Field(alias="审批人")
    approved_on: Day = Field(alias="审批日")
    expires_on: Day = Field(alias="有效期至")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Approval:
        if self.expires_on < self.approved_on:
            raise refuse("「有效期至」早于「审批日」", "核对这两个日期")
        return self

    def holds_on(self, day: date) -> bool:
        """Tell whether the approval is in force on that day."""
        return self.approved_on <= day <= self.expires_on


class OptOut(Value):
    """The words that stop what sells, and what is then done and said (退出)."""

    keywords: WordList = Field(alias="关键词")
    actions: Actions = Field(alias="动作")
    reply: Words = Field(alias="回话")


class LateJoiners(Value):
    """What members get who come after the first days (迟到成员)."""

    way: Literal["入群欢迎语附目录", "不补", "单独私聊"] = Field(alias="补课方式")
    steps: tuple[Slug, ...] = Field((), alias="目录步骤")


class ExitEvent(StrEnum):
    """What ends or narrows a run from outside."""

    GROUP_DISMISSED = "群解散"
    COMPLAINT = "投诉"
    MEMBER_REFUSED = "成员拒收"
    LEAD_WON = "线索成交"
    CUSTOMER_REFUSED = "客户拒收"
    FRIEND_LOST = "删好友"
    LARGE_DEPOSIT = "大额入金"


class Exit(Value):
    """What an event stops, and for whom (出口).

    ``event`` is one of ``ExitEvent``, or any event that the bank registers for its customers.
    """

    event: Words = Field(alias="事件")
    stops: Literal["全部", "营销类", "产品类"] = Field(alias="停")
    scope: Literal["全群", "本人"] | None = Field(None, alias="范围")


class Variable(Value):
    """A variable that another system fills, with what stands there until it does (变量)."""

    source: Words = Field(alias="来自")
    default: Words = Field(alias="缺省")
