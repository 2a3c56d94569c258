"""SQLite's one writing connection, for statements that are each a transaction by themselves."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.failures import failure_of_sqlite
from bot.storage.sqlite import Connection


class Alone:
    """Runs a statement in one trip to SQLite's thread, past SQLAlchemy, which takes five times it.

    Whoever writes by SQLAlchemy takes his ``turn``: by itself, a pool of one connection lets a busy
    worker take it again before those who wait. A statement alone waits for one turn only, however
    many stand in the queue, for WeCom is waiting; after it the queue goes on.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._queue = asyncio.Lock()
        self._busy = asyncio.Lock()
        self._engine = engine
        self._connection: Connection | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait in the queue for the connection, and have it to oneself."""
        async with self._queue, self._busy:
            yield

    async def run(self, statement: str, values: tuple[Any, ...]) -> int:
        """Run and commit; return how many rows changed. Raise ``DatabaseFailed``."""
        async with self._busy:
            connection = self._connection or await self._find()
            try:
                return await connection.alone(statement, values)
            except (sqlite3.Error, ValueError) as error:  # the latter where it was closed
                self._connection = None
                raise failure_of_sqlite(error) or error from error

    async def _find(self) -> Connection:
        """Ask SQLAlchemy for the connection; it stays the same until it is lost."""
        async with self._engine.connect() as wrapped:
            raw = await wrapped.get_raw_connection()
            found = raw.driver_connection
        if not isinstance(found, Connection):
            raise TypeError("the writer is not an SQLite connection of ours")
        self._connection = found
        return found
