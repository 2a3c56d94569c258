"""Texts that were taken out of use, and where they still stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.withdrawal import Withdrawn
from bot.storage.bulk import among, update_rows
from bot.storage.insert import insert_new
from bot.storage.tables import (
    enrolments,
    groups,
    moments,
    outbox,
    run_steps,
    send_tasks,
    withdrawals,
)


class Placed(NamedTuple):
    """A step of a run that has its words, or had them."""

    id: int
    run: int
    version: str
    subject: str
    owner: str
    step: str
    round: int
    way: str
    variant: str
    iteration: int
    state: str
    changed_at: datetime


_OF_RUN = ("version", "subject", "owner")
_PLACED = (
    run_steps.c.id,
    run_steps.c.enrolment,
    *(enrolments.c[name] for name in _OF_RUN),
    *(run_steps.c[name] for name in Placed._fields[2 + len(_OF_RUN) :]),
)


class Withdrawals:
    """Rows of withdrawn texts; each holds for ever."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def in_force(self) -> Withdrawn:
        """Return every text that may be said no more."""
        rows = await self._connection.execute(
            select(withdrawals.c.script, withdrawals.c.step, withdrawals.c.body_hash)
        )
        return Withdrawn((row[0], row[1], row[2]) for row in rows)

    async def mark(self) -> int:
        """Return what changes whenever a text is withdrawn."""
        newest = select(func.max(withdrawals.c.id))
        return (await self._connection.execute(newest)).scalar_one() or 0

    async def add(
        self, script: str, step: str, body_hash: str, by: str, why: str, now: datetime
    ) -> tuple[int, bool]:
        """Take a text out of use; return its number, and False where it was already."""
        row = {
            "script": script,
            "step": step,
            "body_hash": body_hash,
            "by": by,
            "why": why[:256],
            "at": now,
        }
        new = bool(await insert_new(self._connection, withdrawals, [row]))
        found = await self._connection.execute(
            select(withdrawals.c.id).where(
                withdrawals.c.script == script,
                withdrawals.c.step == step,
                withdrawals.c.body_hash == body_hash,
            )
        )
        return int(found.scalar_one()), new

    async def get(self, number: int) -> tuple[str, str, str] | None:
        """Return (script, step, hash) of a withdrawn text."""
        rows = await self._connection.execute(
            select(withdrawals.c.script, withdrawals.c.step, withdrawals.c.body_hash).where(
                withdrawals.c.id == number
            )
        )
        row = rows.one_or_none()
        return None if row is None else (row[0], row[1], row[2])

    async def of(self, script: str, step: str) -> frozenset[str]:
        """Return the hashes of a step's texts that were withdrawn."""
        rows = await self._connection.execute(
            select(withdrawals.c.body_hash).where(
                withdrawals.c.script == script, withdrawals.c.step == step
            )
        )
        return frozenset(rows.scalars())

    async def placed(
        self,
        script: str,
        step: str,
        states: Sequence[str],
        *,
        after: int = 0,
        limit: int = 500,
    ) -> list[Placed]:
        """Return the next rows of a step in some states, by their numbers, whoever's they are."""
        rows = await self._connection.execute(
            select(*_PLACED)
            .join(enrolments, enrolments.c.id == run_steps.c.enrolment)
            .where(
                enrolments.c.script == script,
                run_steps.c.step == step,
                run_steps.c.state.in_(list(states)),
                run_steps.c.id > after,
            )
            .order_by(run_steps.c.id)
            .limit(limit)
        )
        return [Placed(*row) for row in rows]

    async def skip(self, steps: Sequence[Placed], reason: str, now: datetime) -> int:
        """Skip steps that still stand as they were read; return how many did."""
        return await update_rows(
            self._connection,
            run_steps,
            ("id", "state"),
            ("state", "reason", "changed_at"),
            [("skipped", reason, now, step.id, step.state) for step in steps],
        )

    async def tasks_of(self, steps: Sequence[int]) -> dict[int, str]:
        """Return the tasks that wait for their owner, by their step."""
        rows = await self._connection.execute(
            select(send_tasks.c.run_step, send_tasks.c.msgid).where(
                among(send_tasks.c.run_step, self._on_sqlite), send_tasks.c.state == "waiting"
            ),
            {"among": list(steps)},
        )
        return {row.run_step: row.msgid for row in rows}

    async def receivers_of(self, msgids: Collection[str]) -> list[tuple[str, str]]:
        """Return (msgid, subject) of everybody who is still to get these tasks."""
        rows = await self._connection.execute(
            select(send_tasks.c.msgid, send_tasks.c.chat)
            .where(among(send_tasks.c.msgid, self._on_sqlite), send_tasks.c.state == "waiting")
            .order_by(send_tasks.c.id),
            {"among": sorted(msgids)},
        )
        return [(row.msgid, row.chat) for row in rows]

    async def close_moments(self, keys: Sequence[str], now: datetime) -> None:
        """Have moments taken back now that these messages made and nobody has posted."""
        made = select(outbox.c.ref).where(among(outbox.c.key, self._on_sqlite))
        await self._connection.execute(
            update(moments)
            .where(moments.c.ref.in_(made), moments.c.state == "waiting")
            .values(closes_at=now, due_at=now),
            {"among": list(keys)},
        )

    async def names_of(self, subjects: Sequence[str]) -> dict[str, str]:
        """Return the names of those subjects that are groups."""
        rows = await self._connection.execute(
            select(groups.c.id, groups.c.name).where(among(groups.c.id, self._on_sqlite)),
            {"among": list(subjects)},
        )
        return {row.id: row.name for row in rows}
