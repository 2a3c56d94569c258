"""What 节假日 and 休息日 make of a step's day, in planned runs and in those with a token; pure."""

from __future__ import annotations

from datetime import date

from bot.domain.calendar import CalendarTables
from bot.domain.script_parts import OnHoliday, RestDays
from bot.domain.step_terms import BOND_DAY, EVENT_DAY
from bot.domain.steps import Step

REST_DAY = "rest_day"
_NOT_MOVED = frozenset({EVENT_DAY, BOND_DAY})
_RULES = {
    RestDays.PUSH: OnHoliday.NEXT_WORKDAY,
    RestDays.SKIP: OnHoliday.SKIP,
    RestDays.SEND: OnHoliday.SEND,
}


def by_calendar(
    step: Step, rest: RestDays, day: date, first: date, tables: CalendarTables
) -> tuple[str, date]:
    """Return the day that the calendar gives a step, and why it is not to be, if it is not.

    No day before ``first`` is taken. What comes before a date is not put off until after it.
    """
    festival = day in tables.festivals
    if step.on_holiday is OnHoliday.ONLY and not festival:
        return "not_a_holiday", day
    if step.on_holiday is not None and festival:
        rule = step.on_holiday
    elif tables.is_workday(day) or keeps_its_day(step):
        return "", day
    else:
        rule = _RULES[rest]
    match rule:
        case OnHoliday.SEND | OnHoliday.ONLY:
            return "", day
        case OnHoliday.SKIP:
            return REST_DAY, day
        case OnHoliday.PREVIOUS_WORKDAY:
            before = tables.previous_workday(day)
            if before >= first:
                return "", before
            return _put_off(step, day, tables)
        case OnHoliday.NEXT_WORKDAY:
            return _put_off(step, day, tables)


def _put_off(step: Step, day: date, tables: CalendarTables) -> tuple[str, date]:
    later, relative = tables.next_workday(day), step.relative
    if relative is None or relative.offset_days >= 0:
        return "", later
    ahead = -relative.offset_days
    return ("", later) if (later - day).days <= ahead else (REST_DAY, day)


def keeps_its_day(step: Step) -> bool:
    """Tell whether a step belongs to its date whatever day that is.

    A greeting of a date is none on another day. An event and an issue of bonds are on their day:
    whoever asked for it is reminded of it in time, and told on the day itself.
    """
    if step.relative is None:
        return False
    if step.kind is not None and step.kind.allowed_on_rest_days:
        return True
    return step.relative.anchor in _NOT_MOVED and step.relative.offset_days <= 0
