"""The shared contact ledger: which slots of which subject are taken, over rolling windows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.insert import insert_new
from bot.storage.tables import quota


class Quota:
    """Reservations by subject and class; a reservation is given back when nothing was sent."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def reserve(self, subject: str, kind: str, key: str, at: datetime) -> None:
        """Take a slot; taking it again with the same key moves it to its new moment."""
        await self._connection.execute(
            delete(quota).where(quota.c.key == key, quota.c["class"] == kind)
        )
        row = {"subject": subject, "class": kind, "key": key, "at": at}
        await insert_new(self._connection, quota, [row])

    async def release(self, key: str) -> None:
        """Give back what a key reserved."""
        await self._connection.execute(delete(quota).where(quota.c.key == key))

    async def used(
        self, subject: str, kind: str, since: datetime, until: datetime, *, but: str = ""
    ) -> int:
        """Count slots taken in ``[since, until)``, those of the key ``but`` apart."""
        statement = select(func.count()).where(
            quota.c.subject == subject,
            quota.c["class"] == kind,
            quota.c.at >= since,
            quota.c.at < until,
            quota.c.key != but,
        )
        return int((await self._connection.execute(statement)).scalar_one())
