"""What a person decides about work that stands still: once more, or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.doubts import Doubts
from bot.storage.ledger import Ledger
from bot.storage.quota import Quota
from bot.storage.runs import Runs
from bot.storage.stuck import SHELVES, Letter, Letters
from bot.storage.tables import outbox, run_steps, send_tasks

_WITHOUT_A_STATE = frozenset({"admissions", "occurrences"})


class Mending:
    """Changes one row of work at a time; each change is in the ledger."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._letters = Letters(connection)
        self._ledger = Ledger(connection)
        self._runs = Runs(connection)

    async def retry(self, letter: Letter, by: str, now: datetime) -> bool:
        """Make a row due at once with every try before it; False where it changed meanwhile."""
        name, number = _place(letter)
        values: dict[str, Any] = {"due_at": now, "attempt": 0}
        if SHELVES[name].reason:
            values[SHELVES[name].reason] = ""
        if name in ("notices", "events", "outbox"):
            values["state"] = "ready"
        if name == "outbox":
            values["settled_at"] = None
        if letter.state == "unknown":
            values["tried_at"] = None  # whoever asked for it knows that it may leave twice
            await Doubts(self._connection).forget(number)
        if letter.state == "waiting":  # what is on its way is left alone
            values = {"due_at": now}
        return await self._change(letter, "work_retried", by, now, values)

    async def drop(self, letter: Letter, by: str, why: str, now: datetime) -> bool:
        """Give a row up for ever; what waited for it is told. False where it changed meanwhile."""
        name, number = _place(letter)
        values: dict[str, Any] = {"due_at": None}
        if SHELVES[name].reason:
            values[SHELVES[name].reason] = f"dropped: {why}"[:160]
        if name in _WITHOUT_A_STATE:
            values["attempt"] = 0  # as one that was worked on: what was decided before stands
        elif name != "enrolments":
            values["state"] = "dropped"
        if name == "outbox":
            values["settled_at"] = now
        if not await self._change(letter, "work_dropped", by, now, values, why=why):
            return False
        if name == "outbox":
            await Doubts(self._connection).forget(number)
            await self._message_dropped(number, now)
        elif name == "enrolments":
            await self._runs.end(number, "exited", "dropped", now)
        elif name == "send_tasks":
            step = select(send_tasks.c.run_step).where(send_tasks.c.id == number)
            await self._close_step((await self._connection.execute(step)).scalar_one(), now)
        return True

    async def _message_dropped(self, number: int, now: datetime) -> None:
        row = (
            await self._connection.execute(
                select(outbox.c.key, outbox.c.facts).where(outbox.c.id == number)
            )
        ).one()
        step = row.facts.get("run_step") if isinstance(row.facts, dict) else None
        if isinstance(step, int):
            await Quota(self._connection).release(row.key)
            await self._close_step(step, now)

    async def _close_step(self, step: int, now: datetime) -> None:
        """End a step that still waits for what was dropped, and let its run go on."""
        closed = (
            await self._connection.execute(
                update(run_steps)
                .where(run_steps.c.id == step, run_steps.c.state.in_(("queued", "waiting")))
                .values(state="failed", reason="dropped", changed_at=now)
                .returning(run_steps.c.enrolment)
            )
        ).first()
        if closed is not None:
            await self._runs.set_due(closed.enrolment, now)

    async def _change(
        self,
        letter: Letter,
        kind: str,
        by: str,
        now: datetime,
        values: dict[str, Any],
        **facts: str,
    ) -> bool:
        name, number = _place(letter)
        table = SHELVES[name].table
        condition = SHELVES[name].condition(letter.state)
        if condition is None:
            return False
        idle = table.c.holder == "" if "holder" in table.c else table.c.id == table.c.id
        result = await self._connection.execute(
            update(table).where(table.c.id == number, condition, idle).values(**values)
        )
        if not result.rowcount:
            return False
        await self._ledger.add(
            kind, letter.place, now, by=by, was=letter.state, reason=letter.reason, **facts
        )
        return True


def _place(letter: Letter) -> tuple[str, int]:
    name, _, number = letter.place.partition(":")
    return name, int(number)
