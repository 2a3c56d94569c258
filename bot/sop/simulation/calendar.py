"""The calendar of a simulation: one row for each step and day, over the whole audience."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from bot.domain.enrolment import PlanFacts, Planned, plan
from bot.domain.fields import write_window
from bot.domain.runs import RunStep
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.fire import way_of
from bot.sop.simulation.case import Case
from bot.sop.simulation.player import Player

_WEEK_BACK = timedelta(days=6)


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
    moved: Counter[str] = field(default_factory=Counter)
    nominal: date | None = None
    quota_left: int | None = None
    texts: Counter[str] = field(default_factory=Counter)

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
            "moved": dict(sorted(self.moved.items())),
            "moved_from": str(self.nominal) if self.nominal else None,
            "quota_left": self.quota_left,
            "texts": [{"text": text, "subjects": n} for text, n in _most(self.texts)],
        }


def calendar_of(case: Case, players: Iterable[Player]) -> list[Day]:
    """Return every step by day, arm and way, in the order in which they come."""
    days: dict[tuple[date, str, str, str], Day] = {}
    plans: dict[tuple[date, str], Mapping[str, Planned]] = {}
    left, parts = _Left(case), case.parts
    for player in players:
        run = player.run
        key = (run.anchor, run.branch)
        if key not in plans:
            plans[key] = {} if case.script.flows else _plan_of(case, *key)
        for row in (*player.ended, *player.steps.values()):
            part = parts[row.step]
            way = row.way or way_of(part)
            place = (row.planned_on, row.step, row.variant, way)
            if place not in days:
                days[place] = _day(case, row, part, way, run.anchor)
            _count(days[place], row, run.anchor, plans[key].get(row.step))
            if way == SendBy.BROADCAST and row.id in player.delivered_at:
                found = left.of(player, row)
                before = days[place].quota_left
                days[place].quota_left = found if before is None else min(before, found)
    return sorted(days.values(), key=_place)


def _plan_of(case: Case, anchor: date, branch: str) -> Mapping[str, Planned]:
    """Plan once more, to know why a step stands on another day than the file says."""
    facts = PlanFacts(events=tuple(event for event in case.bank.events if event.branch == branch))
    planned = plan(case.script, anchor, facts, case.tables, case.bank.zone)
    return {each.step_id: each for each in planned}


def _day(case: Case, row: RunStep, part: Step | Overlay, way: str, anchor: date) -> Day:
    number = (row.planned_on - anchor).days + 1
    approval = case.script.approval
    return Day(
        on=row.planned_on,
        step=row.step,
        variant=row.variant,
        way=way,
        kind=str(part.kind or ""),
        window=write_window(part.window) if part.window else "",
        source=case.tables.source(row.planned_on),
        approved=approval is not None and approval.holds_on(row.planned_on),
        first=number,
        last=number,
    )


def _count(day: Day, row: RunStep, anchor: date, planned: Planned | None) -> None:
    number = (row.planned_on - anchor).days + 1
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
    if planned is not None and planned.on == row.planned_on and planned.reason_moved:
        day.moved[planned.reason_moved] += 1
        day.nominal = planned.nominal_on


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
