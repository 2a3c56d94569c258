"""Access tokens, shared by every process."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from bot.storage.db import Database
from bot.storage.insert import insert_new
from bot.storage.tables import tokens


class DatabaseTokens:
    """A token store in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
