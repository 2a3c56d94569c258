"""What the sidebar shows besides what the other stores know: leads of a team, a group's talk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId
from bot.domain.lead import Lead
from bot.storage.tables import (
    conversations,
    customers,
    drafts,
    enrolments,
    groups,
    leads,
    run_steps,
    turns,
)

_WITH_A_PERSON = 3  # wecom_protocol §4.7
_COLUMNS = tuple(leads.c[name] for name in Lead.model_fields)


class PlannedStep(NamedTuple):
    """A step of a run with where it stands."""

    script: str
    version: str
    step: str
    opens_at: datetime
    closes_at: datetime
    state: str
    text: str


class DraftsAt(NamedTuple):
    """How many drafts are ``waiting`` for a chat: a group, or a customer's talk ``of_two``."""

    chat: str
    of_two: bool
    waiting: int


class Workbench:
    """Reads only."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def leads_of(
        self, holders: Collection[str], *, pools: Collection[str] = (), limit: int
    ) -> list[Lead]:
        """Return the open leads of these members, and of these branches' pools; first due first."""
        theirs = leads.c.rm.in_(sorted(holders))
        pooled = and_(leads.c.rm == "", leads.c.branch.in_(sorted(pools)))
        return await self._leads(or_(theirs, pooled), limit=limit)

    async def leads_about(self, needs: Collection[str], *, limit: int) -> list[Lead]:
        """Return the open leads of these needs, whoever has them; first due first."""
        return await self._leads(leads.c.need.in_(sorted(needs)), limit=limit)

    async def leads_in(self, chat: str, *, limit: int) -> list[Lead]:
        """Return the open leads that came up in a group, first due first."""
        return await self._leads(leads.c.chat == chat, limit=limit)

    async def _leads(self, condition: Any, *, limit: int) -> list[Lead]:
        rows = await self._connection.execute(
            select(*_COLUMNS)
            .where(condition, leads.c.closed_at.is_(None))
            .order_by(leads.c.respond_by, leads.c.id)
            .limit(limit)
        )
        return [Lead.model_validate(dict(row._mapping)) for row in rows]

    async def names(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the names of these customers and groups, as far as they are known."""
        wanted = sorted(set(ids))
        found: dict[str, str] = {}
        for table in (customers, groups):
            rows = await self._connection.execute(
                select(table.c.id, table.c.name).where(table.c.id.in_(wanted))
            )
            found |= {row.id: row.name for row in rows if row.name}
        return found

    async def serving(self, customer: CustomerId) -> str:
        """Return who serves a customer in 微信客服 right now, "" for nobody."""
        statement = (
            select(conversations.c.servicer)
            .where(
                conversations.c.customer == customer,
                conversations.c.state == _WITH_A_PERSON,
                conversations.c.servicer != "",
            )
            .limit(1)
        )
        return (await self._connection.execute(statement)).scalar_one_or_none() or ""

    async def speakers(self, chat: str, since: datetime) -> frozenset[str]:
        """Return who has said something in a group since then."""
        rows = await self._connection.execute(
            select(turns.c.speaker).where(turns.c.subject == chat, turns.c.at >= since).distinct()
        )
        return frozenset(rows.scalars())

    async def ever_heard(self, chat: str) -> bool:
        """Tell whether anything that was said in a group has reached us."""
        statement = select(turns.c.id).where(turns.c.subject == chat).limit(1)
        return (await self._connection.execute(statement)).first() is not None

    async def steps_between(
        self, subject: str, begin: datetime, end: datetime
    ) -> Sequence[PlannedStep]:
        """Return a subject's steps that may go out from ``begin`` until ``end``, in their order."""
        return await self._steps(
            enrolments.c.subject == subject,
            run_steps.c.opens_at < end,
            run_steps.c.closes_at > begin,
            limit=20,
        )

    async def next_steps(self, run: int, now: datetime) -> Sequence[PlannedStep]:
        """Return what a run has still before it, the nearest first; one at most."""
        return await self._steps(
            enrolments.c.id == run,
            run_steps.c.closes_at > now,
            run_steps.c.state.in_(("planned", "queued", "waiting")),
            limit=1,
        )

    async def _steps(self, *conditions: Any, limit: int) -> Sequence[PlannedStep]:
        rows: Any = await self._connection.execute(
            select(
                enrolments.c.script,
                enrolments.c.version,
                run_steps.c.step,
                run_steps.c.opens_at,
                run_steps.c.closes_at,
                run_steps.c.state,
                run_steps.c.text,
            )
            .join_from(enrolments, run_steps, run_steps.c.enrolment == enrolments.c.id)
            .where(enrolments.c.state == "running", *conditions)
            .order_by(run_steps.c.opens_at, run_steps.c.id)
            .limit(limit)
        )
        return [PlannedStep(*row) for row in rows]

    async def drafts_waiting(self, owner: str) -> list[DraftsAt]:
        """Return where drafts wait for somebody's tap, the oldest first."""
        rows = await self._connection.execute(
            select(drafts.c.chat, func.min(drafts.c.asker), func.count())
            .where(drafts.c.owner == owner, drafts.c.state == "waiting")
            .group_by(drafts.c.chat)
            .order_by(func.min(drafts.c.id))
        )
        return [DraftsAt(chat, chat == asker, count) for chat, asker, count in rows]
