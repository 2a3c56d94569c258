"""The calendar tables of the domain, filled from the two calendar libraries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from bot.domain.calendar import CalendarTables, days

_JULIAN_DAY_ZERO = 1721425  # the Julian day of noon on the proleptic ordinal day 0


def calendar_tables(years: Iterable[int]) -> CalendarTables:
    """Build the tables for whole years.

    Working days are the published ones with their make-up days (调休); in years that are not
    published yet only weekends are free, and the days are marked provisional.
    """
    wanted = sorted(set(years))
    workdays: dict[date, bool] = {}
    provisional: set[date] = set()
    lunar: dict[date, tuple[int, int]] = {}
    for year in wanted:
        first, last = date(year, 1, 1), date(year, 12, 31)
        published = _published(year)
        for day in days(first, last):
            workdays[day] = published.get(day, day.weekday() < 5)
        if not published:
            provisional.update(days(first, last))
    for lunar_year in sorted({near for year in wanted for near in (year - 1, year)}):
        lunar.update(_lunar_days(lunar_year))
    return CalendarTables(workdays=workdays, provisional=frozenset(provisional), lunar=lunar)


def _published(year: int) -> dict[date, bool]:
    import chinese_calendar

    try:
        return {
            day: bool(chinese_calendar.is_workday(day))
            for day in days(date(year, 1, 1), date(year, 12, 31))
        }
    except NotImplementedError:
        return {}


def _lunar_days(lunar_year: int) -> dict[date, tuple[int, int]]:
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
