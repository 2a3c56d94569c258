"""The end of runs: what they still had before them, in their owners' lists too, is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    String,
    Table,
    case,
    cast,
    delete,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.runs import RunState
from bot.storage.bulk import among
from bot.storage.calling_back import call_back, in_hand
from bot.storage.tables import enrolments, quota, run_steps, send_tasks
from bot.storage.taking_back import take_back as take_back


async def end_runs(
    connection: AsyncConnection,
    runs: Sequence[int],
    state: RunState,
    reason: str,
    now: datetime,
) -> None:
    """Write the end of runs, whatever their number in a handful of statements."""
    values = {"state": state, "reason": reason, "ended_at": now, "due_at": None}
    await _change(connection, enrolments, enrolments.c.id, runs, **values)
    if state != "exited":
        return
    on_sqlite = connection.dialect.name == "sqlite"
    rows = await connection.execute(
        select(send_tasks.c.msgid, send_tasks.c.chat)
        .join(run_steps, run_steps.c.id == send_tasks.c.run_step)
        .where(among(run_steps.c.enrolment, on_sqlite), send_tasks.c.state == "waiting")
        .order_by(send_tasks.c.id),
        {"among": list(runs)},
    )
    tasks = [(row.msgid, row.chat) for row in rows]
    held = await in_hand(connection, run_steps.c.enrolment, runs)
    await connection.execute(_give_back(on_sqlite), {"among": list(runs)})
    await _change(
        connection,
        run_steps,
        run_steps.c.enrolment,
        runs,
        run_steps.c.state.in_(["planned", "waiting"]),
        state="skipped",
        reason=reason,
        changed_at=now,
    )
    if tasks:
        await take_back(connection, tasks, now)
    await call_back(connection, held, reason, now)


@lru_cache(maxsize=2)
def _give_back(on_sqlite: bool) -> Delete:
    """Give back the places that steps were to take which had not begun (see ``slot_key``)."""
    number = case((run_steps.c.round == 1, ""), else_="~" + cast(run_steps.c.round, String))
    key = "sop:" + cast(run_steps.c.enrolment, String) + ":" + run_steps.c.step + number
    before = select(key).where(
        among(run_steps.c.enrolment, on_sqlite), run_steps.c.state == "planned"
    )
    return delete(quota).where(quota.c.key.in_(before), quota.c.state == "planned")


async def _change(
    connection: AsyncConnection,
    table: Table,
    column: ColumnElement[Any],
    these: Sequence[Any],
    *conditions: ColumnElement[bool],
    **values: Any,
) -> None:
    found = among(column, connection.dialect.name == "sqlite")
    statement = update(table).where(found, *conditions).values(**values)
    await connection.execute(statement, {"among": list(these)})
