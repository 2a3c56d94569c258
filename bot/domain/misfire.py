"""What becomes of a step whose window passed unsent: 错过时间窗 (sop_semantics 2.12); pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from bot.domain.calendar import ONE_DAY, CalendarTables
from bot.domain.opening import Hours, Span
from bot.domain.runs import RunStep
from bot.domain.script_parts import Missed, MissedRule, OnHoliday, RestDays

SHORTEST_SPAN = timedelta(minutes=2)  # a task made later could not be confirmed in time
WINDOW_MISSED = "window_missed"
MOVED_A_DAY, LATE, NEWEST = "moved_a_day", "late", "newest_only"
_SECOND_CHANCES = frozenset({MOVED_A_DAY, LATE, NEWEST})
_FARTHEST = 40


class Later(NamedTuple):
    """The step has another window, and the reason says why."""

    opens_at: datetime
    closes_at: datetime
    reason: str


Lateness = Later | Literal["skip", "shift", "newest", "exit"]


def span_left(hours: Hours, opens_at: datetime, closes_at: datetime, now: datetime) -> Span | None:
    """Return the part of a step's window that comes next and leaves somebody time to press."""
    spans = hours.spans(opens_at, closes_at)
    left = (span for span in spans if span[1] - max(now, span[0]) >= SHORTEST_SPAN)
    return next(left, None)


class Late:
    """Judges what missed its window, by one script's hours and the bank's calendar."""

    def __init__(self, hours: Hours, tables: CalendarTables, rest: RestDays, now: datetime) -> None:
        self._hours = hours
        self._tables = tables
        self._rest = rest
        self._now = now

    def judge(
        self,
        missed: Missed,
        row: RunStep,
        expires_at: datetime | None,
        on_holiday: OnHoliday | None = None,
    ) -> Lateness:
        """Say what a step becomes whose window is over; ``on_holiday`` is its own 节假日.

        ``expires_at`` is the begin of the event that it announces: nothing is made up for after
        it. A step that was tried already, or made up for once, is not made up for again.
        """
        if missed.rule is MissedRule.EXIT:
            return "exit"
        over = expires_at is not None and self._now >= expires_at
        if row.iteration or row.reason in _SECOND_CHANCES or over:
            return "skip"
        match missed.rule:
            case MissedRule.SHIFT:
                return "shift"
            case MissedRule.COALESCE:
                return "newest"
            case MissedRule.NEXT_DAY:
                return self._next_day(row, expires_at, on_holiday)
            case MissedRule.CATCH_UP_WITHIN:
                return self._within(missed, row, expires_at)
            case MissedRule.SKIP | MissedRule.CATCH_UP:
                return "skip"

    def today_or_next(
        self,
        row: RunStep,
        expires_at: datetime | None = None,
        on_holiday: OnHoliday | None = None,
    ) -> Later | None:
        """Return the window of the same hours that comes next, today's or a later day's."""
        for number in range(_FARTHEST):
            window = self._moved(row, number)
            if window[1] <= self._now or not self._may_be_on(window[0], on_holiday):
                continue
            closes = window[1] if expires_at is None else min(window[1], expires_at)
            if span_left(self._hours, window[0], closes, self._now) is not None:
                return Later(window[0], closes, NEWEST)
        return None

    def _next_day(
        self, row: RunStep, expires_at: datetime | None, on_holiday: OnHoliday | None
    ) -> Lateness:
        for number in range(1, _FARTHEST):
            opens_at, closes_at = self._moved(row, number)
            if not self._may_be_on(opens_at, on_holiday):
                continue
            closes_at = closes_at if expires_at is None else min(closes_at, expires_at)
            left = span_left(self._hours, opens_at, closes_at, self._now)
            return "skip" if left is None else Later(opens_at, closes_at, MOVED_A_DAY)
        return "skip"

    def _within(self, missed: Missed, row: RunStep, expires_at: datetime | None) -> Lateness:
        until: datetime | None = expires_at
        if missed.within is not None:
            until = row.closes_at + missed.within
        elif missed.workdays is not None:
            until = self._after_workdays(row.closes_at, missed.workdays)
        if until is None:
            return "skip"
        until = until if expires_at is None else min(until, expires_at)
        left = span_left(self._hours, self._now, until, self._now)
        return "skip" if left is None else Later(left[0], until, LATE)

    def _after_workdays(self, moment: datetime, count: int) -> datetime:
        while count:
            moment += ONE_DAY
            count -= self._tables.is_workday(self._hours.day_of(moment))
        return moment

    def _moved(self, row: RunStep, number: int) -> Span:
        by = timedelta(days=number)
        return row.opens_at + by, row.closes_at + by

    def _may_be_on(self, moment: datetime, on_holiday: OnHoliday | None) -> bool:
        """Tell whether a day may be used: on a festival the step's own 节假日 decides, if any."""
        day = self._hours.day_of(moment)
        if on_holiday is OnHoliday.ONLY:
            return day in self._tables.festivals
        if on_holiday is not None and day in self._tables.festivals:
            return on_holiday is OnHoliday.SEND
        return self._rest is RestDays.SEND or self._tables.is_workday(day)
