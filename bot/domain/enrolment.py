"""Placing a script's steps on the days of one run; pure, so that it can be previewed.

The rules are the file's: 第几天, 相对, 休息日, 日历叠加, 护栏. A day is the bank's day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from bot.domain.bank import BankEvent
from bot.domain.calendar import ONE_DAY, CalendarTables
from bot.domain.script import SopScript
from bot.domain.script_parts import RestDays
from bot.domain.steps import Overlay, SendBy, Step, StepKind
from bot.domain.value import Value

Moved = Literal["", "rest_day", "overlay", "daily_cap", "weekly_cap", "earlier_step"]
WEEK = timedelta(days=7)
_FARTHEST_PUSH = 366
_MOST_ROUNDS = 12


class PlanFacts(Value):
    """What a plan has to go by besides the file.

    ``fixed`` holds steps that are under way or over with their days: they keep them, take their
    quota, and are not planned again. Nothing is placed before ``not_before``.
    """

    events: tuple[BankEvent, ...] = ()
    earlier_broadcasts: tuple[date, ...] = ()
    fixed: dict[str, date] = Field(default_factory=dict)
    weekly_cap: int | None = None
    not_before: date | None = None


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


class _Board:
    """The days that broadcasts take, and whether one more fits."""

    def __init__(self, script: SopScript, facts: PlanFacts, overlays: dict[date, Overlay]) -> None:
        self._a_day = script.rails.broadcasts_a_day
        self._a_week = min(script.rails.broadcasts_a_week, facts.weekly_cap or 7)
        quota_ids = {part.id for part in script.parts if takes_quota(part)}
        self._taken = [day for id, day in facts.fixed.items() if id in quota_ids]
        self._taken += facts.earlier_broadcasts
        self._overlay_days: set[date] = set()
        self.refused: dict[str, Moved] = {}
        for day, overlay in sorted(overlays.items()):
            if takes_quota(overlay):
                obstacle = self.obstacle(day)
                if obstacle:
                    self.refused[overlay.id] = obstacle
                else:
                    self.take(day)
                    self._overlay_days.add(day)

    def obstacle(self, day: date) -> Moved:
        """Say why no broadcast fits on that day; empty if one does."""
        if self._taken.count(day) >= self._a_day:
            return "overlay" if day in self._overlay_days else "daily_cap"
        for back in range(7):
            first = day - back * ONE_DAY
            if sum(first <= taken < first + WEEK for taken in self._taken) >= self._a_week:
                return "weekly_cap"
        return ""

    def take(self, day: date) -> None:
        """Note a broadcast."""
        self._taken.append(day)


def takes_quota(part: Step | Overlay) -> bool:
    """Tell whether a part goes out as a mass-send task, of which a group gets few."""
    if isinstance(part, Overlay):
        return part.send_by is SendBy.BROADCAST
    return part.broadcast


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

    def plan(self, last: date) -> list[Planned]:
        """Place everything, with the overlays of the days up to ``last``."""
        overlays = self._overlays(last)
        board = _Board(self._script, self._facts, overlays)
        placed = self._day_steps(board)
        invite = self._invite_day(placed)
        self._event = self._event_after(invite)
        placed += self._event_steps(board, invite)
        placed += [self._overlay(day, each, board) for day, each in overlays.items()]
        return [self._valid(each) for each in placed]

    def _overlays(self, last: date) -> dict[date, Overlay]:
        found: dict[date, Overlay] = {}
        for overlay in self._script.overlays:
            named = self._tables.days_named(overlay.on, self._anchor, last)
            if named and overlay.id not in self._facts.fixed:
                found.setdefault(named[0], overlay)
        return found

    def _overlay(self, day: date, overlay: Overlay, board: _Board) -> Planned:
        skip: str | None = board.refused.get(overlay.id)
        if not overlay.kind.allowed_on_rest_days and not self._tables.is_workday(day):
            skip = "rest_day"
        if self._facts.not_before is not None and day < self._facts.not_before:
            skip = "window_missed"
        return self._planned(overlay, day, day, "", skip)

    def _day_steps(self, board: _Board) -> list[Planned]:
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
            if each.skip is None and self._script.rest_days is RestDays.PUSH:
                shift = each.on - nominal
        return placed

    def _day_step(self, step: Step, nominal: date, day: date, board: _Board) -> Planned:
        moved: Moved = "earlier_step" if day != nominal else ""
        if self._facts.not_before is not None and day < self._facts.not_before:
            day, moved = self._facts.not_before, "earlier_step"
        rest = self._script.rest_days
        if rest is RestDays.SKIP and not self._tables.is_workday(nominal):
            return self._planned(step, nominal, day, moved, "rest_day")
        quota = takes_quota(step)
        start = day
        own: Moved = ""
        for _ in range(_FARTHEST_PUSH):
            free = rest is RestDays.SEND or self._tables.is_workday(day)
            obstacle: Moved = "" if free else "rest_day"
            if not obstacle and quota:
                obstacle = board.obstacle(day)
            if not obstacle:
                if quota:
                    board.take(day)
                return self._planned(step, nominal, day, own or moved, None)
            own = own or obstacle
            day += ONE_DAY
        return self._planned(step, nominal, start, moved, own)

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
        events = later or list(self._facts.events)
        return min(events, key=lambda event: (event.on, event.window), default=None)

    def _event_steps(self, board: _Board, invite: date) -> list[Planned]:
        placed = []
        for step in self._script.steps:
            if step.relative is None or step.id in self._facts.fixed:
                continue
            if self._event is None:
                placed.append(self._planned(step, self._anchor, self._anchor, "", "no_event"))
                continue
            day = self._event.on + timedelta(days=step.relative.offset_days)
            skip: str | None = None
            too_early = max(filter(None, (invite, self._facts.not_before)))
            if day < too_early:
                skip = "event_passed"
            elif takes_quota(step):
                skip = board.obstacle(day) or None
                if skip is None:
                    board.take(day)
            placed.append(self._planned(step, day, day, "", skip))
        return placed

    def _planned(
        self, part: Step | Overlay, nominal: date, day: date, moved: Moved, skip: str | None
    ) -> Planned:
        opens, closes = part.window or (time(9), time(18))
        until = self._script.missed.until
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
        limit = part.valid_until if isinstance(part, Step) else None
        if limit is None or planned.skip is not None:
            return planned
        if self._event is None:
            return planned.model_copy(update={"skip": "no_event"})
        begins = self._event.begins_at(self._zone).astimezone(UTC)
        until = begins - timedelta(hours=limit.hours_before_event)
        if until <= planned.opens_at:
            return planned.model_copy(update={"skip": "event_passed"})
        return planned.model_copy(update={"closes_at": min(planned.closes_at, until)})

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self._zone).astimezone(UTC)
