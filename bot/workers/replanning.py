"""Places anew what runs still have before them, and writes what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables
from bot.domain.quota import planned_at
from bot.domain.runs import NewStep, Run, RunStep
from bot.domain.script import SopScript
from bot.sop.advance import Advance
from bot.sop.enrol import plan_steps
from bot.sop.move import Move, begun, move, move_token
from bot.sop.places import places_of
from bot.storage.db import Tx
from bot.storage.quota import QuotaRow

_REMOVED = "step_removed"
_NO_MAP: Mapping[str, str] = {}


class Bearings(Protocol):
    """By which facts runs are placed: what every worker has, and a command reads for itself."""

    @property
    def bank(self) -> Bank:
        """Return the bank's facts."""

    @property
    def tables(self) -> CalendarTables:
        """Return the calendar around today."""


class Replanner:
    """Says where runs stand in a version of their script; runs that came equally far share it."""

    def __init__(self, content: Bearings) -> None:
        self._content = content
        self._plans: dict[tuple[object, ...], list[NewStep]] = {}

    def move(
        self,
        run: Run,
        rows: Sequence[RunStep],
        script: SopScript,
        version: str,
        now: datetime,
        *,
        mapping: Mapping[str, str] = _NO_MAP,
        retime: bool = True,
        not_before: date | None = None,
        fixed_until: date | None = None,
    ) -> Move | str:
        """Return a run's move; a string says why it cannot be moved (see ``bot.sop.move``).

        What is late by ``not_before`` moves all that follows; what is planned up to
        ``fixed_until`` stays where it is.
        """
        if script.flows:
            return move_token(run, rows, script, version, now, mapping=mapping, retime=retime)
        under_way = begun(rows, mapping, fixed_until)
        plan = self._plan(run, under_way, script, version, now, not_before)
        return move(
            run,
            rows,
            plan,
            frozenset(part.id for part in script.parts),
            version,
            now,
            mapping=mapping,
            retime=retime,
            fixed_until=fixed_until,
        )

    def _plan(
        self,
        run: Run,
        under_way: tuple[RunStep, ...],
        script: SopScript,
        version: str,
        now: datetime,
        not_before: date | None,
    ) -> list[NewStep]:
        first = not_before or now.astimezone(self._content.bank.zone).date()
        days = tuple((row.step, row.planned_on) for row in under_way)
        key = (version, run.anchor, run.branch, run.weekly_cap, first, not_before, days)
        if key not in self._plans:
            self._plans[key] = plan_steps(
                script,
                run.anchor,
                run.branch,
                self._content.bank,
                self._content.tables,
                begun=under_way,
                weekly_cap=run.weekly_cap,
                not_before=first,
                shift=not_before is not None,
            )
        return self._plans[key]


async def write_moves(
    tx: Tx, moves: Sequence[tuple[Move, SopScript]], content: Bearings, now: datetime
) -> None:
    """Write what moves change, whatever their number in a handful of statements."""
    moving = tx.moving
    every = [one for one, _ in moves]
    await moving.skip_steps([row for one in every for row in one.skipped], _REMOVED, now)
    await moving.drop_steps([row for one in every for row in one.gone])
    await moving.place_steps([row for one in every for row in one.placed], now)
    fresh = [(one.run.id, step) for one in every for step in one.fresh]
    await moving.add_steps(fresh, now)
    await tx.walking.put([(one.run, one.token) for one in every if one.token is not None])
    await moving.rearm([(one.run, one.version, one.wake_at) for one in every if not one.ends])
    await tx.runs.end_all([one.run.id for one in every if one.ends], "exited", "moved_out", now)
    released = [key for one in every for key in one.released]
    if released:
        await tx.quota.release_many(released)
    placed = [
        (one.run, script, [*one.fresh, *(step for _, step in one.placed)]) for one, script in moves
    ]
    await reserve(tx, placed, content)


async def reserve(
    tx: Tx, planned: Sequence[tuple[Run, SopScript, Sequence[NewStep]]], content: Bearings
) -> None:
    """Keep the places that planned steps take among their subjects' messages."""
    zone = content.bank.zone
    rows = [
        QuotaRow(one.subject, kind, one.key, planned_at(one.day, zone), one.priority)
        for run, script, steps in planned
        for one in places_of(run, script, steps)
        for kind in one.kinds
    ]
    if rows:
        await tx.quota.place_many(rows)


async def replan(tx: Tx, advances: Sequence[Advance], content: Bearings, now: datetime) -> None:
    """Place runs anew whose missed step moves all that follow (后面一起顺延)."""
    if not advances:
        return
    steps = await tx.moving.steps_of([each.run.id for each in advances])
    replanner = Replanner(content)
    moves: list[tuple[Move, SopScript]] = []
    for each in advances:
        run, script = each.run, each.script
        if script is None:
            continue
        moved = replanner.move(run, steps[run.id], script, run.version, now, not_before=each.replan)
        if isinstance(moved, Move):
            moves.append((moved, script))
    await write_moves(tx, moves, content, now)
