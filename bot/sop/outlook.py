"""What another version of a script would change for the runs that are under way; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.domain.runs import Run, RunStep
from bot.domain.script import SopScript
from bot.sop.diff import ScriptDiff
from bot.sop.move import Move, begun

NAMED = 10  # subjects that are listed by name
Days = tuple[date | None, date | None]
"""The day of a step before and after; None where it has none, or where nobody knows it yet."""


@dataclass(slots=True)
class StepOutlook:
    """An unfired step: for how many runs something changes, for whom, and on which days."""

    step: str
    how: tuple[str, ...] = ()
    runs: int = 0
    first: list[str] = field(default_factory=list)
    days: Counter[Days] = field(default_factory=Counter)

    def count(self, run: Run, days: Days) -> None:
        """Count a run for which it changes."""
        self.runs += 1
        self.days[days] += 1
        if len(self.first) < NAMED:
            self.first.append(run.subject)


@dataclass(slots=True)
class Outlook:
    """All that a move would do; ``stay`` are runs that cannot be moved, by their reason."""

    differs: ScriptDiff
    zone: ZoneInfo
    runs: int = 0
    steps: dict[str, StepOutlook] = field(default_factory=dict)
    stay: dict[str, list[str]] = field(default_factory=dict)
    waking: Counter[Days] = field(default_factory=Counter)
    ends: int = 0

    def add(
        self,
        run: Run,
        rows: Sequence[RunStep],
        moved: Move | str,
        script: SopScript,
        mapping: Mapping[str, str],
    ) -> None:
        """Count one run."""
        self.runs += 1
        if isinstance(moved, str):
            self.stay.setdefault(moved, []).append(run.subject)
            return
        self.ends += moved.ends
        found = ahead(run, rows, script, mapping) if script.flows else planned(rows, moved)
        for step, days in found:
            its = self.differs.of(step)
            if its is None and days[0] == days[1]:
                continue  # nothing of it changes
            outlook = self.steps.setdefault(step, StepOutlook(step, its.how if its else ()))
            outlook.count(run, days)
        self.waking[self._day(run.due_at), self._day(moved.wake_at)] += 1

    def _day(self, moment: datetime | None) -> date | None:
        return None if moment is None else moment.astimezone(self.zone).date()


def planned(rows: Sequence[RunStep], moved: Move) -> Iterator[tuple[str, Days]]:
    """Give the steps that a planned run has before it, with their days before and after."""
    touched = {row.id for row in begun(rows)}
    placed = {number: step.planned_on for number, step in moved.placed}
    lost = {*moved.skipped, *moved.gone}
    for row in rows:
        if row.id not in touched:
            after = None if row.id in lost else placed.get(row.id, row.planned_on)
            yield row.step, (row.planned_on, after)
    for step in moved.fresh:
        yield step.step, (None, None if step.skip else step.planned_on)


def ahead(
    run: Run, rows: Sequence[RunStep], script: SopScript, mapping: Mapping[str, str]
) -> Iterator[tuple[str, Days]]:
    """Give the steps that a run with a token may still come to; only the one it is at has a day."""
    done = {mapping.get(step, step) for step in run.been}
    done |= {mapping.get(row.step, row.step) for row in begun(rows)}
    days = {row.step: row.planned_on for row in rows if row.step not in done}
    known = {step.id for step in script.steps}
    for step in script.steps:
        if step.id not in done:
            yield step.id, (days.get(step.id), days.get(step.id))
    for row in rows:
        if row.step not in known and row.step not in done and row.step not in mapping:
            yield row.step, (row.planned_on, None)
