"""Moves a run to another version of its script: what has not begun is planned anew; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.flow import END_OF_RUN
from bot.domain.runs import FINAL_STEPS, NewStep, Run, RunStep, Token, slot_key
from bot.domain.script import SopScript
from bot.domain.steps import Step

IN_STEP, AWAITING, NO_TARGET, ALREADY_DONE = (
    "in_step",
    "awaiting_confirm",
    "no_target",
    "already_done",
)
"""Why a run with a token cannot be moved: now (the first two), or not to that step (V2)."""
NOT_NOW = frozenset({IN_STEP, AWAITING})
_NO_MAP: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Move:
    """What differs between a run's steps as they stand and its new plan.

    ``placed`` are steps that stand elsewhere now, ``skipped`` those whose file has them no more,
    ``gone`` those that the new plan has no day for; ``wake_at`` is when the run wakes next.
    ``token`` is where a run that is not planned ahead stands then, ``released`` are the keys of
    places that are given back, and ``ends`` says that the run leaves here.
    """

    run: Run
    version: str
    wake_at: datetime | None
    fresh: tuple[NewStep, ...] = ()
    placed: tuple[tuple[int, NewStep], ...] = ()
    skipped: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    token: Token | None = None
    released: tuple[str, ...] = ()
    ends: bool = False


def begun(
    rows: Sequence[RunStep],
    mapping: Mapping[str, str] = _NO_MAP,
    fixed_until: date | None = None,
) -> tuple[RunStep, ...]:
    """Return the steps that are under way or over: they keep their day and words.

    ``mapping`` says by which ids the new file knows them; what is planned up to ``fixed_until``
    stays, too, whether it has begun or not.
    """
    return tuple(
        row.model_copy(update={"step": mapping.get(row.step, row.step)})
        for row in rows
        if not _free(row, fixed_until)
    )


def move(
    run: Run,
    rows: Sequence[RunStep],
    steps: Sequence[NewStep],
    kept: Collection[str],
    version: str,
    now: datetime,
    *,
    mapping: Mapping[str, str] = _NO_MAP,
    retime: bool = True,
    fixed_until: date | None = None,
) -> Move:
    """Compare a run's steps with its new plan; ``kept`` are the ids that the new file has.

    Without ``retime`` a step that the run has keeps its day and hours, and has new words only.
    """
    known = {row.step for row in (*rows, *begun(rows, mapping, fixed_until))}
    plan = {step.step: step for step in steps}
    waiting = [row for row in rows if _free(row, fixed_until)]
    fresh = [step for step in steps if step.step not in known]
    skipped = [row for row in waiting if row.step not in kept]
    staying = [row for row in waiting if row.step in kept]
    gone = [row for row in staying if retime and row.step not in plan]
    coming = [*fresh, *(_still(waiting, plan) if retime else ())]
    others = [*begun(rows, _NO_MAP, fixed_until), *(() if retime else staying)]
    return Move(
        run=run,
        version=version,
        wake_at=_wake_at(others, coming, now),
        fresh=tuple(fresh),
        placed=tuple(_elsewhere(staying, plan)) if retime else (),
        skipped=tuple(row.id for row in skipped),
        gone=tuple(row.id for row in gone),
        token=None if not run.node else Token("", "", now, 1, run.arms, 0, run.been),
        released=tuple(slot_key(run.id, row.step, row.round) for row in (*skipped, *gone)),
    )


def _elsewhere(
    waiting: Sequence[RunStep], plan: Mapping[str, NewStep]
) -> Iterator[tuple[int, NewStep]]:
    """Give the steps that the new plan has on another day, or at another hour."""
    for row in waiting:
        if row.step in plan and not _stands(row, plan[row.step]):
            yield row.id, plan[row.step]


def move_token(
    run: Run,
    rows: Sequence[RunStep],
    script: SopScript,
    version: str,
    now: datetime,
    *,
    mapping: Mapping[str, str] = _NO_MAP,
    retime: bool = True,
) -> Move | str:
    """Put a run's token where the new version has its step; a string says why that cannot be.

    A run moves only at a safe point: with nothing in the outbox and nothing in a manager's list.
    What was done is never done again, whatever its id is now (I10).
    """
    if any(row.state == "waiting" for row in rows):
        return AWAITING
    waiting = [row for row in rows if _free(row)]
    if any(row.state == "queued" for row in rows) or (run.phase == "send" and not waiting):
        return IN_STEP
    done = [row.step for row in begun(rows) if row.step != run.node]
    been = tuple(dict.fromkeys(mapping.get(step, step) for step in (*run.been, *done)))
    target = mapping.get(run.node, run.node)
    if target == END_OF_RUN:
        return _without(run, version, None, waiting)
    step = next((step for step in script.steps if step.id == target), None)
    if run.node and step is None:
        return NO_TARGET
    if target != run.node and target in been:
        return ALREADY_DONE
    token = _token(run, rows, step, target, been, now)
    if waiting and target == run.node and not retime:
        kept = token._replace(phase=run.phase)
        return Move(run, version, min(row.opens_at for row in waiting), token=kept)
    return _without(run, version, now, waiting, token)


def _token(
    run: Run,
    rows: Sequence[RunStep],
    step: Step | None,
    target: str,
    been: tuple[str, ...],
    now: datetime,
) -> Token:
    """Return where the token stands then.

    A wait goes on at the step that stands for it; at one that only sends, the run arrives. But
    what was sent before a wait is not sent once more, whatever its id is now.
    """
    sent = any(row.step == run.node for row in begun(rows))
    same = target == run.node
    waits = run.phase == "wait" and (same or sent or (step is not None and step.wait is not None))
    return Token(
        target,
        "wait" if waits else "arrive" if run.phase else "",
        (run.node_at or now) if same or waits else now,
        run.round if same or waits else 1,
        run.arms,
        run.shifted,
        been,
    )


def _without(
    run: Run,
    version: str,
    wake_at: datetime | None,
    rows: Sequence[RunStep],
    token: Token | None = None,
) -> Move:
    """Return a move that takes away what a run had before it; without a token the run ends."""
    return Move(
        run,
        version,
        wake_at,
        gone=tuple(row.id for row in rows),
        released=tuple(slot_key(run.id, row.step, row.round) for row in rows),
        token=token,
        ends=token is None,
    )


def _free(row: RunStep, fixed_until: date | None = None) -> bool:
    """Tell whether a step may be placed anew: it has not begun, and lies after the fixed days."""
    late = fixed_until is None or row.planned_on > fixed_until
    return row.state == "planned" and row.iteration == 0 and late


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
