"""The calendar tables of the domain, filled from the two calendar libraries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache

from bot.domain.calendar import CalendarTables, days

_FIXED = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
_LUNAR = frozenset({(1, 1), (1, 2), (1, 3), (5, 5), (8, 15)})
_JULIAN_DAY_ZERO = 1721425  # the Julian day of noon on the proleptic ordinal day 0


def calendar_tables(years: Iterable[int]) -> CalendarTables:
    """Build the tables for whole years.

    Working days are the published ones with their make-up days (调休). In years that are not
    published yet weekends and the festivals' days of law are free, and all days are provisional.
    """
    wanted = sorted(set(years))
    workdays: dict[date, bool] = {}
    provisional: set[date] = set()
    festivals: set[date] = set()
    lunar: dict[date, tuple[int, int]] = {}
    for lunar_year in sorted({near for year in wanted for near in (year - 1, year)}):
        lunar.update(_lunar_days(lunar_year))
    for year in wanted:
        every = list(days(date(year, 1, 1), date(year, 12, 31)))
        published = _published(year)
        if published is None:
            provisional.update(every)
            by_law = {day for day in every if _free_by_law(day, lunar)}
            ordinary = {day: day.weekday() < 5 and day not in by_law for day in every}
            published = ordinary, frozenset(by_law)
        workdays.update(published[0])
        festivals |= published[1]
    return CalendarTables(
        workdays=workdays,
        provisional=frozenset(provisional),
        lunar=lunar,
        festivals=frozenset(festivals),
    )


@cache
def _published(year: int) -> tuple[Mapping[date, bool], frozenset[date]] | None:
    """Return a year's working days and its festivals' free days; None before they are published."""
    import chinese_calendar

    workdays: dict[date, bool] = {}
    festivals: set[date] = set()
    try:
        for day in days(date(year, 1, 1), date(year, 12, 31)):
            free, name = chinese_calendar.get_holiday_detail(day)
            workdays[day] = not free
            if free and name is not None:
                festivals.add(day)
    except NotImplementedError:
        return None
    return workdays, frozenset(festivals)


def _free_by_law(day: date, lunar: Mapping[date, tuple[int, int]]) -> bool:
    """Tell whether a day is one of the thirteen that the regulation on public holidays names."""
    spring = lunar.get(day + timedelta(days=1)) == (1, 1)
    return spring or (day.month, day.day) in _FIXED or lunar.get(day) in _LUNAR or _qingming(day)


def _qingming(day: date) -> bool:
    """Tell whether the sun's term 清明 begins; the rule of thumb holds for this century."""
    year = day.year % 100
    return (day.month, day.day) == (4, int(year * 0.2422 + 4.81) - year // 4)


@cache
def _lunar_days(lunar_year: int) -> Mapping[date, tuple[int, int]]:
    """Map each day of a lunar year; its months come from one table, not day by day."""
    from lunar_python import LunarYear

    found: dict[date, tuple[int, int]] = {}
    for month in LunarYear.fromYear(lunar_year).getMonths():
        if month.getYear() != lunar_year:
            continue
        first = date.fromordinal(int(month.getFirstJulianDay() + 0.5) - _JULIAN_DAY_ZERO)
        for number in range(month.getDayCount()):
            found[first + timedelta(days=number)] = (month.getMonth(), number + 1)
    return found
