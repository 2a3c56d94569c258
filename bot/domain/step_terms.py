"""The terms of a step: its place in time, what must hold, what replies are hoped for, its end."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from bot.domain.calendar import read_day_name
from bot.domain.entry import is_day_name
from bot.domain.fields import Slug, WordList, Words, YesNo, refuse, written
from bot.domain.lead import Need
from bot.domain.registry import BIRTHDAY, LUNAR_BIRTHDAY, MATURITY, PAYDAY
from bot.domain.value import Value

_BELOW = re.compile(r"小于(\d+(?:\.\d+)?)")
_BEFORE_BOND = re.compile(r"储蓄国债发行前(\d{1,2})天内")


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


Below = Annotated[
    int,
    BeforeValidator(_below),
    PlainSerializer(lambda n: f"小于{n}", return_type=str),
    written(_BELOW.pattern),
]


EVENT_DAY, BOND_DAY = "活动日", "国债发行日"
NO_EVENT = "no_event"
ANCHORS = (EVENT_DAY, MATURITY, BIRTHDAY, LUNAR_BIRTHDAY, PAYDAY, BOND_DAY)


def _anchor(text: str) -> str:
    text = text.strip()
    if is_day_name(text):
        read_day_name(text)
        return text
    if text not in ANCHORS:
        mend = f"可以写：{'、'.join(ANCHORS)}，或 农历九月初九、10月1日 这样的日子"
        raise refuse(f"不认识的锚点「{text}」", mend)
    return text


class Relative(Value):
    """Placed by an event's day: {锚点: 活动日, 偏移天: -1}."""

    anchor: Annotated[Words, AfterValidator(_anchor)] = Field(alias="锚点")
    offset_days: int = Field(alias="偏移天", ge=-180, le=180)

    @property
    def unknown(self) -> str:
        """Return the reason of a step whose date nobody knows."""
        return NO_EVENT if self.anchor == EVENT_DAY else "no_date"


class Guard(Value):
    """What must hold when the step is due (前提); otherwise it is skipped, not made up for."""

    group_has_lead: Need | None = Field(None, alias="群内有线索")
    days_before_bond: Annotated[
        int | None,
        BeforeValidator(_bond_days),
        PlainSerializer(
            lambda n: None if n is None else f"储蓄国债发行前{n}天内", return_type=str | None
        ),
        written(_BEFORE_BOND.pattern),
    ] = Field(None, alias="日历事件")
    no_complaint_this_week: YesNo = Field(False, alias="群内本周无投诉")
    products_this_week_below: Below | None = Field(None, alias="本周产品内容次数")
    where: Words | None = Field(None, alias="条件")


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


class Ending(Value):
    """What follows the last step (结束后)."""

    follow_up: Slug | None = Field(None, alias="转入")
    group_tags: tuple[Words, ...] = Field((), alias="群打标签")
    customer_tags: tuple[Words, ...] = Field((), alias="打标签")
