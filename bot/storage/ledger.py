"""The append-only record of all that happened; metrics and audit read only this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.tables import ledger

_ADD = ledger.insert()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    id: int
    at: datetime
    kind: str
    subject: str
    facts: dict[str, Any]


class Ledger:
    """Entries are added and read, never changed."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, kind: str, subject: str, at: datetime, **facts: Any) -> None:
        """Record what happened, in words that hold no personal data."""
        entry = {"kind": kind, "subject": subject, "at": at, "facts": facts}
        await self._connection.execute(_ADD, entry)

    async def count(self, kind: str, *, since: datetime | None = None, subject: str = "") -> int:
        """Count the entries of a kind."""
        statement = _count(since is not None, bool(subject))
        given = {"kind": kind, "since": since, "subject": subject}
        return int((await self._connection.execute(statement, given)).scalar_one())

    async def facts_of(self, kind: str, subject: str, since: datetime) -> list[dict[str, Any]]:
        """Return the facts of a subject's entries of a kind since a moment, oldest first."""
        rows = await self._connection.execute(
            select(ledger.c.facts)
            .where(ledger.c.kind == kind, ledger.c.at >= since, ledger.c.subject == subject)
            .order_by(ledger.c.id)
        )
        return [row.facts for row in rows]

    async def about_lead(self, customer: str, lead: int) -> list[Entry]:
        """Return what happened to one lead of a customer's, oldest first."""
        mine = (ledger.c.subject == customer) & (
            ledger.c.kind.startswith("lead_") | (ledger.c.kind == "sla_missed")
        )
        by_ops = (ledger.c.subject == str(lead)) & (ledger.c.kind == "lead_moved_by_ops")
        rows = await self._connection.execute(
            select(ledger).where(mine | by_ops).order_by(ledger.c.id)
        )
        every = (Entry(row.id, row.at, row.kind, row.subject, row.facts) for row in rows)
        return [one for one in every if one.subject == str(lead) or one.facts.get("lead") == lead]

    async def counts(self) -> dict[str, int]:
        """Count entries by kind."""
        rows = await self._connection.execute(
            select(ledger.c.kind, func.count()).group_by(ledger.c.kind)
        )
        return {row[0]: row[1] for row in rows}

    async def of_kinds(self, kinds: Sequence[str]) -> Sequence[Entry]:
        """Return every entry of some kinds, oldest first."""
        rows = await self._connection.execute(
            select(ledger).where(ledger.c.kind.in_(list(kinds))).order_by(ledger.c.id)
        )
        return [Entry(row.id, row.at, row.kind, row.subject, row.facts) for row in rows]

    async def newest(self, limit: int = 60, *, after: int = 0) -> Sequence[Entry]:
        """Return the newest entries, newest first."""
        rows = await self._connection.execute(
            select(ledger).where(ledger.c.id > after).order_by(ledger.c.id.desc()).limit(limit)
        )
        return [Entry(row.id, row.at, row.kind, row.subject, row.facts) for row in rows]


@lru_cache(maxsize=4)
def _count(since: bool, of_one: bool) -> Select[int]:
    statement = select(func.count()).where(ledger.c.kind == bindparam("kind"))
    if since:
        statement = statement.where(ledger.c.at >= bindparam("since"))
    if of_one:
        statement = statement.where(ledger.c.subject == bindparam("subject"))
    return statement
