"""The days of a customer's own: birthdays of both calendars, pay days, days of maturity."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from pydantic_core import PydanticCustomError

from bot.domain.calendar import ONE_DAY, CalendarTables, days, read_day_name
from bot.domain.registry import BIRTHDAY, LUNAR_BIRTHDAY, PAYDAY, FieldKind
from bot.domain.subject import Raw, typed

_A_YEAR = timedelta(days=390)  # a lunar year with a leap month has 384 days
_LAST_OF_YEAR = (12, 30)


def read_lunar(text: str) -> tuple[int, int] | None:
    """Read 农历八月初三, 八月初三 or 闰六月初三 as month and day; None where it is none.

    Who was born in a leap month keeps the birthday in the month of the same name (H5).
    """
    plain = text.strip().removeprefix("农历").removeprefix("闰")
    if plain in ("腊月三十", "十二月三十", "除夕"):
        return _LAST_OF_YEAR
    try:
        named = read_day_name(f"农历{plain}")
    except PydanticCustomError:
        return None
    return (named.month, named.day) if named.kind == "lunar" else None


class OwnDays:
    """Finds the next time a customer's day comes, from one day on; made once for a whole sweep."""

    def __init__(self, today: date, tables: CalendarTables) -> None:
        self._today = today
        self._tables = tables
        self._lunar: dict[tuple[int, int], date] = {}

    def next(self, name: str, kind: FieldKind | None, raw: Raw | None) -> date | None:
        """Return the day, today or later, on which a datum falls; None where it never does."""
        value = None if raw is None else typed(raw, kind)
        if name == LUNAR_BIRTHDAY:
            return self._next_lunar(value) if isinstance(value, str) else None
        if name == PAYDAY:
            return self._next_of_month(value) if isinstance(value, int | float) else None
        if not isinstance(value, date):
            return None
        if name == BIRTHDAY:
            return self._next_of_year(value)
        return value if value >= self._today else None

    def named(self, day_name: str) -> date | None:
        """Return the next day, today or later, that bears a name of the calendar."""
        found = self._tables.days_named(day_name, self._today, self._today + _A_YEAR)
        return found[0] if found else None

    def _next_of_year(self, born: date) -> date:
        for year in (self._today.year, self._today.year + 1):
            # Who was born on 29 February has the birthday on the 28th in other years.
            day = date(year, born.month, min(born.day, monthrange(year, born.month)[1]))
            if day >= self._today:
                return day
        raise AssertionError("next year's birthday is not past")

    def _next_of_month(self, number: float) -> date | None:
        if not 1 <= number <= 31 or number != int(number):
            return None
        first = self._today.replace(day=1)
        for _ in range(2):
            last = monthrange(first.year, first.month)[1]
            day = first.replace(day=min(int(number), last))
            if day >= self._today:
                return day
            first = first.replace(day=last) + ONE_DAY
        raise AssertionError("next month's pay day is not past")

    def _next_lunar(self, text: str) -> date | None:
        if not self._lunar:
            self._read_lunar_year()
        month_and_day = read_lunar(text)
        return None if month_and_day is None else self._lunar.get(month_and_day)

    def _read_lunar_year(self) -> None:
        known = self._tables.lunar
        for day in days(self._today, self._today + _A_YEAR):
            lunar = known.get(day)
            if lunar is None:
                continue
            self._lunar.setdefault(lunar, day)
            month, number = lunar
            after = known.get(day + ONE_DAY)
            if number == 29 and after is not None and after != (month, 30):
                self._lunar.setdefault((month, 30), day)
