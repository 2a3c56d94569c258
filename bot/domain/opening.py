"""When a script may reach people: 静默时段 and 只在, by the calendar's types of days; pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.calendar import ONE_DAY, CalendarTables, days
from bot.domain.rails import DayType, GuardRails

Span = tuple[datetime, datetime]
_FARTHEST = 40  # days: longer than any run of days that the calendar closes
_LONGEST_SPREAD = timedelta(minutes=30)  # sop_semantics Q3
_SPREAD_PART = 3
_WINDOWS_KEPT = 500


def day_type(day: date, tables: CalendarTables) -> DayType:
    """Return what kind of day it is; a day is of the last that fits (sop_semantics Q1)."""
    if tables.is_eve(day):
        return DayType.EVE
    if day in tables.festivals:
        return DayType.HOLIDAY
    return DayType.WORKDAY if tables.is_workday(day) else DayType.REST


class Hours:
    """The open hours of one script by the bank's clock; moments in and out keep their zone."""

    def __init__(self, rails: GuardRails, tables: CalendarTables, zone: ZoneInfo) -> None:
        self._rails = rails
        self._tables = tables
        self._zone = zone
        self._closed: dict[date, list[Span]] = {}
        self._known: dict[
            tuple[object, ...], list[Span]
        ] = {}  # windows open together: many ask for the same

    def spans(self, opens_at: datetime, closes_at: datetime) -> list[Span]:
        """Cut the closed hours out of a window of any length, in their order."""
        window = (opens_at, closes_at, opens_at.tzinfo)  # what comes out keeps the zone
        known = self._known.get(window)
        if known is None:
            if len(self._known) >= _WINDOWS_KEPT:
                self._known.clear()
            known = self._known[window] = self._cut(opens_at, closes_at)
        return known

    def _cut(self, opens_at: datetime, closes_at: datetime) -> list[Span]:
        found, begins = [], opens_at
        for closed_from, closed_to in self._closed_between(opens_at, closes_at):
            if closed_to <= begins or closed_from >= closes_at:
                continue
            if closed_from > begins:
                found.append((begins, closed_from.astimezone(opens_at.tzinfo)))
            begins = max(begins, closed_to.astimezone(opens_at.tzinfo))
        if begins < closes_at:
            found.append((begins, closes_at))
        return found

    def day_of(self, moment: datetime) -> date:
        """Return the bank's day of a moment."""
        return moment.astimezone(self._zone).date()

    def is_open(self, now: datetime) -> bool:
        """Tell whether anything may be sent now."""
        return all(not begins <= now < ends for begins, ends in self._closed_between(now, now))

    def next_open(self, now: datetime) -> datetime | None:
        """Return the first open moment from ``now`` on; None where no near day has one."""
        return next((begins for begins, _ in self.spans(now, now + _FARTHEST * ONE_DAY)), None)

    def closes(self, now: datetime) -> datetime:
        """Return when the open hours end that hold ``now``; at most a day later."""
        spans = self.spans(now, now + ONE_DAY)
        return spans[0][1] if spans and spans[0][0] == now else now

    def opened(self, at: datetime) -> datetime:
        """Return when the hours of ``at`` opened; ``at`` itself if longer ago than a spread.

        All that were spread over the beginning of the hours share it.
        """
        spans = self.spans(at - _LONGEST_SPREAD, at + timedelta(seconds=1))
        begins = spans[-1][0] if spans else at
        return at if begins == at - _LONGEST_SPREAD else min(begins, at)

    def begins(self, opens_at: datetime, closes_at: datetime) -> Iterator[datetime]:
        """Give the moments within a window at which somebody can be asked for one day's message.

        They are the begins of its open hours, and where those last over midnight, the window's
        own hour on each day: a day's messages are counted by the day (sop_semantics C1).
        """
        at = opens_at.astimezone(self._zone).time()
        for moment, ends in self.spans(opens_at, closes_at):
            while moment < ends:
                yield moment
                day = self.day_of(moment) + ONE_DAY
                moment = datetime.combine(day, at, tzinfo=self._zone).astimezone(UTC)

    def _closed_between(self, first: datetime, last: datetime) -> list[Span]:
        begins = first.astimezone(self._zone).date() - ONE_DAY
        ends = last.astimezone(self._zone).date()
        found = [span for day in days(begins, ends) for span in self._of_day(day)]
        return sorted(found)

    def _of_day(self, day: date) -> list[Span]:
        if day not in self._closed:
            windows = self._rails.closed(day_type(day, self._tables))
            self._closed[day] = [self._span(day, *window) for window in windows]
        return self._closed[day]

    def _span(self, day: date, begins: time, ends: time) -> Span:
        last = day + ONE_DAY if ends <= begins else day
        return (
            datetime.combine(day, begins, tzinfo=self._zone),
            datetime.combine(last, ends, tzinfo=self._zone),
        )


def spread(span: Span, share: float) -> datetime:
    """Place a run within the beginning of open hours by its ``share`` of [0, 1) (Q3).

    So a morning's first moment does not bring everything that waited through the night.
    """
    room = min(_LONGEST_SPREAD, (span[1] - span[0]) / _SPREAD_PART)
    return span[0] + timedelta(seconds=int(room.total_seconds() * share))
