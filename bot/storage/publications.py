"""Versions that only a part of the subjects runs yet."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.pilot import Pilot
from bot.storage.bulk import among
from bot.storage.insert import insert_new
from bot.storage.tables import groups, publications

_FIELDS = tuple(Pilot.model_fields)


class Publications:
    """Pilots: one of each script at most."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def all(self) -> dict[str, Pilot]:
        """Return every pilot by its script."""
        rows = await self._connection.execute(
            select(*(publications.c[name] for name in _FIELDS)).order_by(publications.c.script)
        )
        return {row.script: Pilot.model_validate(dict(row._mapping)) for row in rows}

    async def put(self, pilot: Pilot) -> None:
        """Begin, widen or renew a pilot."""
        row = pilot.model_dump() | {"groups": list(pilot.groups)}
        if not await insert_new(self._connection, publications, [row]):
            await self._connection.execute(
                update(publications).where(publications.c.script == pilot.script).values(**row)
            )

    async def end(self, script: str) -> bool:
        """End a script's pilot; False where it had none."""
        result = await self._connection.execute(
            delete(publications).where(publications.c.script == script)
        )
        return bool(result.rowcount)

    async def tags_of(self, subjects: Sequence[str]) -> dict[str, frozenset[str]]:
        """Return the tags of those subjects that are groups."""
        rows = await self._connection.execute(
            select(groups.c.id, groups.c.tags).where(among(groups.c.id, self._on_sqlite)),
            {"among": list(subjects)},
        )
        return {row.id: frozenset(row.tags) for row in rows}
