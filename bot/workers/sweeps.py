"""What is done for many, a chunk at a time: groups read again, runs woken, texts taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, cast

from bot.domain.hold import TERMINATED, Scope
from bot.domain.runs import slot_key
from bot.domain.steps import SendBy
from bot.domain.withdrawal import WITHDRAWN, body_hash, text_of
from bot.ports import Clock
from bot.sop.fire import step_key
from bot.storage.db import Database, Tx
from bot.storage.withdrawals import Placed
from bot.workers.content import Versions
from bot.workers.in_force import WAKE

WITHDRAW = "withdraw:"
CLOSE = "close:"
ROWS = 1000  # of a transaction; durable_core, rule 9 lets it have 2,000
BEGIN_WITH = 100  # runs, until it is known how many rows each of them is
_BREATH_S = 0.002  # in which whoever waits to write gets the database
_UNDER_WAY = ("queued", "waiting")
_NOT_OVER = ("planned", *_UNDER_WAY)
_WAITS = "@"  # before the moment until which a sweep waits, where others have how far they are
_LEAVING_FOR = timedelta(seconds=5)  # a call that is under way has ended by then


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a transaction of a sweep came to: subjects met, rows touched, how far it is.

    ``again_at`` says of the last chunk that something could not be done yet, and when to look
    for it again from the start.
    """

    met: int
    rows: int
    reached: str
    over: bool = False
    again_at: datetime | None = None


class Chunks(Protocol):
    """The work of one sweep."""

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Do the next ``limit`` at most after ``reached``."""


async def carry_out(database: Database, clock: Clock, name: str, chunks: Chunks) -> int:
    """Carry a sweep to its end from where it stands; return how many groups and runs it met."""
    async with database.read() as tx:
        under_way = await tx.moving.under_way()
    if name not in under_way:
        return 0
    met, limit, stands = 0, BEGIN_WITH, under_way[name]
    while _is_due(stands, clock.now()):
        now = clock.now()
        async with database.begin() as tx:
            chunk = await chunks.next(tx, _from(stands), limit, now)
            to = (
                chunk.reached if chunk.again_at is None else f"{_WAITS}{chunk.again_at.isoformat()}"
            )
            if chunk.over and chunk.again_at is None:
                await tx.moving.end(name, stands)
            elif not await tx.moving.reach(name, stands, to):
                return met + chunk.met  # it was begun anew: the next look begins at the start
        if chunk.over:
            return met
        met, stands = met + chunk.met, to
        limit = max(1, min(ROWS, limit * ROWS // max(1, chunk.rows)))
        await asyncio.sleep(_BREATH_S)
    return met


def _is_due(stands: str, now: datetime) -> bool:
    """Tell whether a sweep is to go on, or waits for something that takes its time."""
    return (
        not stands.startswith(_WAITS) or datetime.fromisoformat(stands.removeprefix(_WAITS)) <= now
    )


def _from(stands: str) -> str:
    """Return what a sweep goes on after; one that waited begins anew."""
    return "" if stands.startswith(_WAITS) else stands


class Groups:
    """Has every group read again: a script that is published now may be for it."""

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Mark the next groups."""
        marked = await tx.moving.mark_groups(reached, now, limit=limit)
        return Chunk(len(marked), len(marked), marked[-1] if marked else "", over=not marked)


class Nothing:
    """What is left of a sweep whose script's file is gone."""

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Be over."""
        return Chunk(0, 0, reached, over=True)


class Wakes:
    """Has runs looked at that stood still: what they missed is judged by 错过时间窗."""

    def __init__(self, name: str) -> None:
        scope, _, self._target = name.removeprefix(WAKE).partition(":")
        self._scope = cast("Scope", scope)

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Wake the next runs."""
        after = int(reached or 0)
        found = await tx.scopes.runs_in(self._scope, self._target, after=after, limit=limit)
        runs = [run.id for run in found]
        await tx.scopes.wake(runs, now)
        return Chunk(len(runs), len(runs), str(runs[-1]) if runs else "", over=not runs)


class TakenBack:
    """Takes steps back: unsent they are void, in people's hands cancelled or called back."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self._left = False

    async def held(self, tx: Tx, rows: Sequence[Placed]) -> list[Placed]:
        """Return those that still stand so once nobody else moves their runs; the rest is later."""
        await tx.waiting.hold_all([row.run for row in rows])
        states = await tx.gate.states([row.id for row in rows])
        held = [row for row in rows if states.get(row.id) == row.state]
        self._left = self._left or len(held) < len(rows)
        return held

    async def take_back(self, tx: Tx, rows: Sequence[Placed], now: datetime) -> list[Placed]:
        """Take back what can be; the rest is on its way, and met again once it has left."""
        queued = [row for row in rows if row.state == "queued"]
        waiting = [row for row in rows if row.state == "waiting"]
        held = await tx.stops.in_hand([row.id for row in waiting])
        done = [row for row in rows if row.state == "planned"]
        done += await self._void(tx, queued, now) + waiting
        await self._cancel(tx, waiting, now)
        self._left = self._left or len(done) < len(rows)
        await self._skip(tx, done, now)
        await tx.stops.call_back(held, self._reason, now)
        return done

    def over(self, reached: str, now: datetime) -> Chunk:
        """Return the last chunk; what was on its way is looked for again from the start."""
        again_at = now + _LEAVING_FOR if self._left else None
        self._left = False
        return Chunk(0, 0, reached, over=True, again_at=again_at)

    async def _void(self, tx: Tx, rows: Sequence[Placed], now: datetime) -> list[Placed]:
        keys = {key_of(row): row for row in rows}
        back = await tx.unsent.take_back(keys, self._reason, now)
        return [keys[key] for key in back]

    async def _cancel(self, tx: Tx, rows: Sequence[Placed], now: datetime) -> None:
        """Take tasks and moments out of their owners' lists, for all who were to get them."""
        tasks = await tx.withdrawals.tasks_of([row.id for row in rows])
        if tasks:  # whoever else is to get one of them gets the same words
            await tx.runs.take_back(await tx.withdrawals.receivers_of(set(tasks.values())), now)
        posted = [key_of(row) for row in rows if row.way == SendBy.MOMENTS]
        await tx.withdrawals.close_moments(posted, now)

    async def _skip(self, tx: Tx, rows: Sequence[Placed], now: datetime) -> None:
        """Write the end of these steps; a run before its steps, here and everywhere."""
        await tx.scopes.wake([row.run for row in rows], now)
        await tx.withdrawals.skip(rows, self._reason, now)
        unsent = [row for row in rows if row.state != "waiting"]
        await tx.quota.release_many([slot_key(row.run, row.step, row.round) for row in unsent])
        entries = [
            (
                "step_skipped",
                row.subject,
                {"step": row.step, "reason": self._reason, "run": row.run},
            )
            for row in rows
        ]
        await tx.planning.note(entries, now)


class Recalls(TakenBack):
    """Takes back a text that was withdrawn, wherever it stands."""

    def __init__(self, name: str, versions: Versions) -> None:
        super().__init__(WITHDRAWN)
        self._number = int(name.removeprefix(WITHDRAW))
        self._versions = versions

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Take back the next steps that have these words."""
        text = await tx.withdrawals.get(self._number)
        if text is None:
            return Chunk(0, 0, reached, over=True)
        script, step, its = text
        after = int(reached or 0)
        rows = await tx.withdrawals.placed(script, step, _UNDER_WAY, after=after, limit=limit)
        if not rows:
            return self.over(reached, now)
        rows = await self.held(tx, rows)
        mine = [row for row in rows if await says(tx, self._versions, script, row, its)]
        done = await self.take_back(tx, mine, now)
        return Chunk(len(done), len(rows), str(rows[-1].id))


class Closings(TakenBack):
    """Takes a step back that was terminated, from every run, whatever its version."""

    def __init__(self, name: str) -> None:
        super().__init__(TERMINATED)
        self._script, _, self._step = name.removeprefix(CLOSE).partition("/")

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Take the step back from the next runs."""
        given = (self._script, self._step, _NOT_OVER)
        rows = await tx.withdrawals.placed(*given, after=int(reached or 0), limit=limit)
        if not rows:
            return self.over(reached, now)
        done = await self.take_back(tx, await self.held(tx, rows), now)
        return Chunk(len(done), len(rows), str(rows[-1].id))


def key_of(row: Placed) -> str:
    """Return the key of the message that a step has in the outbox."""
    return step_key(row.run, row.step, row.iteration, row.round)


async def says(tx: Tx, versions: Versions, script: str, row: Placed, its: str) -> bool:
    """Tell whether a step's words are, in its version, those with this hash."""
    played = await versions.script(tx, script, row.version)
    part = played.part(row.step) if played else None
    return part is not None and body_hash(text_of(part, row.variant)) == its
