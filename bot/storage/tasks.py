"""Mass-send tasks that wait for their owners, asked after task by task: all receivers at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, String, Update, and_, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.runs import RunStep, SendTask, StepState
from bot.storage import work
from bot.storage.bulk import among, update_rows
from bot.storage.runs import STEP_COLUMNS, step_of
from bot.storage.tables import Moment, enrolments, groups, run_steps, send_tasks

_LEASE = timedelta(seconds=120)
_AT_ONCE = 50  # tasks; with each come all its receivers
_TASK = tuple(send_tasks.c[name] for name in SendTask.model_fields)


class TaskEnd(NamedTuple):
    """How one receiver's row of a task is to stand: over, or to be asked after again."""

    task: SendTask
    state: str
    due_at: datetime | None = None
    error: str = ""


class StepEnd(NamedTuple):
    """A step as it is to stand; ``was`` is the state in which it was read."""

    id: int
    was: StepState
    state: StepState
    reason: str
    opens_at: datetime
    closes_at: datetime


class InList(NamedTuple):
    """A task in its owner's list: how many receivers it still has, how often it was reminded of."""

    receivers: int
    reminded: int


class Tasks:
    """Rows by (msgid, receiver)."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def claim(self, now: datetime) -> list[list[SendTask]]:
        """Take tasks whose result is to be asked for, each with all its receivers that wait."""
        statement = work.claim_statement(send_tasks)
        rows = await work.claim(self._connection, statement, now, lease=_LEASE, limit=_AT_ONCE)
        found = {row.id: _task(row) for row in rows}
        if found:
            msgids = sorted({one.msgid for one in found.values()})
            given = {
                "among": msgids,
                "until": now + _LEASE,
                "claimer": self._connection.info.get(work.HOLDER, ""),
            }
            joined = await self._connection.execute(_join(self._on_sqlite), given)
            found |= {row.id: _task(row) for row in joined}
        by_owner: dict[tuple[str, str], list[SendTask]] = {}
        for _, one in sorted(found.items()):
            by_owner.setdefault((one.msgid, one.owner), []).append(one)
        return list(by_owner.values())

    async def steps(self, tasks: Sequence[SendTask]) -> dict[int, RunStep]:
        """Return the steps of tasks; their runs are held until this transaction is over.

        A run is held before its steps, here and everywhere, and all in one order: so two who do
        it never wait in a ring.
        """
        given = {"among": sorted({task.run_step for task in tasks})}
        await self._connection.execute(_hold_runs(self._on_sqlite), given)
        rows = await self._connection.execute(_steps(self._on_sqlite), given)
        return {step.id: step for step in map(step_of, rows)}

    async def owners(self, chats: Collection[str]) -> dict[str, str]:
        """Return who owns these groups now."""
        statement = select(groups.c.id, groups.c.owner).where(among(groups.c.id, self._on_sqlite))
        rows = await self._connection.execute(statement, {"among": sorted(chats)})
        return {row.id: row.owner for row in rows}

    async def finish(self, ends: Sequence[TaskEnd]) -> None:
        """Write how rows stand; one that another worker holds by now is left alone."""
        rows = [
            (end.state, end.due_at, end.error, "", end.task.id, end.task.attempt) for end in ends
        ]
        columns = ("state", "due_at", "error", "holder")
        await update_rows(self._connection, send_tasks, ("id", "attempt"), columns, rows)

    async def bury(self, tasks: Sequence[SendTask], error: str) -> None:
        """Leave rows for a person to look at: nobody could learn what became of them."""
        await self.finish([TaskEnd(task, "waiting", None, error) for task in tasks])

    async def end_steps(self, ends: Sequence[StepEnd], now: datetime) -> None:
        """Write how steps stand, and wake their runs."""
        rows = [
            (end.state, end.reason, end.opens_at, end.closes_at, now, end.id, end.was)
            for end in ends
        ]
        columns = ("state", "reason", "opens_at", "closes_at", "changed_at")
        await update_rows(self._connection, run_steps, ("id", "state"), columns, rows)
        given = {"among": sorted({end.id for end in ends}), "now": now}
        await self._connection.execute(_wake_runs(self._on_sqlite), given)

    async def still_open(self, msgids: Collection[str]) -> set[str]:
        """Return which of these tasks wait for somebody yet."""
        statement = (
            select(send_tasks.c.msgid)
            .where(among(send_tasks.c.msgid, self._on_sqlite), send_tasks.c.state == "waiting")
            .distinct()
        )
        rows = await self._connection.execute(statement, {"among": sorted(msgids)})
        return set(rows.scalars())

    async def open_of(self, owner: str) -> dict[str, InList]:
        """Return the tasks in an owner's list by their msgid."""
        live = and_(run_steps.c.id == send_tasks.c.run_step, run_steps.c.state == "waiting")
        rows = await self._connection.execute(
            select(send_tasks.c.msgid, func.count(), func.max(send_tasks.c.reminded))
            .join(run_steps, live)
            .where(send_tasks.c.owner == owner, send_tasks.c.state == "waiting")
            .group_by(send_tasks.c.msgid)
        )
        return {row[0]: InList(row[1], row[2]) for row in rows}

    async def next_poll(self, steps: Collection[int]) -> datetime | None:
        """Return when WeCom is asked next after any task that these steps wait for."""
        mine = (among(send_tasks.c.run_step, self._on_sqlite), send_tasks.c.state == "waiting")
        statement = select(func.min(send_tasks.c.due_at, type_=Moment)).where(*mine)
        given = {"among": sorted(steps)}
        moment: datetime | None = (await self._connection.execute(statement, given)).scalar_one()
        return moment

    async def reminded_of(self, steps: Collection[int]) -> dict[int, int]:
        """Return how often steps were reminded of, over all tasks that they have had."""
        rows = await self._connection.execute(
            select(send_tasks.c.run_step, func.max(send_tasks.c.reminded))
            .where(among(send_tasks.c.run_step, self._on_sqlite))
            .group_by(send_tasks.c.run_step),
            {"among": sorted(steps)},
        )
        return {row[0]: row[1] for row in rows}

    async def reminded(self, msgids: Collection[str]) -> None:
        """Count a reminder of these tasks."""
        await self._connection.execute(
            update(send_tasks)
            .where(among(send_tasks.c.msgid, self._on_sqlite), send_tasks.c.state == "waiting")
            .values(reminded=send_tasks.c.reminded + 1),
            {"among": sorted(msgids)},
        )

    async def reminded_all(self, owners: Collection[str]) -> None:
        """Count a reminder of every task that waits in these owners' lists."""
        await self._connection.execute(
            update(send_tasks)
            .where(among(send_tasks.c.owner, self._on_sqlite), send_tasks.c.state == "waiting")
            .values(reminded=send_tasks.c.reminded + 1),
            {"among": sorted(owners)},
        )


def _task(row: Any) -> SendTask:
    return SendTask.model_validate({name: getattr(row, name) for name in SendTask.model_fields})


@lru_cache(maxsize=2)
def _join(on_sqlite: bool) -> Update:
    """Take the other receivers of claimed tasks, that nobody else has in hand."""
    picked = (
        select(send_tasks.c.id)
        .where(
            among(send_tasks.c.msgid, on_sqlite),
            send_tasks.c.state == "waiting",
            send_tasks.c.due_at.is_not(None),
            send_tasks.c.holder == "",
        )
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    values = {
        "due_at": bindparam("until", type_=Moment),
        "attempt": send_tasks.c.attempt + 1,
        "holder": bindparam("claimer", type_=String),
    }
    mine = send_tasks.c.id.in_(select(picked.c.id))
    return update(send_tasks).where(mine).values(**values).returning(*_TASK)


@lru_cache(maxsize=2)
def _hold_runs(on_sqlite: bool) -> Select[Any]:
    of_these = select(run_steps.c.enrolment).where(among(run_steps.c.id, on_sqlite))
    return (
        select(enrolments.c.id)
        .where(enrolments.c.id.in_(of_these))
        .order_by(enrolments.c.id)
        .with_for_update()
    )


@lru_cache(maxsize=2)
def _steps(on_sqlite: bool) -> Select[Any]:
    return select(*STEP_COLUMNS).where(among(run_steps.c.id, on_sqlite))


@lru_cache(maxsize=2)
def _wake_runs(on_sqlite: bool) -> Update:
    of_these = select(run_steps.c.enrolment).where(among(run_steps.c.id, on_sqlite))
    return (
        update(enrolments)
        .where(enrolments.c.id.in_(of_these), enrolments.c.state == "running")
        .values(due_at=bindparam("now", type_=Moment))
    )
