"""What the bank's own staff ask after: their customers, their groups, their leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Text, and_, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId
from bot.storage.tables import customers, enrolments, groups, leads, run_steps, send_tasks

_MOST = 20


@dataclass(frozen=True, slots=True)
class OpenLead:
    """A lead that nobody has closed."""

    need: str
    stage: str
    rm: str
    respond_by: datetime


@dataclass(frozen=True, slots=True)
class GroupStep:
    """A step of a group's run on one day."""

    group: str
    script: str
    version: str
    step: str
    opens_at: datetime
    closes_at: datetime
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Day:
    """What the leads and tasks of the bank came to."""

    opened: int
    taken: int
    overdue: int
    waiting: int
    to_confirm: int


class StaffView:
    """Reads only."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def customers_named(
        self, managers: Sequence[str], *, within: str = "", surname: str = ""
    ) -> list[tuple[CustomerId, str]]:
        """Return (id, name) of these managers' customers whose name stands in a text.

        With ``surname`` also those whose name begins with it.
        """
        named = [and_(customers.c.name != "", literal(within).contains(customers.c.name))]
        if surname:
            named.append(customers.c.name.startswith(surname, autoescape=True))
        known = cast(customers.c.managers, Text)
        theirs = [known.contains(f'"{manager}"', autoescape=True) for manager in managers]
        rows = await self._connection.execute(
            select(customers.c.id, customers.c.name)
            .where(or_(*named), or_(*theirs))
            .order_by(func.length(customers.c.name).desc(), customers.c.id)
            .limit(_MOST)
        )
        return [(CustomerId(row.id), row.name) for row in rows]

    async def open_leads(self, customer: CustomerId) -> list[OpenLead]:
        """Return a customer's open leads, oldest first."""
        rows = await self._connection.execute(
            select(leads.c.need, leads.c.stage, leads.c.rm, leads.c.respond_by)
            .where(leads.c.customer == customer, leads.c.closed_at.is_(None))
            .order_by(leads.c.id)
        )
        return [OpenLead(row.need, row.stage, row.rm, row.respond_by) for row in rows]

    async def steps_between(self, owner: str, begin: datetime, end: datetime) -> list[GroupStep]:
        """Return the steps of an owner's groups that may go out from ``begin`` until ``end``."""
        rows: Any = await self._connection.execute(
            select(
                groups.c.name,
                enrolments.c.script,
                enrolments.c.version,
                run_steps.c.step,
                run_steps.c.opens_at,
                run_steps.c.closes_at,
                run_steps.c.state,
                run_steps.c.reason,
            )
            .join_from(enrolments, run_steps, run_steps.c.enrolment == enrolments.c.id)
            .join(groups, groups.c.id == enrolments.c.subject)
            .where(
                enrolments.c.owner == owner,
                enrolments.c.state == "running",
                run_steps.c.opens_at < end,
                run_steps.c.closes_at > begin,
            )
            .order_by(run_steps.c.opens_at, groups.c.name)
            .limit(_MOST)
        )
        return [GroupStep(*row) for row in rows]

    async def has_runs(self, owner: str) -> bool:
        """Tell whether any of an owner's groups runs a script."""
        mine = select(enrolments.c.id).where(
            enrolments.c.owner == owner, enrolments.c.state == "running"
        )
        return (await self._connection.execute(mine.limit(1))).first() is not None

    async def day(self, since: datetime, now: datetime) -> Day:
        """Count what leads came and were taken since a moment, and what waits now."""

        async def count(*conditions: Any) -> int:
            statement = select(func.count()).select_from(leads).where(*conditions)
            return int((await self._connection.execute(statement)).scalar_one())

        untaken = leads.c.stage == "new", leads.c.closed_at.is_(None)
        tasks = select(func.count()).select_from(send_tasks).where(send_tasks.c.state == "waiting")
        return Day(
            opened=await count(leads.c.opened_at >= since),
            taken=await count(leads.c.taken_at >= since),
            overdue=await count(*untaken, leads.c.respond_by < now),
            waiting=await count(*untaken, leads.c.respond_by >= now),
            to_confirm=int((await self._connection.execute(tasks)).scalar_one()),
        )
