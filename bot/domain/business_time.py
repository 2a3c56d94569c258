"""Time in which people are there: opening hours over working days, make-up days (调休) and rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from bot.domain.calendar import ONE_DAY, CalendarTables, days
from bot.domain.fields import DayWindow, refuse
from bot.domain.value import Value

_NO_TIME = timedelta()
_CLOSED = frozenset({"休息", "不服务"})
_LONGEST = 400  # days that may be shut in a row; beyond them the tables are wrong


def _listed(value: object) -> object:
    """Read one window as a list of one, and 休息 as none."""
    if isinstance(value, str):
        return () if value.strip() in _CLOSED else (value,)
    return value


def _in_order(windows: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
    ordered = tuple(sorted(windows))
    for (_, closes), (opens, _) in pairwise(ordered):
        if opens < closes:
            raise refuse("两段服务时间重叠", "写成上午一段、下午一段，不要交叉")
    return ordered


def _some(windows: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
    if not windows:
        raise refuse("工作日没有服务时间", '写成 "08:30-17:30" 的样子')
    return windows


Windows = Annotated[tuple[DayWindow, ...], BeforeValidator(_listed), AfterValidator(_in_order)]
_MORNING_TO_EVENING: Any = ((time(8, 30), time(17, 30)),)
_SHORTER: Any = ((time(9, 30), time(15, 30)),)


class ServiceHours(Value):
    """When staff are there to answer (服务时段); a make-up day is a working day.

    A weekend's day that belongs to a festival keeps the festival's hours.
    """

    workdays: Annotated[Windows, AfterValidator(_some)] = Field(_MORNING_TO_EVENING, alias="工作日")
    weekends: Windows = Field(_SHORTER, alias="周末")
    festivals: Windows = Field((), alias="节假日")

    def on(self, day: date, tables: CalendarTables) -> tuple[tuple[time, time], ...]:
        """Return the windows of a day, in their order; none where nobody is there."""
        if tables.is_workday(day):
            return self.workdays
        return self.festivals if day in tables.festivals or day.weekday() < 5 else self.weekends


@dataclass(frozen=True)
class BusinessTime:
    """One place's hours on the bank's calendar: what time limits are reckoned in.

    With ``round_the_clock`` every minute counts: danger does not wait for the morning.
    """

    hours: ServiceHours
    tables: CalendarTables
    zone: ZoneInfo
    round_the_clock: bool = False

    def always(self) -> BusinessTime:
        """Return the same with every minute counting."""
        return BusinessTime(self.hours, self.tables, self.zone, round_the_clock=True)

    def is_open(self, at: datetime) -> bool:
        """Tell whether somebody is there at a moment."""
        if self.round_the_clock:
            return True
        return any(begins <= at < ends for begins, ends in self._windows(self._day(at)))

    def opens_at(self, at: datetime) -> datetime:
        """Return ``at`` while somebody is there, else when somebody is there next."""
        if self.is_open(at):
            return at
        return next(begins for begins, ends in self._from(at) if ends > at)

    def after(self, start: datetime, span: timedelta) -> datetime:
        """Return the moment at which ``span`` of this time has passed since ``start``.

        A span that is used up at closing time ends there, not at the next morning.
        """
        if span <= _NO_TIME:
            return start
        if self.round_the_clock:
            return start + span
        for begins, ends in self._from(start):
            begins = max(begins, start)
            if ends <= begins:
                continue
            if ends - begins >= span:
                return begins + span
            span -= ends - begins
        raise ValueError("no hours to reckon in")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return how much of this time lies between two moments; nothing where ``end`` is first."""
        if end <= start:
            return _NO_TIME
        if self.round_the_clock:
            return end - start
        passed = _NO_TIME
        for day in days(self._day(start), self._day(end)):
            for begins, ends in self._windows(day):
                passed += max(_NO_TIME, min(ends, end) - max(begins, start))
        return passed

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _windows(self, day: date) -> list[tuple[datetime, datetime]]:
        # In UTC: moments of one zone are subtracted as if no clock were ever changed.
        return [
            (self._moment(day, opens), self._moment(day, closes))
            for opens, closes in self.hours.on(day, self.tables)
        ]

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.zone).astimezone(UTC)

    def _from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give every window from the day of ``start`` on, until so many days in a row are shut."""
        day, shut = self._day(start), 0
        while shut < _LONGEST:
            windows = self._windows(day)
            shut = 0 if windows else shut + 1
            yield from windows
            day += ONE_DAY
