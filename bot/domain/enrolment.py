"""Placing a script's steps on the days of one run; pure, so that it can be previewed.

The rules are the file's: 第几天, 相对, 休息日, 日历叠加, 护栏. A day is the bank's day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.domain.bank import BankEvent
from bot.domain.board import WEEK as WEEK
from bot.domain.board import Board, Moved
from bot.domain.board import PlanFacts as PlanFacts
from bot.domain.board import takes_quota as takes_quota
from bot.domain.calendar import ONE_DAY, CalendarTables
from bot.domain.opening import Hours
from bot.domain.rest_days import by_calendar
from bot.domain.script import SopScript
from bot.domain.script_parts import OnHoliday, RestDays
from bot.domain.step_terms import ANCHORS, BOND_DAY, EVENT_DAY, NO_EVENT, Relative
from bot.domain.steps import Overlay, Step, StepKind
from bot.domain.value import Value

_FARTHEST_PUSH = 366
_BY_RULE = (OnHoliday.SEND, OnHoliday.ONLY)
_MOST_ROUNDS = 12


class Planned(Value):
    """A step with its day and window (UTC), or with the reason for which it is not sent.

    ``on`` differs from ``nominal_on``, the file's own day, where ``reason_moved`` says why.
    """

    step_id: str
    kind: Literal["step", "overlay"]
    nominal_on: date
    on: date
    opens_at: datetime
    closes_at: datetime
    quota: bool
    reason_moved: Moved = ""
    skip: str | None = None


def plan(
    script: SopScript, anchor: date, facts: PlanFacts, tables: CalendarTables, zone: ZoneInfo
) -> tuple[Planned, ...]:
    """Place every step and overlay of a run that begins on ``anchor``, ordered by day.

    Overlays lie within the run's span, and steps that give way to them lengthen it: so the plan
    is made again until the span no longer grows.
    """
    last = anchor
    for _ in range(_MOST_ROUNDS):
        planned = _Planner(script, anchor, facts, tables, zone).plan(last)
        reached = max((each.on for each in planned if each.kind == "step"), default=anchor)
        reached = max([reached, *facts.fixed.values()])
        if reached <= last:
            break
        last = reached
    return tuple(sorted(planned, key=lambda each: (each.on, each.opens_at, each.step_id)))


def next_due(planned: Iterable[Planned], ended: Collection[str]) -> Planned | None:
    """Return the step that opens first among those not ended and not skipped by the plan."""
    waiting = [each for each in planned if each.skip is None and each.step_id not in ended]
    return min(waiting, key=lambda each: (each.opens_at, each.step_id), default=None)


class _Planner:
    def __init__(
        self,
        script: SopScript,
        anchor: date,
        facts: PlanFacts,
        tables: CalendarTables,
        zone: ZoneInfo,
    ) -> None:
        self._script = script
        self._anchor = anchor
        self._facts = facts
        self._tables = tables
        self._zone = zone
        self._event: BankEvent | None = None
        self._hours = Hours(script.rails, tables, zone)

    def plan(self, last: date) -> list[Planned]:
        """Place everything, with the overlays of the days up to ``last``."""
        overlays = self._overlays(last)
        board = Board(self._script, self._facts, overlays)
        placed = self._day_steps(board)
        invite = self._invite_day(placed)
        self._event = self._event_after(invite)
        placed += self._dated_steps(board, invite)
        placed += [self._overlay(day, each, board) for day, each in overlays.items()]
        return [self._valid(each) for each in placed]

    def _overlays(self, last: date) -> dict[date, Overlay]:
        found: dict[date, Overlay] = {}
        for overlay in self._script.overlays:
            named = self._tables.days_named(overlay.on, self._anchor, last)
            if named and overlay.id not in self._facts.fixed:
                found.setdefault(named[0], overlay)
        return found

    def _overlay(self, day: date, overlay: Overlay, board: Board) -> Planned:
        skip: str | None = board.refused.get(overlay.id)
        if not overlay.kind.allowed_on_rest_days and not self._tables.is_workday(day):
            skip = "rest_day"
        if self._facts.not_before is not None and day < self._facts.not_before:
            skip = "window_missed"
        return self._planned(overlay, day, day, "", skip)

    def _day_steps(self, board: Board) -> list[Planned]:
        steps = [step for step in self._script.steps if step.day is not None]
        placed: list[Planned] = []
        shift = timedelta(0)
        for step in sorted(steps, key=lambda each: each.day or 0):
            nominal = self._anchor + timedelta(days=(step.day or 1) - 1)
            if step.id in self._facts.fixed:
                shift = max(shift, self._facts.fixed[step.id] - nominal)
                continue
            earliest = max(nominal + shift, placed[-1].on) if placed else nominal + shift
            each = self._day_step(step, nominal, earliest, board)
            placed.append(each)
            pushes = self._script.rest_days is RestDays.PUSH or self._facts.shift
            if each.skip is None and pushes:
                shift = max(shift, each.on - nominal)
        return placed

    def _day_step(self, step: Step, nominal: date, day: date, board: Board) -> Planned:
        moved: Moved = "earlier_step" if day != nominal else ""
        why = self._holiday_skip(step, day)
        if self._facts.not_before is not None and day < self._facts.not_before:
            day, moved = self._facts.not_before, "earlier_step"
        if why:
            return self._planned(step, nominal, day, moved, why)
        if step.on_holiday is OnHoliday.PREVIOUS_WORKDAY and day in self._tables.festivals:
            before = self._tables.previous_workday(day)
            if before >= max(filter(None, (self._anchor, self._facts.not_before))):
                day = before
        quota, start = takes_quota(step), day
        own: Moved = ""
        for _ in range(_FARTHEST_PUSH):
            obstacle = self._obstacle(step, day)
            if not obstacle and quota:
                obstacle = board.obstacle(day)
            if not obstacle:
                if quota:
                    board.take(day)
                return self._planned(step, nominal, day, own or moved, None)
            own = own or obstacle
            day += ONE_DAY
            if step.on_holiday is OnHoliday.ONLY and day not in self._tables.festivals:
                break
        return self._planned(step, nominal, start, moved, own)

    def _holiday_skip(self, step: Step, day: date) -> str:
        """Say why the calendar keeps a step from being sent at all; empty where it does not.

        The day is the one on which it would be: where earlier steps were put off, not the file's.
        """
        festival = day in self._tables.festivals
        if step.on_holiday is OnHoliday.ONLY and not festival:
            return "not_a_holiday"
        if step.on_holiday is not None and festival:
            return "rest_day" if step.on_holiday is OnHoliday.SKIP else ""
        skips = self._script.rest_days is RestDays.SKIP
        return "rest_day" if skips and not self._tables.is_workday(day) else ""

    def _obstacle(self, step: Step, day: date) -> Moved:
        """Say why the calendar and the hours leave a step no room on a day."""
        if day in self._tables.festivals and step.on_holiday is not None:
            free = step.on_holiday in _BY_RULE
        else:
            rest = self._script.rest_days
            free = rest is RestDays.SEND or self._tables.is_workday(day)
        if not free:
            return "rest_day"
        if not self._script.rails.allowed:
            return ""
        opens, closes = step.window or (time(9), time(18))
        return (
            ""
            if self._hours.spans(self._moment(day, opens), self._moment(day, closes))
            else ("closed")
        )

    def _invite_day(self, placed: list[Planned]) -> date:
        """Return the day of the first step that invites to the event, else the first day."""
        invites = {
            step.id for step in self._script.steps if step.kind is StepKind.EVENT and step.day
        }
        days = [each.on for each in placed if each.step_id in invites]
        days += [day for id, day in self._facts.fixed.items() if id in invites]
        return min(days, default=self._anchor)

    def _event_after(self, invite: date) -> BankEvent | None:
        later = [event for event in self._facts.events if event.on > invite]
        # One of before the run's first day was never its own.
        events = later or [event for event in self._facts.events if event.on >= self._anchor]
        return min(events, key=lambda event: (event.on, event.window), default=None)

    def _dated_steps(self, board: Board, invite: date) -> list[Planned]:
        placed = []
        for step in self._script.steps:
            if step.relative is None or step.id in self._facts.fixed:
                continue
            day = self._date_of(step.relative)
            if day is None:
                unknown = step.relative.unknown
                placed.append(self._planned(step, self._anchor, self._anchor, "", unknown))
                continue
            first = invite if step.relative.anchor == EVENT_DAY else self._anchor
            first = max(filter(None, (first, self._facts.not_before)))
            nominal, rest = day, self._script.rest_days
            why, day = by_calendar(step, rest, nominal, first, self._tables)
            skip: str | None = why or None
            if day < first:
                skip = "event_passed"
            elif skip is None and takes_quota(step):
                skip = board.obstacle(day) or None
                if skip is None:
                    board.take(day)
            moved: Moved = "rest_day" if day != nominal else ""
            placed.append(self._planned(step, nominal, day, moved, skip))
        return placed

    def _date_of(self, relative: Relative) -> date | None:
        """Return the day of a step that goes by a date; None where there is none for a group."""
        offset, anchor = timedelta(days=relative.offset_days), relative.anchor
        if anchor == EVENT_DAY:
            found = None if self._event is None else self._event.on
        elif anchor == BOND_DAY:
            coming = (day for day in self._facts.bond_days if day >= self._anchor)
            found = min(coming, default=None)
        elif anchor in ANCHORS:
            found = None
        else:
            last = self._anchor + timedelta(days=_FARTHEST_PUSH)
            found = next(iter(self._tables.days_named(anchor, self._anchor, last)), None)
        return None if found is None else found + offset

    def _planned(
        self, part: Step | Overlay, nominal: date, day: date, moved: Moved, skip: str | None
    ) -> Planned:
        opens, closes = part.window or (time(9), time(18))
        until = self._script.missed_for(part).until
        return Planned(
            step_id=part.id,
            kind="overlay" if isinstance(part, Overlay) else "step",
            nominal_on=nominal,
            on=day,
            opens_at=self._moment(day, opens),
            closes_at=self._moment(day, max(closes, until) if until else closes),
            quota=takes_quota(part),
            reason_moved=moved,
            skip=skip,
        )

    def _valid(self, planned: Planned) -> Planned:
        """Close a step's window so many hours before the event (有效到)."""
        part = self._script.part(planned.step_id)
        if not isinstance(part, Step) or planned.skip is not None:
            return planned
        limit = part.valid_until
        if limit is None:
            return self._announcing(part, planned)
        if self._event is None:
            return planned.model_copy(update={"skip": NO_EVENT})
        begins = self._event.begins_at(self._zone).astimezone(UTC)
        until = begins - timedelta(hours=limit.hours_before_event)
        if until <= planned.opens_at:
            return planned.model_copy(update={"skip": "event_passed"})
        return planned.model_copy(update={"closes_at": min(planned.closes_at, until)})

    def _announcing(self, step: Step, planned: Planned) -> Planned:
        """Close what announces an event when that begins."""
        relative, event = step.relative, self._event
        if relative is None or relative.anchor != EVENT_DAY or event is None:
            return planned
        begins = event.begins_at(self._zone).astimezone(UTC)
        if relative.offset_days > 0 or planned.opens_at >= begins:
            return planned
        return planned.model_copy(update={"closes_at": min(planned.closes_at, begins)})

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self._zone).astimezone(UTC)
