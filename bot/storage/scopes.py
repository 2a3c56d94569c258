"""Runs by what a command is about: a script, a branch, a manager, a group, a customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.hold import Scope
from bot.domain.steps import SendBy
from bot.storage.tables import customers, enrolments, groups, run_steps, send_tasks


class Extent(NamedTuple):
    """How much a command is about: runs under way, steps due soon, what people have in hand.

    ``tasks`` are receivers of mass-send tasks, ``by_hand`` steps by card or moment.
    """

    runs: int
    steps: int
    tasks: int
    by_hand: int = 0


class Found(NamedTuple):
    """A running run."""

    id: int
    script: str
    version: str
    subject: str


class Scopes:
    """Runs that are under way, by what they have in common."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def extent(self, scope: Scope, target: str, until: datetime) -> Extent:
        """Count what is under way, with the steps that open before ``until``."""
        step = target.partition("/")[2] if scope == "step" else ""
        runs = select(func.count()).select_from(enrolments).where(*_running(scope, target))
        of_run = run_steps.join(enrolments, enrolments.c.id == run_steps.c.enrolment)
        only = (run_steps.c.step == step,) if step else ()
        steps = (
            select(func.count())
            .select_from(of_run)
            .where(
                *_running(scope, target),
                *only,
                run_steps.c.state == "planned",
                run_steps.c.opens_at < until,
            )
        )
        tasks = (
            select(func.count())
            .select_from(of_run.join(send_tasks, send_tasks.c.run_step == run_steps.c.id))
            .where(*_running(scope, target), *only, send_tasks.c.state == "waiting")
        )
        by_hand = (
            select(func.count())
            .select_from(of_run)
            .where(
                *_running(scope, target),
                *only,
                run_steps.c.state == "waiting",
                run_steps.c.way != SendBy.BROADCAST.value,
            )
        )
        counts = [
            int((await self._connection.execute(each)).scalar_one())
            for each in (runs, steps, tasks, by_hand)
        ]
        return Extent(*counts)

    async def tasks_in(self, scope: Scope, target: str) -> list[tuple[str, str]]:
        """Return (msgid, subject) of every task that waits for an owner's press."""
        rows = await self._connection.execute(
            select(send_tasks.c.msgid, send_tasks.c.chat)
            .join(run_steps, run_steps.c.id == send_tasks.c.run_step)
            .join(enrolments, enrolments.c.id == run_steps.c.enrolment)
            .where(*_running(scope, target), send_tasks.c.state == "waiting")
            .order_by(send_tasks.c.id)
        )
        return [(row.msgid, row.chat) for row in rows]

    async def runs_in(self, scope: Scope, target: str, *, after: int, limit: int) -> list[Found]:
        """Take the next running runs, by their numbers."""
        rows = await self._connection.execute(
            select(*(enrolments.c[name] for name in Found._fields))
            .where(*_running(scope, target), enrolments.c.id > after)
            .order_by(enrolments.c.id)
            .limit(limit)
            .with_for_update()
        )
        return [Found(*row) for row in rows]

    async def wake(self, runs: Sequence[int], now: datetime) -> None:
        """Have runs looked at now that sleep until later."""
        await self._connection.execute(
            update(enrolments)
            .where(
                enrolments.c.id.in_(list(runs)),
                enrolments.c.state == "running",
                or_(enrolments.c.due_at.is_(None), enrolments.c.due_at > now),
            )
            .values(due_at=now)
        )

    async def counts(self) -> dict[str, dict[str, int]]:
        """Count the runs of each script by their state."""
        rows = await self._connection.execute(
            select(enrolments.c.script, enrolments.c.state, func.count()).group_by(
                enrolments.c.script, enrolments.c.state
            )
        )
        found: dict[str, dict[str, int]] = {}
        for script, state, count in rows:
            found.setdefault(script, {})[state] = count
        return found

    async def versions_of(self, script: str) -> dict[str, int]:
        """Count a script's running runs by the version they are bound to."""
        rows = await self._connection.execute(
            select(enrolments.c.version, func.count())
            .where(enrolments.c.script == script, enrolments.c.state == "running")
            .group_by(enrolments.c.version)
        )
        return {row[0]: row[1] for row in rows}

    async def groups_called(self, words: str) -> list[tuple[str, str]]:
        """Return (id, name) of the groups with this id or this very name."""
        rows = await self._connection.execute(
            select(groups.c.id, groups.c.name)
            .where(or_(groups.c.id == words, groups.c.name == words), ~groups.c.dismissed)
            .order_by(groups.c.id)
        )
        return [(row.id, row.name) for row in rows]

    async def knows_customer(self, customer: str) -> bool:
        """Tell whether a customer of this id was ever seen."""
        found = select(customers.c.id).where(customers.c.id == customer)
        return (await self._connection.execute(found)).first() is not None


def _running(scope: Scope, target: str) -> list[ColumnElement[bool]]:
    column = {
        "script": enrolments.c.script,
        "step": enrolments.c.script,
        "branch": enrolments.c.branch,
        "manager": enrolments.c.owner,
        "group": enrolments.c.subject,
        "customer": enrolments.c.subject,
    }[scope]
    value = target.partition("/")[0] if scope == "step" else target
    return [enrolments.c.state == "running", column == value]
