"""The calendar of a simulation: one row for each step and day, over the whole audience.

What a run could not place from the day of its entry on has no day of its own: it is listed once
with its reason, beside the calendar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from bot.domain.enrolment import PlanFacts, Planned, plan
from bot.domain.fields import write_window
from bot.domain.rest_days import by_calendar
from bot.domain.runs import Run, RunStep
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.fire import way_of
from bot.sop.simulation.case import Case
from bot.sop.simulation.player import Player

_WEEK_BACK = timedelta(days=6)
LATER = "later"  # the step before took longer, there was no room, or the subject came late
_NO_DAY = frozenset({"event_passed", "no_date", "no_event"})


@dataclass(slots=True)
class Day:
    """A step on a day: for how many it was planned, how many it reached, what was lost and why."""

    on: date
    step: str
    variant: str
    way: str
    kind: str
    window: str
    source: str
    approved: bool
    first: int
    last: int
    planned: int = 0
    delivered: int = 0
    pending: int = 0
    losses: Counter[str] = field(default_factory=Counter)
    shifted: Counter[tuple[date, str]] = field(default_factory=Counter)
    quota_left: int | None = None
    texts: Counter[str] = field(default_factory=Counter)

    @property
    def moved(self) -> dict[str, int]:
        """Return for how many it stands on another day than the file's own, by the reason."""
        reasons: Counter[str] = Counter()
        for (_, reason), count in self.shifted.items():
            reasons[reason] += count
        return dict(sorted(reasons.items()))

    @property
    def nominal(self) -> date | None:
        """Return the file's own day, the earliest where those of subjects differ."""
        return min((day for day, _ in self.shifted), default=None)

    def as_json(self) -> dict[str, Any]:
        """Return the row for machines."""
        return {
            "on": str(self.on),
            "day": [self.first, self.last],
            "step": self.step,
            "variant": self.variant,
            "kind": self.kind,
            "way": self.way,
            "window": self.window,
            "calendar": self.source,
            "provisional": self.source == "provisional",
            "approved": self.approved,
            "planned": self.planned,
            "delivered": self.delivered,
            "pending": self.pending,
            "losses": dict(sorted(self.losses.items())),
            "moved": self.moved,
            "moved_from": str(self.nominal) if self.nominal else None,
            "quota_left": self.quota_left,
            "texts": [{"text": text, "subjects": n} for text, n in _most(self.texts)],
        }


class Unplaced(NamedTuple):
    """A step that has no day in the calendar: for how many it was not planned, and why."""

    step: str
    kind: str
    way: str
    reason: str
    subjects: int

    def as_json(self) -> dict[str, Any]:
        """Return the row for machines."""
        return self._asdict()


class Calendar(NamedTuple):
    """Every step by day, arm and way, in the order in which they come; and what has no day."""

    days: list[Day]
    unplaced: list[Unplaced]


def calendar_of(case: Case, players: Iterable[Player]) -> Calendar:
    """Return the calendar of everybody who came in."""
    days: dict[tuple[date, str, str, str], Day] = {}
    unplaced: Counter[tuple[str, str, str, str]] = Counter()
    plans: dict[tuple[date, str], Mapping[str, Planned]] = {}
    left, parts = _Left(case), case.parts
    for player in players:
        run, began = player.run, _entered_on(case, player)
        key = (run.anchor, run.branch)
        if key not in plans:
            plans[key] = {} if case.script.flows else _plan_of(case, *key)
        for row in (*player.ended, *player.steps.values()):
            part = parts[row.step]
            way = row.way or way_of(part)
            if _has_no_day(row, began):
                unplaced[row.step, str(part.kind or ""), way, row.reason] += 1
                continue
            on = max(row.planned_on, began)
            place = (on, row.step, row.variant, way)
            if place not in days:
                days[place] = _day(case, on, row, part, way, run.anchor)
            moved = _moved(case, run, row, part, began, plans[key].get(row.step))
            _count(days[place], row, run.anchor, moved)
            if way == SendBy.BROADCAST and row.id in player.delivered_at:
                found = left.of(player, row)
                before = days[place].quota_left
                days[place].quota_left = found if before is None else min(before, found)
    order = {id: number for number, id in enumerate(parts)}
    listed = sorted(unplaced.items(), key=lambda item: (order[item[0][0]], item[0]))
    return Calendar(
        sorted(days.values(), key=_place), [Unplaced(*key, count) for key, count in listed]
    )


def _entered_on(case: Case, player: Player) -> date:
    """Return the day before which nothing of a run can be."""
    entered_at = player.run.entered_at
    return case.start if entered_at is None else entered_at.astimezone(case.bank.zone).date()


def _has_no_day(row: RunStep, began: date) -> bool:
    """Tell whether a step was passed over because its day was over, or is not known."""
    never_sent = row.state == "skipped" and not row.iteration
    return never_sent and (row.planned_on < began or row.reason in _NO_DAY)


def _plan_of(case: Case, anchor: date, branch: str) -> Mapping[str, Planned]:
    """Plan once more, to know why a step stands on another day than the file says."""
    facts = PlanFacts(events=tuple(event for event in case.bank.events if event.branch == branch))
    planned = plan(case.script, anchor, facts, case.tables, case.bank.zone)
    return {each.step_id: each for each in planned}


def _day(case: Case, on: date, row: RunStep, part: Step | Overlay, way: str, anchor: date) -> Day:
    number = (on - anchor).days + 1
    approval = case.script.approval
    return Day(
        on=on,
        step=row.step,
        variant=row.variant,
        way=way,
        kind=str(part.kind or ""),
        window=write_window(part.window) if part.window else "",
        source=case.tables.source(on),
        approved=approval is not None and approval.holds_on(on),
        first=number,
        last=number,
    )


def _moved(
    case: Case, run: Run, row: RunStep, part: Step | Overlay, began: date, planned: Planned | None
) -> tuple[date, str] | None:
    """Return the file's own day of a step that stands on another one, and why it does."""
    if planned is not None:
        moved = planned.on == row.planned_on and planned.reason_moved
        return (planned.nominal_on, planned.reason_moved) if moved else None
    script, nominal = case.script, _own_day(case, run, row, part)
    if nominal is None or nominal == row.planned_on or not isinstance(part, Step):
        return None
    _, given = by_calendar(part, script.rest_days, nominal, began, case.tables)
    return nominal, "rest_day" if given == row.planned_on else LATER


def _own_day(case: Case, run: Run, row: RunStep, part: Step | Overlay) -> date | None:
    """Return the day that a file gives a step of a run with a token; None where it gives none."""
    if not isinstance(part, Step) or row.round > 1 or not case.script.flows:
        return None
    if part.day is not None:
        return run.anchor + timedelta(days=part.day - 1)
    relative, script = part.relative, case.script
    if relative is not None and relative.anchor in (script.entry.on, str(script.anchor)):
        return run.anchor + timedelta(days=relative.offset_days)
    return None


def _count(day: Day, row: RunStep, anchor: date, moved: tuple[date, str] | None) -> None:
    number = (day.on - anchor).days + 1
    day.first, day.last = min(day.first, number), max(day.last, number)
    day.planned += 1
    if row.state == "confirmed":
        day.delivered += 1
    elif row.state in ("skipped", "failed"):
        day.losses[row.reason or row.state] += 1
    else:
        day.pending += 1
    if row.text:
        day.texts[row.text] += 1
    if moved is not None:
        day.shifted[moved] += 1


def _place(day: Day) -> tuple[date, bool, str, str, str]:
    """Return where a row stands: what has no hours of its own comes after what has."""
    return day.on, not day.window, day.window, day.step, day.variant


class _Left:
    """How many more a subject may get within the seven days that end on a step's day."""

    def __init__(self, case: Case) -> None:
        rails = case.script.rails
        of_group = case.script.subject == "客户群"
        self._kind = "broadcast" if of_group else "private"
        self._cap = rails.broadcasts_a_week if of_group else rails.private_marketing_a_week
        self._zone = case.bank.zone
        self._days: dict[int, tuple[date, ...]] = {}
        self._known: dict[tuple[tuple[date, ...], date], int] = {}

    def of(self, player: Player, row: RunStep) -> int:
        days = self._days.get(player.run.id)
        if days is None:
            used = (each for each in player.slots if each.kind == self._kind)
            days = tuple(sorted(each.at.astimezone(self._zone).date() for each in used))
            self._days[player.run.id] = days
        key = (days, row.planned_on)
        if key not in self._known:
            on = row.planned_on
            used_by_then = sum(on - _WEEK_BACK <= day <= on for day in days)
            self._known[key] = max(0, self._cap - used_by_then)
        return self._known[key]


def _most(texts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(texts.items(), key=lambda item: (-item[1], item[0]))
