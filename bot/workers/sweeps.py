"""What is done for many, a chunk at a time: groups read again, runs woken, texts taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from bot.domain.bank import Bank
from bot.domain.delivery import Terms
from bot.domain.hold import Scope
from bot.domain.ids import RmId
from bot.domain.runs import slot_key
from bot.domain.staff_messages import StaffText
from bot.domain.steps import SendBy
from bot.domain.withdrawal import WITHDRAWN, body_hash, text_of
from bot.ports import Clock
from bot.sop.fire import step_key
from bot.storage.db import Database, Tx
from bot.storage.withdrawals import Placed
from bot.workers.content import Versions
from bot.workers.in_force import WAKE

WITHDRAW = "withdraw:"
ROWS = 1000  # of a transaction; durable_core, rule 9 lets it have 2,000
BEGIN_WITH = 100  # runs, until it is known how many rows each of them is
_BREATH_S = 0.002  # in which whoever waits to write gets the database
_UNDER_WAY = ("queued", "waiting")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a transaction of a sweep came to: subjects met, rows touched, how far it is.

    ``again`` says of the last chunk that something could not be done yet.
    """

    met: int
    rows: int
    reached: str
    over: bool = False
    again: bool = False


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
    met, limit, reached = 0, BEGIN_WITH, under_way[name]
    while True:
        now = clock.now()
        async with database.begin() as tx:
            chunk = await chunks.next(tx, reached, limit, now)
            if chunk.over and not chunk.again:
                await tx.moving.end(name, reached)
            else:
                await tx.moving.reach(name, "" if chunk.over else chunk.reached)
        if chunk.over:
            return met
        met, reached = met + chunk.met, chunk.reached
        limit = max(1, min(ROWS, limit * ROWS // max(1, chunk.rows)))
        await asyncio.sleep(_BREATH_S)


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


class Recalls:
    """Takes back a text that was withdrawn: unsent it is void, unconfirmed its task cancelled."""

    def __init__(self, name: str, versions: Versions, bank: Bank) -> None:
        self._number = int(name.removeprefix(WITHDRAW))
        self._versions = versions
        self._bank = bank
        self._left = False

    async def next(self, tx: Tx, reached: str, limit: int, now: datetime) -> Chunk:
        """Take back the next steps that have these words."""
        text = await tx.withdrawals.get(self._number)
        if text is None:
            return Chunk(0, 0, reached, over=True)
        script, step, _ = text
        after = int(reached or 0)
        rows = await tx.withdrawals.placed(script, step, _UNDER_WAY, after=after, limit=limit)
        if not rows:
            return Chunk(0, 0, reached, over=True, again=self._left)
        mine = [row for row in rows if await says(tx, self._versions, script, row, text[2])]
        queued = [row for row in mine if row.state == "queued"]
        waiting = [row for row in mine if row.state == "waiting"]
        done = await self._void(tx, queued, now) + await self._cancel(tx, waiting, now)
        self._left = self._left or len(done) < len(mine)
        await self._skip(tx, done, now)
        return Chunk(len(done), len(rows), str(rows[-1].id))

    async def _void(self, tx: Tx, rows: Sequence[Placed], now: datetime) -> list[Placed]:
        """Take back what has not begun to leave; the rest is met again once it has left."""
        keys = {key_of(row): row for row in rows}
        back = await tx.unsent.take_back(keys, WITHDRAWN, now)
        return [keys[key] for key in back]

    async def _cancel(self, tx: Tx, rows: Sequence[Placed], now: datetime) -> list[Placed]:
        """Take tasks out of their owners' lists; who has a card is told not to send it."""
        tasks = await tx.withdrawals.tasks_of([row.id for row in rows])
        if tasks:  # whoever else is to get one of them gets the same words
            await tx.runs.take_back(await tx.withdrawals.receivers_of(set(tasks.values())), now)
        posted = [row for row in rows if row.way == SendBy.MOMENTS]
        await tx.withdrawals.close_moments([key_of(row) for row in posted], now)
        by_hand = [row for row in rows if row.id not in tasks and row not in posted]
        await tx.unsent.take_back([f"{key_of(row)}:card" for row in by_hand], WITHDRAWN, now)
        for owner in sorted({row.owner for row in by_hand}):
            await self._tell(tx, owner, by_hand[0].step, now)
        return list(rows)

    async def _tell(self, tx: Tx, owner: str, step: str, now: datetime) -> None:
        if self._bank.member(owner) is None:
            return
        text = f"步骤「{step}」的文字已下架：之前请您发的这一条，还没发的请不要再发，谢谢。"
        message, terms = StaffText(to=(RmId(owner),), text=text), Terms(purpose="staff")
        await tx.outbox.put(f"withdrawn:{self._number}:{owner}", message, terms, now)

    async def _skip(self, tx: Tx, rows: Sequence[Placed], now: datetime) -> None:
        """Write the end of these steps; a run before its steps, here and everywhere."""
        await tx.scopes.wake([row.run for row in rows], now)
        await tx.withdrawals.skip(rows, WITHDRAWN, now)
        queued = [row for row in rows if row.state == "queued"]
        await tx.quota.release_many([slot_key(row.run, row.step, row.round) for row in queued])
        entries = [
            ("step_skipped", row.subject, {"step": row.step, "reason": WITHDRAWN, "run": row.run})
            for row in rows
        ]
        await tx.planning.note(entries, now)


def key_of(row: Placed) -> str:
    """Return the key of the message that a step has in the outbox."""
    return step_key(row.run, row.step, row.iteration, row.round)


async def says(tx: Tx, versions: Versions, script: str, row: Placed, its: str) -> bool:
    """Tell whether a step's words are, in its version, those with this hash."""
    played = await versions.script(tx, script, row.version)
    part = played.part(row.step) if played else None
    return part is not None and body_hash(text_of(part, row.variant)) == its
