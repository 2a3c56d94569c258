"""Moves a run to its script's new version: what has not begun is planned anew; pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.runs import FINAL_STEPS, NewStep, Run, RunStep


@dataclass(frozen=True, slots=True)
class Move:
    """What differs between a run's steps as they stand and its new plan.

    ``placed`` are steps that stand elsewhere now, ``skipped`` those whose file has them no more,
    ``gone`` those that the new plan has no day for; ``wake_at`` is when the run wakes next.
    """

    run: Run
    version: str
    wake_at: datetime | None
    fresh: tuple[NewStep, ...] = ()
    placed: tuple[tuple[int, NewStep], ...] = ()
    skipped: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()


def begun(rows: Sequence[RunStep]) -> tuple[RunStep, ...]:
    """Return the steps that are under way or over: they keep their day and words."""
    return tuple(row for row in rows if not _untouched(row))


def move(
    run: Run,
    rows: Sequence[RunStep],
    steps: Sequence[NewStep],
    kept: Collection[str],
    version: str,
    now: datetime,
) -> Move:
    """Compare a run's steps with its new plan; ``kept`` are the ids that the new file has."""
    known = {row.step for row in rows}
    plan = {step.step: step for step in steps}
    waiting = [row for row in rows if _untouched(row)]
    placed = [
        (row.id, plan[row.step])
        for row in waiting
        if row.step in plan and not _stands(row, plan[row.step])
    ]
    fresh = [step for step in steps if step.step not in known]
    return Move(
        run=run,
        version=version,
        wake_at=_wake_at(begun(rows), [*fresh, *_still(waiting, plan)], now),
        fresh=tuple(fresh),
        placed=tuple(placed),
        skipped=tuple(row.id for row in waiting if row.step not in kept),
        gone=tuple(row.id for row in waiting if row.step in kept and row.step not in plan),
    )


def _untouched(row: RunStep) -> bool:
    return row.state == "planned" and row.iteration == 0


def _stands(row: RunStep, step: NewStep) -> bool:
    """Tell whether a step is planned already as the new plan has it."""
    return (row.planned_on, row.opens_at, row.closes_at, row.reason, "") == (
        *(step.planned_on, step.opens_at, step.closes_at),
        *("", step.skip),
    )


def _still(waiting: Sequence[RunStep], plan: dict[str, NewStep]) -> list[NewStep]:
    return [plan[row.step] for row in waiting if row.step in plan]


def _wake_at(
    others: Sequence[RunStep], planned: Sequence[NewStep], now: datetime
) -> datetime | None:
    """Return when a moved run has to be looked at; at once where nothing is left to wait for."""
    moments = [step.opens_at for step in planned if not step.skip]
    moments += [row.opens_at for row in others if row.state == "planned"]
    moments += [row.closes_at for row in others if row.state == "waiting"]
    if moments:
        return min(moments)
    return now if all(row.state in FINAL_STEPS for row in others) else None
