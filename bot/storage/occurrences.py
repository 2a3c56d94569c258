"""What happened to customers and in groups, by the moment at which it happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Integer, Update, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.subject import Event, Occurrence
from bot.storage.bulk import among, insert_rows, update_rows
from bot.storage.letters import to_json
from bot.storage.tables import enrolments, occurrences

_COLUMNS = ("key", "subject", "kind", "at", "facts", "arrived_at", "due_at", "attempt")


class Asking(NamedTuple):
    """An event that scripts are still to be asked about, whether it lets its subject in."""

    id: int
    key: str
    subject: str
    kind: str
    at: datetime
    attempt: int


_TAKE = (
    select(*(occurrences.c[name] for name in Asking._fields))
    .where(occurrences.c.due_at <= bindparam("now"))
    .order_by(occurrences.c.due_at, occurrences.c.id)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
)


class Occurrences:
    """Events by a key that no two share: told again, an event changes nothing."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def add(self, rows: Iterable[Occurrence], now: datetime) -> int:
        """Keep events; who waits for one of them looks at once, and scripts are asked for entry.

        Returns how many were new.
        """
        given = [
            (one.key, one.subject, one.kind, one.at, to_json(dict(one.facts)), now, now, 0)
            for one in rows
        ]
        if not given:
            return 0
        new = await insert_rows(self._connection, occurrences, _COLUMNS, given)
        if new:
            await self._wake({row[1] for row in given}, now)
        return new

    async def _wake(self, subjects: Collection[str], now: datetime) -> None:
        """Have runs look at what happened.

        A run that is just being moved on, perhaps to its wait, is locked by who does it: it is
        waited for and then woken, so that no event falls between reading and waiting.
        """
        given = {"among": sorted(subjects), "now": now}
        await self._connection.execute(_woken(self._on_sqlite), given)

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Return which of these events were told before."""
        statement = select(occurrences.c.key).where(among(occurrences.c.key, self._on_sqlite))
        rows = await self._connection.execute(statement, {"among": sorted(keys)})
        return frozenset(rows.scalars())

    async def of_subjects(
        self,
        subjects: Collection[str],
        kinds: Collection[str] | None = None,
        since: datetime | None = None,
    ) -> dict[str, list[Event]]:
        """Return the events of these subjects, oldest first; all kinds where none are named."""
        if not subjects or (kinds is not None and not kinds):
            return {}
        conditions = [among(occurrences.c.subject, self._on_sqlite)]
        if kinds is not None:
            conditions.append(occurrences.c.kind.in_(sorted(kinds)))
        if since is not None:
            conditions.append(occurrences.c.at >= since)
        columns = (occurrences.c.subject, occurrences.c.kind, occurrences.c.at, occurrences.c.key)
        rows = await self._connection.execute(
            select(*columns).where(*conditions).order_by(occurrences.c.at, occurrences.c.id),
            {"among": sorted(subjects)},
        )
        found: dict[str, list[Event]] = {}
        for subject, kind, at, key in rows:
            found.setdefault(subject, []).append(Event(kind, at, key))
        return found

    async def take(self, now: datetime, *, limit: int) -> list[Asking]:
        """Take events that scripts are to be asked about, for as long as this transaction lasts."""
        rows = await self._connection.execute(_TAKE, {"now": now, "at_most": limit})
        return [Asking(*row) for row in rows]

    async def asked(self, ids: Sequence[int]) -> None:
        """Write that scripts were asked about events."""
        rows = [(None, one) for one in ids]
        await update_rows(self._connection, occurrences, ("id",), ("due_at",), rows)

    async def put_off(self, one: Asking, until: datetime | None) -> None:
        """Ask again later about an event that could not be worked on; None: not by itself."""
        rows = [(until, one.attempt + 1, one.id)]
        await update_rows(self._connection, occurrences, ("id",), ("due_at", "attempt"), rows)

    async def since(self, kind: str, first: datetime, after: int, *, limit: int) -> list[Asking]:
        """Return the events of a kind from a moment on, in the order of their numbers."""
        columns = [occurrences.c[name] for name in Asking._fields]
        rows = await self._connection.execute(
            select(*columns)
            .where(occurrences.c.kind == kind, occurrences.c.at >= first, occurrences.c.id > after)
            .order_by(occurrences.c.id)
            .limit(limit)
        )
        return [Asking(*row) for row in rows]


@lru_cache(maxsize=2)
def _woken(on_sqlite: bool) -> Update:
    now = bindparam("now", type_=enrolments.c.due_at.type)
    return (
        update(enrolments)
        .where(
            among(enrolments.c.subject, on_sqlite),
            enrolments.c.state == "running",
            or_(enrolments.c.node != "", enrolments.c.due_at <= now),
        )
        .values(due_at=now)
    )
