"""Who comes into a script, how often, and by what: 进入, 重复进入 and 适用."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from bot.domain.calendar import NEW_YEARS_EVE, read_day_name
from bot.domain.fields import Day, Words, refuse, written
from bot.domain.value import Value

_EVERY_DAYS = re.compile(r"间隔([1-9]\d{0,3})天")
_DAY_LIKE = re.compile(r"\d|^农历.*月")
NO_BACKFILL = "不补"


class ReentryRule(StrEnum):
    """Whether a subject may run a script again."""

    NEVER = "不允许"
    AFTER_EXIT = "退出后"
    INTERVAL = "间隔"
    PER_ANCHOR = "每次锚点"


class Reentry(Value):
    """The rule for a second run, with its days for an interval."""

    rule: ReentryRule = ReentryRule.NEVER
    days: int | None = None


def read_reentry(value: object) -> object:
    """Read 不允许, 退出后, 间隔30天, 每次锚点 or {间隔天: 30}."""
    if isinstance(value, dict) and set(value) == {"间隔天"}:
        value = f"间隔{value['间隔天']}天"
    if not isinstance(value, str):
        return value
    if match := _EVERY_DAYS.fullmatch(value.strip()):
        return Reentry(rule=ReentryRule.INTERVAL, days=int(match[1]))
    if value not in (ReentryRule.NEVER, ReentryRule.AFTER_EXIT, ReentryRule.PER_ANCHOR):
        raise refuse(f"不能写「{value}」", "只能写：不允许、退出后、间隔30天、每次锚点")
    return Reentry(rule=ReentryRule(value))


def write_reentry(reentry: Reentry) -> str:
    """Write the rule as the files have it."""
    return f"间隔{reentry.days}天" if reentry.days else str(reentry.rule)


def is_day_name(text: str) -> bool:
    """Tell whether a word is meant as a day of the calendar, not as a date of the customer's."""
    return text == NEW_YEARS_EVE or _DAY_LIKE.search(text) is not None


def _day_or_customers_date(text: str) -> str:
    text = text.strip()
    if is_day_name(text):
        read_day_name(text)
    return text


ReentryText = Annotated[
    Reentry,
    BeforeValidator(read_reentry),
    PlainSerializer(write_reentry, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [rule.value for rule in ReentryRule if rule is not ReentryRule.INTERVAL]},
                {"type": "string", "pattern": f"^{_EVERY_DAYS.pattern}$"},
                {
                    "type": "object",
                    "properties": {"间隔天": {"type": "integer", "minimum": 1}},
                    "required": ["间隔天"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


def _backfill(value: object) -> object:
    return None if isinstance(value, str) and value.strip() == NO_BACKFILL else value


class Entry(Value):
    """How subjects come in (进入).

    ``on`` is a day's name, or the name of a date that the bank knows of each customer. Those
    refused because data was missing are asked again for ``grace_minutes``; 0 asks only once.
    """

    by: Literal["事件", "日期", "名单快照", "持续", "手工"] = Field(alias="方式")
    event: Words | None = Field(None, alias="事件")
    on: Annotated[Words, AfterValidator(_day_or_customers_date)] | None = Field(None, alias="日期")
    days_before: int = Field(0, alias="提前天", ge=0, le=365)
    daily_limit: int | None = Field(None, alias="每天最多", ge=1)
    hourly_limit: int | None = Field(None, alias="每小时最多", ge=1)
    total_limit: int | None = Field(None, alias="总数最多", ge=1)
    grace_minutes: int = Field(30, alias="宽限分钟", ge=0, le=1440)
    backfill_from: Annotated[
        Day | None, BeforeValidator(_backfill), written(r"不补|\d{4}-\d{2}-\d{2}")
    ] = Field(None, alias="补进")

    @model_validator(mode="after")
    def _says_which(self) -> Entry:
        if (self.by == "事件") != (self.event is not None):
            raise refuse("「方式: 事件」和「事件: …」要一起写", "例如 {方式: 事件, 事件: 群打标签}")
        if (self.by == "日期") != (self.on is not None):
            raise refuse("「方式: 日期」和「日期: …」要一起写", "如 {方式: 日期, 日期: 2026-10-12}")
        if self.days_before and self.on is None:
            raise refuse("「提前天」要和「日期」一起写", "写上日期，或删掉提前天")
        if self.backfill_from is not None and self.event is None:
            raise refuse("「补进」只用于「方式: 事件」", "删掉补进，或改成事件进入")
        return self

    @property
    def day_name(self) -> str | None:
        """Return the calendar's day on which subjects come in, if it is one for all."""
        return self.on if self.on is not None and is_day_name(self.on) else None

    @property
    def customer_date(self) -> str | None:
        """Return the name of the customer's own date by which they come in, if it is one."""
        return self.on if self.on is not None and not is_day_name(self.on) else None

    def backfills(self, happened_on: date) -> bool:
        """Tell whether an event of that day, before the script was published, still counts."""
        return self.backfill_from is not None and self.backfill_from <= happened_on


class Size(Value):
    """How many customers a group has (群人数)."""

    least: int = Field(0, alias="最少", ge=0)
    most: int = Field(500, alias="最多", ge=1)

    @model_validator(mode="after")
    def _least_before_most(self) -> Size:
        if self.least > self.most:
            raise refuse(f"最少 {self.least} 比最多 {self.most} 还大", "把两个数对调或改对")
        return self


class Audience(Value):
    """Which subjects a script is for (适用)."""

    tags_any: tuple[Words, ...] = Field((), alias="群标签含任一")
    tags_none: tuple[Words, ...] = Field((), alias="群标签都不含")
    customer_tags_any: tuple[Words, ...] = Field((), alias="客户标签含任一")
    customer_tags_none: tuple[Words, ...] = Field((), alias="客户标签都不含")
    size: Size = Field(Size(), alias="群人数")
    owner_roles: tuple[Words, ...] = Field((), alias="群主角色")
    where: Words | None = Field(None, alias="条件")
    exclude: Words | None = Field(None, alias="排除")

    def admits_group(self, tags: frozenset[str], customers: int, owner_role: str) -> bool:
        """Tell whether a group with these tags, customers and owner may run the script."""
        return (
            (not self.tags_any or not tags.isdisjoint(self.tags_any))
            and tags.isdisjoint(self.tags_none)
            and self.size.least <= customers <= self.size.most
            and (not self.owner_roles or owner_role in self.owner_roles)
        )

    def admits_tags(self, tags: frozenset[str]) -> bool:
        """Tell whether a customer with these tags may run the script, as far as tags go."""
        wanted = self.customer_tags_any
        fits = not wanted or not tags.isdisjoint(wanted)
        return fits and tags.isdisjoint(self.customer_tags_none)
