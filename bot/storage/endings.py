"""The end of runs: what they still had before them, in their owners' lists too, is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import Terms
from bot.domain.messages import BroadcastCancel
from bot.domain.runs import RunState, cancel_key, remind_keys
from bot.storage.bulk import among
from bot.storage.letters import put_many, seal
from bot.storage.outbox import Outbox
from bot.storage.tables import enrolments, outbox, run_steps, send_tasks

ASK_AFTER_CANCEL = timedelta(seconds=30)


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


async def take_back(
    connection: AsyncConnection, tasks: Sequence[tuple[str, str]], now: datetime
) -> None:
    """Cancel tasks (msgid, group) now; each has a cancel already, due at its window's end."""
    msgids = [task for task, _ in tasks]
    letters = [
        seal(
            cancel_key(task),
            BroadcastCancel(task=task),
            Terms(purpose="control", subject=chat),
        )
        for task, chat in tasks
    ]
    await put_many(connection, letters, now)
    keys = [cancel_key(task) for task in msgids]
    ready = (outbox.c.state == "ready", outbox.c.due_at > now)
    await _change(connection, outbox, outbox.c.key, keys, *ready, due_at=now)
    await Outbox(connection).void(
        [key for task in msgids for key in remind_keys(task)], "run_ended", now
    )
    # An owner may have been quicker: the result is asked for once the cancel is through.
    again = now + ASK_AFTER_CANCEL
    await _change(connection, send_tasks, send_tasks.c.msgid, msgids, closes_at=now, due_at=again)


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
