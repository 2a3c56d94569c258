"""Steps that begin to wait for somebody's hand: a task for many is written in few statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.bulk import among, insert_rows
from bot.storage.tables import enrolments, run_steps, send_tasks

_TASK = (
    "msgid",
    "run_step",
    "owner",
    "chat",
    "subject_kind",
    "created_at",
    "closes_at",
    "due_at",
    "reminded",
    "state",
    "attempt",
)

_FRESH = {"reminded": 0, "state": "waiting", "attempt": 0}


class Waiting:
    """Writes what one call brought about for all whom it was for."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def hold_all(self, runs: Sequence[int]) -> dict[int, str]:
        """Keep others from moving or ending runs until this transaction is over.

        Return those that were left already, with the reason.
        """
        statement = (
            select(enrolments.c.id, enrolments.c.state, enrolments.c.reason)
            .where(among(enrolments.c.id, self._on_sqlite))
            .order_by(enrolments.c.id)
            .with_for_update()
        )
        rows = await self._connection.execute(statement, {"among": sorted(set(runs))})
        return {row.id: row.reason for row in rows if row.state == "exited"}

    async def add_tasks(self, tasks: Sequence[dict[str, Any]]) -> None:
        """Remember whom a mass-send task that was made is for, a row for each."""
        rows = [tuple((_FRESH | task)[name] for name in _TASK) for task in tasks]
        await insert_rows(self._connection, send_tasks, _TASK, rows)

    async def receivers_of(self, msgid: str) -> frozenset[str]:
        """Return whom a task is known to be for."""
        statement = select(send_tasks.c.chat).where(send_tasks.c.msgid == msgid)
        return frozenset((await self._connection.execute(statement)).scalars())

    async def let_wait(self, steps: Sequence[int], now: datetime) -> None:
        """Write that steps wait for somebody's hand."""
        statement = (
            update(run_steps)
            .where(among(run_steps.c.id, self._on_sqlite))
            .values(state="waiting", changed_at=now)
        )
        await self._connection.execute(statement, {"among": list(steps)})
