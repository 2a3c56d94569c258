"""Leases: what only one process may do at a time; whoever holds one renews it or loses it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.insert import insert_new
from bot.storage.tables import leases


class Leases:
    """Rows with a holder and an end; a lease whose end has passed belongs to whoever takes it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, name: str, holder: str, now: datetime, span: timedelta) -> bool:
        """Take a lease, or renew one's own; False where somebody else holds it."""
        row = {"name": name, "holder": holder, "until": now + span}
        mine_or_over = or_(leases.c.holder == holder, leases.c.until <= now)
        result = await self._connection.execute(
            update(leases)
            .where(leases.c.name == name, mine_or_over)
            .values(holder=holder, until=now + span)
        )
        return bool(result.rowcount) or bool(await insert_new(self._connection, leases, [row]))

    async def holder(self, name: str, now: datetime) -> str:
        """Return who holds a lease now; empty where nobody does."""
        statement = select(leases.c.holder).where(leases.c.name == name, leases.c.until > now)
        return (await self._connection.execute(statement)).scalar_one_or_none() or ""

    async def release(self, name: str, holder: str) -> None:
        """Give a lease up, so that another need not wait for its end."""
        await self._connection.execute(
            delete(leases).where(leases.c.name == name, leases.c.holder == holder)
        )

    async def clear(self) -> None:
        """End every lease: for a process that knows it is the only one."""
        await self._connection.execute(delete(leases))
