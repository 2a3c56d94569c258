"""Makes saved files the current versions, and carries out what follows, a chunk at a time.

A publication is one short transaction. What it leaves to be done for every group and every run
is noted in that transaction as a sweep, which goes on where it stopped after any crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.config.parts import SopSettings
from bot.domain.runs import Run
from bot.domain.script import SopScript
from bot.errors import Problem
from bot.ports import Clock
from bot.sop.move import NOT_NOW, Move
from bot.storage.db import Database, Tx
from bot.workers import sweeps
from bot.workers.calendar_news import SWEEP_CALENDAR, CalendarRuns
from bot.workers.content import Content, Snapshot, version_of
from bot.workers.in_force import SWEEP_GROUPS, SWEEP_RUNS, WAKE, Press
from bot.workers.lead_desk import desk_of
from bot.workers.replanning import Replanner, write_moves
from bot.workers.sla import SWEEP_LIMITS, LimitsAnew, note_hours
from bot.workers.sweeps import (
    CLOSE,
    WITHDRAW,
    Chunk,
    Chunks,
    Closings,
    Groups,
    Nothing,
    Recalls,
    Wakes,
    carry_out,
)

_AS_FILES_SAY = SopSettings()
_AT_SOONEST, _AT_LATEST = timedelta(minutes=1), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Published:
    """What is in force after a publication, and which scripts have something new."""

    snapshot: Snapshot
    fresh: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is new."""
        return bool(self.fresh)


async def publish(
    database: Database, files: Snapshot, now: datetime, settings: SopSettings = _AS_FILES_SAY
) -> Published:
    """Put what the files say in force, as far as approvals and pilots let it."""
    async with database.begin() as tx:
        press = Press(tx, files, settings, now)
        snapshot = await press.press()
        await note_hours(tx, files.bank)
    return Published(snapshot, tuple(press.fresh), tuple(press.problems))


class Sweeper:
    """Carries what publications and people's orders left to be done to its end."""

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock

    async def sweep(self) -> int:
        """Go on with every sweep that is under way; return how many groups and runs it met."""
        async with self._database.read() as tx:
            under_way = await tx.moving.under_way()
        met = 0
        for name in under_way:
            chunks = self._chunks(name)
            if chunks is not None:
                met += await carry_out(self._database, self._clock, name, chunks)
        return met

    def _chunks(self, name: str) -> Chunks | None:
        """Return the work of a sweep; None where it is another's."""
        if name == SWEEP_GROUPS:
            return Groups()
        if name.startswith(SWEEP_RUNS):
            script = name.removeprefix(SWEEP_RUNS)
            known = self._content.snapshot
            return (
                _Runs(script, self._content)
                if script in known.scripts or script in known.pilots
                else Nothing()
            )
        if name == SWEEP_CALENDAR:
            return CalendarRuns(self._content)
        if name == SWEEP_LIMITS:
            return LimitsAnew(desk_of(self._content))
        if name.startswith(WAKE):
            return Wakes(name)
        if name.startswith(WITHDRAW):
            return Recalls(name, self._content)
        if name.startswith(CLOSE):
            return Closings(name)
        return None


class _Runs:
    """Moves runs to the version that is theirs: steps that have begun keep day and words."""

    def __init__(self, script: str, content: Content) -> None:
        self._script = script
        self._content = content
        self._replanner = Replanner(content)
        self._waiting: set[int] = set()
        self._left = False
        self._versions: dict[int, tuple[SopScript, str]] = {}

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Move the next runs that are at another version."""
        snapshot = self._content.snapshot
        current = snapshot.scripts.get(self._script)
        # With a pilot a run may be at either version, and has to be looked at itself.
        behind = self._version(current) if current and self._script not in snapshot.pilots else ""
        runs = await tx.moving.runs_behind(self._script, behind, reached, limit=limit)
        if not runs:
            return Chunk(0, 0, reached, over=True, again_at=await self._look_again(tx, now))
        theirs = await self._theirs(tx, runs)
        steps = await tx.moving.steps_of(list(theirs))
        moves: list[tuple[Move, SopScript]] = []
        rows, done = 0, reached
        for run in runs:
            if run.id in theirs:
                script = theirs[run.id]
                version = self._version(script)
                moved = self._replanner.move(run, steps[run.id], script, version, now)
                if isinstance(moved, str):  # a run with a token goes on as it is until it is safe
                    self._left = self._left or moved in NOT_NOW
                    self._waiting |= {step.id for step in steps[run.id] if step.state == "waiting"}
                    done = run.subject
                    continue
                its = 1 + sum(map(len, (moved.fresh, moved.placed, moved.skipped, moved.gone)))
                if moves and rows + its > sweeps.ROWS:
                    break  # the rest is the next chunk's
                moves.append((moved, script))
                rows += its
            done = run.subject
        await write_moves(tx, moves, self._content, now)
        return Chunk(len(moves), rows, done)

    async def _look_again(self, tx: Tx, now: datetime) -> datetime | None:
        """Return when a run that could not be moved may be at a safe point; None where none is."""
        if not self._left:
            return None
        poll = await tx.tasks.next_poll(self._waiting) if self._waiting else None
        return min(max(poll or now, now + _AT_SOONEST), now + _AT_LATEST)

    async def _theirs(self, tx: Tx, runs: Sequence[Run]) -> dict[int, SopScript]:
        """Return the version of each run that is not at it yet."""
        piloted = self._content.snapshot.pilots.get(self._script)
        tags: dict[str, frozenset[str]] = {}
        if piloted is not None and piloted.pilot.by_tag:
            tags = await tx.publications.tags_of([run.subject for run in runs])
        theirs = {}
        for run in runs:
            its = self._content.version_for(self._script, run.subject, tags.get(run.subject, ()))
            if its is not None and self._version(its) != run.version:
                theirs[run.id] = its
        return theirs

    def _version(self, script: SopScript) -> str:
        known = self._versions.get(id(script))
        if known is None:
            known = self._versions[id(script)] = (script, version_of(script))
        return known[1]
