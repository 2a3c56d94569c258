"""Moves running runs to a version by somebody's order: first to be looked at, then for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.runs import Run, RunStep
from bot.domain.script import SopScript
from bot.ports import Clock
from bot.sop.diff import ScriptDiff
from bot.sop.move import NOT_NOW, Move
from bot.sop.outlook import Outlook
from bot.storage.db import Database, Tx
from bot.workers.replanning import Bearings, Replanner, write_moves

_AT_ONCE = 100  # runs of a transaction, each of some twenty rows


@dataclass(frozen=True, slots=True)
class Aim:
    """Where runs are to go: the version, by which ids it knows their steps, and how."""

    script: SopScript
    version: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    retime: bool = False


@dataclass(slots=True)
class Relocated:
    """What came of it: how many were moved, and why the others were not."""

    moved: int = 0
    ended: int = 0
    stay: Counter[str] = field(default_factory=Counter)

    @property
    def later(self) -> int:
        """Return how many can be moved once what they are at is over."""
        return sum(self.stay[reason] for reason in NOT_NOW)


class Relocation:
    """One order: every running run of a script that is not at a version goes there."""

    def __init__(self, database: Database, bearings: Bearings, clock: Clock, aim: Aim) -> None:
        self._database = database
        self._bearings = bearings
        self._clock = clock
        self._aim = aim
        self._replanner = Replanner(bearings)

    async def look(self, differs: ScriptDiff) -> Outlook:
        """Say what would change, for whom; nothing is written."""
        outlook, reached = Outlook(differs, self._bearings.bank.zone), ""
        aim = self._aim
        while True:
            async with self._database.begin() as tx:
                runs = await self._next(tx, reached)
                rows = await tx.moving.steps_of([run.id for run in runs])
            if not runs:
                return outlook
            for run in runs:
                moved = self._think(run, rows[run.id], self._clock.now())
                outlook.add(run, rows[run.id], moved, aim.script, aim.mapping)
            reached = runs[-1].subject

    async def carry_out(self, by: str) -> Relocated:
        """Move them, a chunk at a time; run again after a crash, it goes on with the rest."""
        done, reached, aim = Relocated(), "", self._aim
        while True:
            now = self._clock.now()
            async with self._database.begin() as tx:
                runs = await self._next(tx, reached)
                if not runs:
                    facts = {"version": aim.version, "moved": done.moved, "by": by}
                    await tx.ledger.add("runs_moved", aim.script.id, now, **facts)
                    return done
                rows = await tx.moving.steps_of([run.id for run in runs])
                moves: list[tuple[Move, SopScript]] = []
                for run in runs:
                    moved = self._think(run, rows[run.id], now)
                    if isinstance(moved, Move):
                        moves.append((moved, aim.script))
                    else:
                        done.stay[moved] += 1
                await write_moves(tx, moves, self._bearings, now)
                await tx.planning.note([self._entry(move, by) for move, _ in moves], now)
            done.moved += len(moves)
            done.ended += sum(move.ends for move, _ in moves)
            reached = runs[-1].subject

    def _think(self, run: Run, rows: Sequence[RunStep], now: datetime) -> Move | str:
        aim = self._aim
        script, version = aim.script, aim.version
        return self._replanner.move(
            run, rows, script, version, now, mapping=aim.mapping, retime=aim.retime
        )

    async def _next(self, tx: Tx, reached: str) -> list[Run]:
        aim = self._aim
        return await tx.moving.runs_behind(aim.script.id, aim.version, reached, limit=_AT_ONCE)

    def _entry(self, move: Move, by: str) -> tuple[str, str, dict[str, object]]:
        run, aim = move.run, self._aim
        facts = {"script": run.script, "run": run.id, "before": run.version, "by": by}
        return "moved", run.subject, {**facts, "version": aim.version}
