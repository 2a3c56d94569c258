"""How a run goes on between messages: splits, waits, branches, and unconfirmed tasks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from bot.domain.fields import Day, WordList, Words, refuse, written
from bot.domain.value import Value

_HOURS = re.compile(r"([1-9]\d{0,3})(小时|天)")


def _span(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _HOURS.fullmatch(value.strip())
    if match is None:
        raise refuse(f"「{value}」不是时长", "写成 24小时 或 5天 的样子")
    return timedelta(hours=int(match[1])) if match[2] == "小时" else timedelta(days=int(match[1]))


def _write_span(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours}小时" if hours % 24 or hours < 48 else f"{hours // 24}天"


Span = Annotated[
    timedelta,
    BeforeValidator(_span),
    PlainSerializer(_write_span, return_type=str),
    written(_HOURS.pattern),
]


END_OF_RUN = "结束"  # where 转到 may lead besides a step


class Split(Value):
    """An experiment's arms and their shares in percent (分流)."""

    experiment: Words = Field(alias="实验")
    unit: Literal["客户", "客户群", "客户经理", "网点"] = Field(alias="单位")
    shares: dict[str, Annotated[int, Field(ge=1, le=99)]] = Field(alias="比例", min_length=2)

    @model_validator(mode="after")
    def _shares_make_a_whole(self) -> Split:
        if sum(self.shares.values()) != 100:
            raise refuse(f"各组比例加起来是 {sum(self.shares.values())}", "改到正好 100")
        return self


class Wait(Value):
    """Wait for any of these, at most so long (等待).

    An event counts that happened ``since`` then, at least ``at_least`` times. What has happened
    ``already`` when the wait begins ends it at once, or has to happen anew.
    """

    any_of: WordList = Field(alias="任一")
    at_most: Span = Field(alias="最长")
    since: Literal["进入后", "本步后", "任何时候"] = Field("进入后", alias="从")
    already: Literal["跳过", "要新的"] = Field("跳过", alias="已发生")
    at_least: int = Field(1, alias="至少", ge=1, le=1000)


class Repeat(Value):
    """The step again, so many times in all, so many days apart, no later than that day (重复)."""

    times: int = Field(alias="次数", ge=2, le=60)
    every_days: int = Field(alias="每隔天", ge=1, le=365)
    until: Day | None = Field(None, alias="到")


class Branch(Value):
    """One way on: {当: 条件, 转到: 步骤} or {否则: 步骤}."""

    when: Words | None = Field(None, alias="当")
    goto: Words | None = Field(None, alias="转到")
    otherwise: Words | None = Field(None, alias="否则")

    @model_validator(mode="after")
    def _one_of_two_forms(self) -> Branch:
        conditional = self.when is not None and self.goto is not None and self.otherwise is None
        fallback = self.when is None and self.goto is None and self.otherwise is not None
        if not conditional and not fallback:
            raise refuse("分支写得不完整", "写成 {当: 条件, 转到: 步骤} 或 {否则: 步骤}")
        return self


class Unconfirmed(Value):
    """What is done while the owner has not pressed send (群主未确认)."""

    reminders: int = Field(alias="提醒", ge=0, le=3)
    at_most: Span = Field(alias="最长")
    then: Literal["跳过"] = Field("跳过", alias="之后")


class ValidUntil(Value):
    """No sending later than so many hours before the event begins (有效到)."""

    hours_before_event: int = Field(alias="活动开始前小时", ge=0, le=240)
