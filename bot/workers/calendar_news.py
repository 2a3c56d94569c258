"""Notices that the calendar itself changed: a new official schedule moves what is to come (H7)."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime

from bot.domain.calendar import CalendarTables
from bot.domain.runs import Run, RunStep
from bot.domain.script import SopScript
from bot.log import logger
from bot.ports import Clock
from bot.sop.move import Move
from bot.storage.db import Database, Tx
from bot.workers.content import Content
from bot.workers.replanning import Replanner, write_moves
from bot.workers.sla import SWEEP_LIMITS
from bot.workers.sweeps import ROWS, Chunk

log = logger(__name__)
SWEEP_CALENDAR = "calendar"
_KNOWN = "calendar"


class CalendarNews:
    """Compares the calendar with the one that runs were planned by."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def look(self, tables: CalendarTables) -> bool:
        """Have everything planned anew where a year of these tables is another than it was.

        Only what lies after today moves (I14); the first look only remembers.
        """
        now, known = self._clock.now(), _by_year(tables)
        async with self._database.begin() as tx:
            before = json.loads(await tx.moving.known(_KNOWN) or "{}")
            changed = sorted(year for year, sum in known.items() if before.get(year, sum) != sum)
            if known != before:
                await tx.moving.keep(_KNOWN, json.dumps(known))
            if changed:
                await tx.moving.begin(SWEEP_CALENDAR)
                await tx.moving.begin(SWEEP_LIMITS)
                await tx.ledger.add("calendar_changed", "calendar", now, years=changed)
        if changed:
            log.info("calendar_changed", years=changed)
        return bool(changed)


class CalendarRuns:
    """Plans the future of every running run anew, by the same version of its script."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._replanner = Replanner(content)

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Move the next runs, in the order of their numbers."""
        runs = await tx.moving.running(int(reached or 0), limit=limit)
        if not runs:
            return Chunk(0, 0, reached, over=True)
        steps = await tx.moving.steps_of([run.id for run in runs])
        today = now.astimezone(self._content.bank.zone).date()
        moves: list[tuple[Move, SopScript]] = []
        rows, done = 0, reached
        for run in runs:
            script = await self._content.script(tx, run.script, run.version)
            moved = None if script is None else self._move(run, steps[run.id], script, now, today)
            its = 1 + (len(moved.fresh) + len(moved.placed) + len(moved.gone) if moved else 0)
            if moves and rows + its > ROWS:
                break  # the rest is the next chunk's
            rows, done = rows + its, str(run.id)
            if moved is not None and script is not None:
                moves.append((moved, script))
        await write_moves(tx, moves, self._content, now)
        return Chunk(len(moves), rows, done)

    def _move(
        self, run: Run, rows: list[RunStep], script: SopScript, now: datetime, today: date
    ) -> Move | None:
        if script.flows and all(row.planned_on <= today for row in rows if row.state == "planned"):
            return None
        moved = self._replanner.move(run, rows, script, run.version, now, fixed_until=today)
        if isinstance(moved, str) or not (moved.fresh or moved.placed or moved.gone):
            return None
        return moved


def _by_year(tables: CalendarTables) -> dict[str, str]:
    """Return a sum of each whole year of the tables: of its working days, festivals and moons."""
    years: dict[str, list[tuple[str, bool, bool, tuple[int, int] | None]]] = {}
    for day in sorted(tables.workdays):
        row = (str(day), tables.workdays[day], day in tables.festivals, tables.lunar.get(day))
        years.setdefault(str(day.year), []).append(row)
    return {
        year: hashlib.sha256(repr(rows).encode()).hexdigest()[:16] for year, rows in years.items()
    }
