"""Data of customers that the bank's own systems told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.subject import Raw
from bot.storage.bulk import among, insert_rows, update_rows
from bot.storage.letters import to_json
from bot.storage.tables import customers

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # WeCom was never asked for whom the bank named first
_COLUMNS = ("facts", "facts_as_of", "managers", "tags", "seen_at", "id")


class Facts:
    """One set of data for each customer, with the moment as of which it is true."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def of(self, ids: Collection[str]) -> dict[str, dict[str, Raw]]:
        """Return what is known of these customers."""
        rows = await self._connection.execute(
            select(customers.c.id, customers.c.facts).where(among(customers.c.id, self._on_sqlite)),
            {"among": sorted(ids)},
        )
        return {row.id: row.facts for row in rows}

    async def after(self, last: str, *, limit: int) -> list[tuple[str, dict[str, Raw]]]:
        """Return the next customers of whom anything is known, in the order of their ids."""
        rows = await self._connection.execute(
            select(customers.c.id, customers.c.facts)
            .where(customers.c.id > last, cast(customers.c.facts, Text) != "{}")
            .order_by(customers.c.id)
            .limit(limit)
        )
        return [(row.id, row.facts) for row in rows]

    async def put(
        self, rows: Iterable[tuple[str, Mapping[str, Raw | None]]], as_of: datetime
    ) -> int:
        """Merge data of customers into what is known of them; None takes a datum away.

        Of data that are older than what is known only what is not known is taken. Customers whom
        WeCom has not told of yet are kept for when it does. Returns how many customers changed.
        """
        given = {customer: dict(data) for customer, data in rows}
        read = await self._connection.execute(
            select(customers.c.id, customers.c.facts, customers.c.facts_as_of)
            .where(among(customers.c.id, self._on_sqlite))
            .with_for_update(),
            {"among": sorted(given)},
        )
        before = {row.id: (row.facts, row.facts_as_of) for row in read}
        written = []
        for customer, data in given.items():
            facts, known_as_of = before.get(customer, ({}, None))
            older = known_as_of is not None and known_as_of > as_of
            both = {**data, **facts} if older else {**facts, **data}
            merged = {name: datum for name, datum in both.items() if datum is not None}
            if older and merged == facts:
                continue
            moment = known_as_of if older else as_of
            written.append((to_json(merged), moment, "[]", "[]", _LONG_AGO, customer))
        fresh = [row for row in written if row[-1] not in before]
        again = [(row[0], row[1], row[-1]) for row in written if row[-1] in before]
        await insert_rows(self._connection, customers, _COLUMNS, fresh)
        await update_rows(self._connection, customers, ("id",), _COLUMNS[:2], again)
        return len(written)
