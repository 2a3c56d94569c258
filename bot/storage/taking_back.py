"""Mass-send tasks taken out of their owners' lists; one that others still need is left there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import Terms
from bot.domain.ids import RmId, digest
from bot.domain.messages import BroadcastCancel
from bot.domain.runs import cancel_key
from bot.domain.staff_messages import StaffText
from bot.storage.bulk import among
from bot.storage.letters import Letter, put_many, seal
from bot.storage.tables import Moment, customers, groups, outbox, run_steps, send_tasks

ASK_AFTER_CANCEL = timedelta(seconds=30)
_MOST_NAMES = 20

Task = tuple[str, str]  # a msgid and whom it goes to


async def take_back(connection: AsyncConnection, tasks: Sequence[Task], now: datetime) -> list[str]:
    """Keep tasks from being sent to those who are named; return the msgids that are cancelled.

    WeCom cancels a task as a whole: only where nobody else waits for it. Else its owner, who
    will press all the same, is asked to leave them out (sop_semantics X2).
    """
    others = await _others(connection, tasks, now)
    whole = sorted({msgid for msgid, _ in tasks if not others.get(msgid)})
    await _cancel(connection, [task for task in tasks if task[0] in whole], now)
    apart: dict[str, list[str]] = {}
    for msgid, subject in tasks:
        if others.get(msgid):
            apart.setdefault(msgid, []).append(subject)
    if apart:
        await _ask_to_leave_out(connection, apart, now)
    return whole


async def _others(
    connection: AsyncConnection, tasks: Sequence[Task], now: datetime
) -> dict[str, int]:
    """Count for each task the receivers besides these who still are to get it.

    Of a task that is being cancelled already nobody is.
    """
    named, on_sqlite = set(tasks), connection.dialect.name == "sqlite"
    given = {"among": sorted({msgid for msgid, _ in tasks}), "now": now}
    counts: dict[str, int] = {}
    for row in await connection.execute(_waiting(on_sqlite), given):
        if (row.msgid, row.chat) not in named:
            counts[row.msgid] = counts.get(row.msgid, 0) + 1
    return counts


async def _cancel(connection: AsyncConnection, tasks: Sequence[Task], now: datetime) -> None:
    """Cancel tasks now; each has a cancel already, due at its window's end."""
    if not tasks:
        return
    subject_of = dict(tasks)
    letters = [
        seal(cancel_key(msgid), BroadcastCancel(task=msgid), _control(subject))
        for msgid, subject in subject_of.items()
    ]
    await put_many(connection, letters, now)
    keys = [cancel_key(msgid) for msgid in subject_of]
    ready = (outbox.c.state == "ready", outbox.c.due_at > now)
    await _change(connection, outbox, outbox.c.key, keys, *ready, due_at=now)
    # An owner may have been quicker: the result is asked for once the cancel is through.
    again = now + ASK_AFTER_CANCEL
    waiting = send_tasks.c.state == "waiting"
    msgid = send_tasks.c.msgid
    values = {"closes_at": now, "due_at": again}
    await _change(connection, send_tasks, msgid, list(subject_of), waiting, **values)


async def _ask_to_leave_out(
    connection: AsyncConnection, apart: dict[str, list[str]], now: datetime
) -> None:
    """Tell each owner whom to leave out of a task in his list; the same is told once."""
    names = await names_of(connection, {one for many in apart.values() for one in many})
    owners = await _owners(connection, apart)
    letters: list[Letter] = []
    for msgid, subjects in sorted(apart.items()):
        owner = owners.get(msgid)
        if owner is None:
            continue
        said = "、".join(f"「{names.get(one) or one}」" for one in sorted(subjects)[:_MOST_NAMES])
        more = "" if len(subjects) <= _MOST_NAMES else f"等 {len(subjects)} 个"
        text = (
            f"群发助手里有一条待发的群发，请不要发给{said}{more}："
            "发送前在接收名单里去掉再发；去不掉的话，这一条请先不要发。谢谢您。"
        )
        message = StaffText(to=(RmId(owner),), text=text)
        key = f"leave-out:{digest(msgid, *sorted(subjects))}"
        letters.append(seal(key, message, Terms(purpose="staff", subject=owner)))
    await put_many(connection, letters, now)


async def names_of(connection: AsyncConnection, subjects: Collection[str]) -> dict[str, str]:
    """Return the names of groups and customers, as far as they are known."""
    on_sqlite, found = connection.dialect.name == "sqlite", {}
    for table in (groups, customers):
        statement = select(table.c.id, table.c.name).where(among(table.c.id, on_sqlite))
        rows = await connection.execute(statement, {"among": sorted(subjects)})
        found.update({row.id: row.name for row in rows})
    return found


async def _owners(connection: AsyncConnection, msgids: Collection[str]) -> dict[str, str]:
    on_sqlite = connection.dialect.name == "sqlite"
    statement = select(send_tasks.c.msgid, send_tasks.c.owner).where(
        among(send_tasks.c.msgid, on_sqlite)
    )
    rows = await connection.execute(statement.distinct(), {"among": sorted(msgids)})
    return {row.msgid: row.owner for row in rows}


def _control(subject: str) -> Terms:
    return Terms(purpose="control", subject=subject)


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


@lru_cache(maxsize=2)
def _waiting(on_sqlite: bool) -> Select[Any]:
    return (
        select(send_tasks.c.msgid, send_tasks.c.chat)
        .join(run_steps, run_steps.c.id == send_tasks.c.run_step)
        .where(
            among(send_tasks.c.msgid, on_sqlite),
            send_tasks.c.state == "waiting",
            send_tasks.c.closes_at > bindparam("now", type_=Moment),
            run_steps.c.state == "waiting",
        )
    )
