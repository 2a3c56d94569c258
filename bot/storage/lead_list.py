"""Leads as a list for who looks at the whole bank: filtered, counted, with customers' names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.lead import Lead
from bot.storage.tables import customers, leads

_COLUMNS = tuple(leads.c[name] for name in Lead.model_fields)


class Wanted(NamedTuple):
    """Which leads are looked for; what is empty does not count.

    ``closed`` asks for those that ended, and for those that did not, too; ``overdue`` for those
    whose customer had no person's word by their limit.
    """

    holders: Collection[str] = ()
    branch: str = ""
    need: str = ""
    stages: Collection[str] = ()
    closed: bool = False
    overdue: bool = False
    since: datetime | None = None


class Listed(NamedTuple):
    """A lead with its customer's name."""

    lead: Lead
    name: str


class LeadList:
    """Reads only."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(
        self, wanted: Wanted, now: datetime, *, limit: int, after: int = 0
    ) -> list[Listed]:
        """Return leads by their number, those after a number; the name is "" where none is known.

        Whoever wants all of them asks again after the last one, so that nothing is held at once.
        """
        rows = await self._connection.execute(
            select(*_COLUMNS, customers.c.name.label("called"))
            .join_from(leads, customers, customers.c.id == leads.c.customer, isouter=True)
            .where(leads.c.id > after, *_conditions(wanted, now))
            .order_by(leads.c.id)
            .limit(limit)
        )
        return [_listed(row) for row in rows]

    async def first_due(self, wanted: Wanted, now: datetime, *, limit: int) -> list[Listed]:
        """Return leads whose limit ends first, those that ended last of all."""
        rows = await self._connection.execute(
            select(*_COLUMNS, customers.c.name.label("called"))
            .join_from(leads, customers, customers.c.id == leads.c.customer, isouter=True)
            .where(*_conditions(wanted, now))
            .order_by(leads.c.closed_at.is_not(None), leads.c.respond_by, leads.c.id)
            .limit(limit)
        )
        return [_listed(row) for row in rows]

    async def count(self, wanted: Wanted, now: datetime) -> int:
        """Count the leads that are looked for."""
        statement = select(func.count()).select_from(leads).where(*_conditions(wanted, now))
        return int((await self._connection.execute(statement)).scalar_one())


def _conditions(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.holders:
        found.append(leads.c.rm.in_(sorted(wanted.holders)))
    if wanted.branch:
        found.append(leads.c.branch == wanted.branch)
    if wanted.need:
        found.append(leads.c.need == wanted.need)
    if wanted.stages:
        found.append(leads.c.stage.in_(sorted(wanted.stages)))
    if not wanted.closed:
        found.append(leads.c.closed_at.is_(None))
    if wanted.overdue:
        found += [
            leads.c.first_response_at.is_(None),
            leads.c.respond_by < now,
            leads.c.stage.in_(("new", "taken")),
        ]
    if wanted.since is not None:
        found.append(leads.c.opened_at >= wanted.since)
    return found


def _listed(row: Any) -> Listed:
    named = dict(row._mapping)
    called = named.pop("called")
    return Listed(Lead.model_validate(named), called or "")
