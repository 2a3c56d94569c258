"""What no step may break: 护栏, with the hours that are allowed on each type of day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from enum import StrEnum
from typing import Literal

from pydantic import Field

from bot.domain.fields import Window, YesNo
from bot.domain.value import Value

RiskRating = Literal["R1", "R2", "R3", "R4", "R5"]
NIGHT = ((time(20, 30), time(9)),)  # where a file names no hours of its own: sop_semantics Q2


class DayType(StrEnum):
    """What kind of day it is; a day is of the last of these that fits (sop_semantics Q1)."""

    WORKDAY = "工作日"
    REST = "休息日"
    HOLIDAY = "节假日"
    EVE = "除夕"


class GuardRails(Value):
    """What no step may break (护栏).

    ``quiet`` is None where the file says nothing: then the night is, on each type of day for
    which ``allowed`` names no hours either. A type with no windows there is closed. "A week" is
    any 7 days on end, "a month" any 30.
    """

    quiet: tuple[Window, ...] | None = Field(None, alias="静默时段")
    allowed: dict[DayType, tuple[Window, ...]] = Field(default_factory=dict, alias="只在")
    broadcasts_a_day: int = Field(1, alias="每群每天企业群发", ge=0)
    broadcasts_a_week: int = Field(5, alias="每群每周企业群发", ge=1, le=7)
    broadcasts_a_month: int | None = Field(None, alias="每群每月企业群发", ge=1, le=31)
    products_a_week: int = Field(1, alias="每群每周含产品内容", ge=0, le=7)
    private_a_day: int = Field(1, alias="每客每天", ge=0, le=10)
    private_marketing_a_week: int = Field(1, alias="每客每周一对一营销", ge=0, le=7)
    private_marketing_a_month: int = Field(4, alias="每客每月一对一营销", ge=0, le=31)
    max_risk: RiskRating = Field("R2", alias="产品风险最高")
    body_chars: int = Field(220, alias="正文字数上限", ge=10, le=4000)
    one_topic: YesNo = Field(False, alias="一条只讲一件事")

    def closed(self, kind: DayType) -> tuple[tuple[time, time], ...]:
        """Return the hours in which nothing is sent on such a day: 静默时段 and all but 只在.

        A window that ends no later than it begins goes over midnight; closed all day is 00:00
        to 12:00 and 12:00 to 00:00.
        """
        windows = self.allowed.get(kind)
        if windows is None:
            return NIGHT if self.quiet is None else self.quiet
        return (*(self.quiet or ()), *_rest_of_day(windows))

    def admits(self, rating: str | None) -> bool:
        """Tell whether a product of that risk may be talked of; one of unknown risk may not."""
        return rating is not None and rating <= self.max_risk


def _rest_of_day(windows: tuple[tuple[time, time], ...]) -> Iterator[tuple[time, time]]:
    midnight, noon = time(0), time(12)
    if not windows:
        yield (midnight, noon)
        yield (noon, midnight)
        return
    spans = sorted(_within_a_day(windows))
    at = midnight
    for begins, ends in spans:
        if begins > at:
            yield (at, begins)
        if ends == midnight:
            return
        at = max(at, ends)
    yield (at, midnight)


def _within_a_day(windows: tuple[tuple[time, time], ...]) -> Iterator[tuple[time, time]]:
    """Cut windows that go over midnight in two; an end of 00:00 is the day's end."""
    midnight = time(0)
    for begins, ends in windows:
        if begins < ends or ends == midnight:
            yield (begins, ends)
        else:
            yield (begins, midnight)
            yield (midnight, ends)
