"""On which day a run with a token sends its next step; pure, so that it can be previewed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.calendar import ONE_DAY, CalendarTables
from bot.domain.misfire import span_left
from bot.domain.opening import Hours
from bot.domain.rest_days import REST_DAY, by_calendar
from bot.domain.script import SopScript
from bot.domain.script_parts import WhenFull
from bot.domain.steps import SendBy, Step

DEFAULT_WINDOW = (time(9), time(18))
NO_DAY_LEFT = "no_day_left"
_FARTHEST = 366

Obstacle = Callable[[date, SendBy], str]
"""Says why a step cannot take a day's place by a way; empty where it can."""


class Asked(NamedTuple):
    """What is known of a step that looks for its day: the file's own day, and what bounds it.

    ``by_date`` is a step that belongs to a date, which is not made up for on another day;
    nothing is placed after ``until``.
    """

    step: Step
    nominal: date
    now: datetime
    by_date: bool = False
    until: datetime | None = None


class Place(NamedTuple):
    """A step's day and window (UTC) with its way, or why it is not sent; ``leave`` ends the run."""

    on: date
    opens_at: datetime
    closes_at: datetime
    way: SendBy | None
    skip: str = ""
    leave: bool = False


def nominal_day(step: Step, anchor: date, arrived: date, shifted: int) -> date:
    """Return the file's own day of a step that no event or date of the customer's places."""
    if step.day is not None:
        return anchor + timedelta(days=step.day - 1 + shifted)
    return arrived + timedelta(days=step.days_later or 0)


class Placer:
    """Finds days for the steps of one script."""

    def __init__(
        self, script: SopScript, hours: Hours, tables: CalendarTables, zone: ZoneInfo
    ) -> None:
        self._script = script
        self._hours = hours
        self._tables = tables
        self._zone = zone

    def place(self, asked: Asked, obstacle: Obstacle) -> Place:
        """Return the first day that the calendar, the hours and the quota leave to a step."""
        today = self._hours.day_of(asked.now)
        nominal = asked.nominal if asked.by_date else max(asked.nominal, today)
        why, day = self._by_calendar(asked, nominal, today)
        if asked.by_date and day < today:
            why = "event_passed"
        return self._none(asked, why) if why else self._from(asked, day, obstacle)

    def _from(self, asked: Asked, day: date, obstacle: Obstacle) -> Place:
        """Return the first day with room from the day on that the calendar gives."""
        full = ""
        for _ in range(_FARTHEST):
            opens_at, closes_at = self._window(asked, day)
            if asked.until is not None and opens_at >= asked.until:
                break
            if span_left(self._hours, opens_at, closes_at, asked.now) is not None:
                way, why = self._way(asked.step, day, obstacle)
                if way is not None:
                    return Place(day, opens_at, closes_at, way)
                full = full or why
                if asked.step.when_full in (WhenFull.SKIP, WhenFull.EXIT):
                    leave = asked.step.when_full is WhenFull.EXIT
                    return self._none(asked, full)._replace(leave=leave)
            if asked.by_date:
                return self._none(asked, full or "window_missed")
            why, day = self._by_calendar(asked, day + ONE_DAY, day + ONE_DAY)
            if why == REST_DAY:
                why = ""  # it is not the file's day any more: the next working day is as good
                day = self._tables.next_workday(day)
            if why:
                return self._none(asked, why)
        return self._none(asked, full or NO_DAY_LEFT)

    def nowhere(self, asked: Asked, why: str) -> Place:
        """Return the place of a step that is not sent at all, for a reason."""
        return self._none(asked, why)

    def moment(self, asked: Asked) -> datetime:
        """Return when a step that sends nothing is due: its window's begin on its day."""
        _, day = self._by_calendar(asked, asked.nominal, asked.nominal)
        return self._window(asked, day)[0]

    def _way(self, step: Step, day: date, obstacle: Obstacle) -> tuple[SendBy | None, str]:
        first = ""
        for way in step.send_by:
            why = obstacle(day, way)
            if not why:
                return way, ""
            first = first or why
        return None, first

    def _by_calendar(self, asked: Asked, day: date, first: date) -> tuple[str, date]:
        """Apply 节假日 and 休息日 to a day; the reason is that of a step that is not to be."""
        return by_calendar(asked.step, self._script.rest_days, day, first, self._tables)

    def _window(self, asked: Asked, day: date) -> tuple[datetime, datetime]:
        opens, closes = asked.step.window or DEFAULT_WINDOW
        until = self._script.missed_for(asked.step).until
        closes_at = self._moment(day, max(closes, until) if until else closes)
        if asked.until is not None:
            closes_at = min(closes_at, asked.until)
        return self._moment(day, opens), closes_at

    def _none(self, asked: Asked, why: str) -> Place:
        opens_at, closes_at = self._window(asked._replace(until=None), asked.nominal)
        return Place(asked.nominal, opens_at, closes_at, None, why)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self._zone).astimezone(UTC)
