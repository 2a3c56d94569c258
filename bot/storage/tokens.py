"""Access tokens, shared by every process."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.insert import insert_new
from bot.storage.tables import tokens

_LEASE = timedelta(seconds=15)  # longer than a call may take


class DatabaseTokens:
    """A token store in the database; a lease makes one process ask WeCom for all of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def read(self, key: str) -> tuple[str, datetime] | None:
        """Return (token, end of its life); None where there is none."""
        async with self._database.read() as tx:
            row = (
                await tx.connection.execute(select(tokens).where(tokens.c.name == key))
            ).one_or_none()
        return None if row is None else (row.token, row.expires_at)

    async def write(self, key: str, token: str, expires_at: datetime) -> None:
        """Store a token in place of the old one."""
        async with self._database.begin() as tx:
            values = {"token": token, "expires_at": expires_at}
            result = await tx.connection.execute(
                update(tokens).where(tokens.c.name == key).values(**values)
            )
            if not result.rowcount:
                await insert_new(tx.connection, tokens, [{"name": key} | values])

    async def claim(self, key: str) -> bool:
        """Become the one who asks WeCom for this token; False while another process does."""
        async with self._database.begin() as tx:
            return await tx.leases.take(
                _lease_of(key), self._database.instance, self._clock.now(), _LEASE
            )

    async def release(self, key: str) -> None:
        """Let another ask."""
        async with self._database.begin() as tx:
            await tx.leases.release(_lease_of(key), self._database.instance)


def _lease_of(key: str) -> str:
    return f"token:{key}"
