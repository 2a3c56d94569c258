"""Makes saved files the current versions, and carries out what follows, a chunk at a time.

A publication is one short transaction. What it leaves to be done for every group and every run
is noted in that transaction as a sweep, which goes on where it stopped after any crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.runs import NewStep, Run, RunStep
from bot.domain.script import SopScript, to_json
from bot.domain.script_parts import OnEdit, Status
from bot.ports import Clock
from bot.sop.enrol import plan_steps
from bot.sop.move import Move, begun, move
from bot.storage.db import Database, Tx
from bot.workers.content import Content, Snapshot, version_of

_GROUPS = "groups"
_RUNS = "runs:"
_ROWS = 1000  # of a transaction; durable_core, rule 9 lets it have 2,000
_BEGIN_WITH = 100  # runs, until it is known how many rows each of them is
_REMOVED = "step_removed"
_BREATH_S = 0.002  # in which whoever waits to write gets the database


async def publish(database: Database, snapshot: Snapshot, now: datetime) -> bool:
    """Make the files' scripts the current versions; tell whether any is new."""
    published = False
    async with database.begin() as tx:
        for script in snapshot.scripts.values():
            version = version_of(script)
            if not await tx.scripts.publish(script.id, version, to_json(script), now):
                continue
            published = True
            await tx.ledger.add("script_published", script.id, now, version=version)
            if script.status is not Status.PUBLISHED:
                continue
            await tx.moving.begin(_GROUPS)  # it may be for groups that are known already
            if script.on_edit is OnEdit.UNDUE_STEPS:
                await tx.moving.begin(_RUNS + script.id)
    return published


class Sweeper:
    """Carries what publications left to be done to its end."""

    def __init__(self, database: Database, content: Content, clock: Clock) -> None:
        self._database = database
        self._content = content
        self._clock = clock

    async def sweep(self) -> int:
        """Go on with every sweep that is under way; return how many groups and runs it met."""
        async with self._database.read() as tx:
            under_way = await tx.moving.under_way()
        met = 0
        for name, reached in under_way.items():
            chunks: Chunks = _Groups()
            if name.startswith(_RUNS):
                script = self._content.snapshot.scripts.get(name.removeprefix(_RUNS))
                chunks = _Runs(script, self._content) if script else _Nothing()
            met += await self._carry(name, reached, chunks)
        return met

    async def _carry(self, name: str, reached: str, chunks: Chunks) -> int:
        met, limit = 0, _BEGIN_WITH
        while True:
            now = self._clock.now()
            async with self._database.begin() as tx:
                chunk = await chunks.next(tx, reached, limit, now)
                if not chunk.met:
                    await tx.moving.end(name, reached)
                    return met
                await tx.moving.reach(name, chunk.reached)
            met, reached = met + chunk.met, chunk.reached
            limit = max(1, min(_ROWS, limit * _ROWS // max(1, chunk.rows)))
            await asyncio.sleep(_BREATH_S)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a transaction of a sweep came to: subjects met, rows touched, the last one's id."""

    met: int
    rows: int
    reached: str


class Chunks(Protocol):
    """The work of one sweep."""

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Do the next ``limit`` at most after ``reached``; a chunk that met none is the end."""


class _Groups:
    """Has every group read again: a script that is published now may be for it."""

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        marked = await tx.moving.mark_groups(reached, now, limit=limit)
        return Chunk(len(marked), len(marked), marked[-1] if marked else "")


class _Nothing:
    """What is left of a sweep whose script's file is gone."""

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        return Chunk(0, 0, reached)


class _Runs:
    """Moves the runs of a script to its new version: steps that have begun keep day and words."""

    def __init__(self, script: SopScript, content: Content) -> None:
        self._script = script
        self._version = version_of(script)
        self._content = content
        self._kept = frozenset(part.id for part in script.parts)
        self._plans: dict[tuple[object, ...], list[NewStep]] = {}

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        runs = await tx.moving.runs_behind(self._script.id, self._version, reached, limit=limit)
        if not runs:
            return Chunk(0, 0, reached)
        steps = await tx.moving.steps_of([run.id for run in runs])
        moves: list[Move] = []
        rows = 0
        for run in runs:
            moved = self._think(run, steps[run.id], now)
            its = 1 + sum(map(len, (moved.fresh, moved.placed, moved.skipped, moved.gone)))
            if moves and rows + its > _ROWS:
                break  # the rest is the next chunk's
            moves.append(moved)
            rows += its
        await self._write(tx, moves, now)
        return Chunk(len(moves), rows, moves[-1].run.subject)

    def _think(self, run: Run, rows: Sequence[RunStep], now: datetime) -> Move:
        today = now.astimezone(self._content.bank.zone).date()
        under_way = begun(rows)
        days = tuple((row.step, row.planned_on) for row in under_way)
        key = (run.anchor, run.branch, run.weekly_cap, today, days)
        plan = self._plans.get(key)
        if plan is None:  # runs that began together and came equally far share their plan
            plan = self._plans[key] = plan_steps(
                self._script,
                run.anchor,
                run.branch,
                self._content.bank,
                self._content.tables,
                begun=under_way,
                weekly_cap=run.weekly_cap,
                not_before=today,
            )
        return move(run, rows, plan, self._kept, self._version, now)

    async def _write(self, tx: Tx, moves: Sequence[Move], now: datetime) -> None:
        moving = tx.moving
        await moving.skip_steps([one for each in moves for one in each.skipped], _REMOVED, now)
        await moving.drop_steps([one for each in moves for one in each.gone])
        await moving.place_steps([one for each in moves for one in each.placed], now)
        fresh = [(each.run.id, step) for each in moves for step in each.fresh]
        await moving.add_steps(fresh, now)
        await moving.rearm([(each.run, each.version, each.wake_at) for each in moves])
