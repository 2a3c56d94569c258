"""Which arm of an experiment each unit was exposed to first; that never changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.splitting import Exposure
from bot.storage.bulk import among, insert_rows
from bot.storage.tables import assignments

_COLUMNS = (*Exposure._fields, "exposed_at")


class Assignments:
    """Exposed units by experiment."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def of(
        self, experiments: Collection[str], units: Iterable[str]
    ) -> dict[tuple[str, str], str]:
        """Return the arms of these units, by (experiment, unit)."""
        if not experiments:
            return {}
        rows = await self._connection.execute(
            select(assignments.c.experiment, assignments.c.unit, assignments.c.arm).where(
                assignments.c.experiment.in_(sorted(experiments)),
                among(assignments.c.unit, self._on_sqlite),
            ),
            {"among": sorted(set(units))},
        )
        return {(row.experiment, row.unit): row.arm for row in rows}

    async def expose(self, exposures: Collection[Exposure], now: datetime) -> bool:
        """Bind units to the arms whose words they get; False where one is bound to another.

        Then nothing of the transaction may stand: it was thought by what is not so any more.
        """
        rows = [(*each, now) for each in exposures]
        if await insert_rows(self._connection, assignments, _COLUMNS, rows) == len(rows):
            return True
        known = await self.of({e.experiment for e in exposures}, (e.unit for e in exposures))
        return all(known.get((e.experiment, e.unit)) == e.arm for e in exposures)
