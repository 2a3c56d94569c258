"""Working days, festivals by their Chinese names, and quiet hours; the tables are passed in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from bot.domain.fields import refuse
from bot.domain.value import Value

Source = Literal["official", "provisional"]
QuietWindows = Sequence[tuple[time, time]]
ONE_DAY = timedelta(days=1)

NEW_YEARS_EVE = "除夕"
_MONTHS = ("正", "二", "三", "四", "五", "六", "七", "八", "九", "十", "冬", "腊")
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, start=1)} | {
    "一": 1,
    "十一": 11,
    "十二": 12,
}
_DIGITS = ("一", "二", "三", "四", "五", "六", "七", "八", "九")
_DAY_NUMBERS = (
    {f"初{digit}": number for number, digit in enumerate(_DIGITS, start=1)}
    | {f"十{digit}": number for number, digit in enumerate(_DIGITS, start=11)}
    | {f"廿{digit}": number for number, digit in enumerate(_DIGITS, start=21)}
    | {f"二十{digit}": number for number, digit in enumerate(_DIGITS, start=21)}
    | {"初十": 10, "二十": 20, "三十": 30}
)
_LUNAR = re.compile(r"农历(.{1,2})月(.{2,3})")
_YEARLY = re.compile(r"(\d{1,2})月(\d{1,2})日")
_ONCE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MEND = "写成 农历九月初九、除夕、10月1日 或 2026-10-18 的样子"


class NamedDay(NamedTuple):
    """A day by its name: lunar, every year, once, or the eve of the spring festival."""

    kind: Literal["lunar", "yearly", "once", "eve"]
    month: int = 0
    day: int = 0
    on: date | None = None


def read_day_name(text: str) -> NamedDay:
    """Read a day's Chinese name; raises the error that says how to write it."""
    text = text.strip()
    if text == NEW_YEARS_EVE:
        return NamedDay("eve")
    if match := _LUNAR.fullmatch(text):
        month, day = _MONTH_NUMBERS.get(match[1]), _DAY_NUMBERS.get(match[2])
        if month == 12 and day == 30:
            raise refuse("有的年份腊月没有三十", "写「除夕」")
        if month is not None and day is not None:
            return NamedDay("lunar", month, day)
    try:
        if _ONCE.fullmatch(text):
            return NamedDay("once", on=date.fromisoformat(text))
        if match := _YEARLY.fullmatch(text):
            leap = date(2024, int(match[1]), int(match[2]))
            return NamedDay("yearly", leap.month, leap.day)
    except ValueError:
        raise refuse(f"没有「{text}」这一天", _MEND) from None
    raise refuse(f"「{text}」不是日子", _MEND)


def _known_day(text: str) -> str:
    read_day_name(text)
    return text.strip()


DayName = Annotated[str, AfterValidator(_known_day)]


class CalendarTables(Value):
    """What is known of each day: whether people work on it, and its lunar month and day.

    Leap months have negative numbers, so that a festival never falls into one. ``festivals`` are
    the free days of festivals; a day that is not free for one is none, whatever its name.
    Without tables weekends alone are free.
    """

    workdays: dict[date, bool] = Field(default_factory=dict)
    provisional: frozenset[date] = frozenset()
    lunar: dict[date, tuple[int, int]] = Field(default_factory=dict)
    festivals: frozenset[date] = frozenset()

    def is_workday(self, day: date) -> bool:
        """Tell whether people work on ``day``; outside the tables weekends alone are free."""
        return self.workdays.get(day, day.weekday() < 5)

    def is_eve(self, day: date) -> bool:
        """Tell whether the spring festival begins the day after: 除夕 (H4)."""
        return self.lunar.get(day + ONE_DAY) == (1, 1)

    def source(self, day: date) -> Source:
        """Say whether the day's type is the published one or our guess (H2)."""
        known = day in self.workdays and day not in self.provisional
        return "official" if known else "provisional"

    def is_named(self, day: date, name: NamedDay) -> bool:
        """Tell whether ``day`` bears that name."""
        if name.kind == "once":
            return day == name.on
        if name.kind == "yearly":
            return (day.month, day.day) == (name.month, name.day)
        if name.kind == "eve":
            return self.is_eve(day)
        return self.lunar.get(day) == (name.month, name.day)

    def days_named(self, name: str, first: date, last: date) -> tuple[date, ...]:
        """Return the days from ``first`` to ``last`` that bear that name."""
        wanted = read_day_name(name)
        return tuple(day for day in days(first, last) if self.is_named(day, wanted))

    def next_workday(self, day: date) -> date:
        """Return ``day`` if people work on it, else the next day on which they do."""
        while not self.is_workday(day):
            day += ONE_DAY
        return day

    def previous_workday(self, day: date) -> date:
        """Return ``day`` if people work on it, else the last day before on which they do."""
        while not self.is_workday(day):
            day -= ONE_DAY
        return day


def days(first: date, last: date) -> Iterator[date]:
    """Give each day from ``first`` to ``last``, both included."""
    while first <= last:
        yield first
        first += ONE_DAY


def in_quiet(at: time, quiet: QuietWindows) -> bool:
    """Tell whether a local time of day is quiet; a window that ends earlier goes over midnight."""
    return any(_holds(window, at) for window in quiet)


def _holds(window: tuple[time, time], at: time) -> bool:
    begins, ends = window
    return begins <= at < ends if begins < ends else at >= begins or at < ends


def quiet_all_day(quiet: QuietWindows) -> bool:
    """Tell whether no moment of the day is left for sending."""
    ends = [window[1] for window in quiet]
    return bool(ends) and all(in_quiet(end, quiet) for end in ends)


def quiet_minutes(window: tuple[time, time], quiet: QuietWindows) -> int:
    """Count the minutes of a same-day window that are quiet."""
    first, last = (edge.hour * 60 + edge.minute for edge in window)
    return sum(in_quiet(time(m // 60, m % 60), quiet) for m in range(first, last))
