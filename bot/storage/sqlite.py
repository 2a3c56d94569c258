"""SQLite under SQLAlchemy in one thread hop a statement; through aiosqlite alone it takes four."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiosqlite

_STATEMENTS_KEPT = 512  # compiled by SQLite; the bot has about two hundred different ones
_CHUNK = 64  # aiosqlite asks for it; our cursor gives all rows at once


class Cursor:
    """What SQLAlchemy's asyncio adapter asks of a cursor: rows come along with the execution."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and keep all of its rows."""
        await self._run(sqlite3.Cursor.execute, operation, parameters)

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each set of parameters."""
        await self._run(sqlite3.Cursor.executemany, operation, parameters)

    async def fetchall(self) -> list[Any]:
        """Return the rows of the last statement."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Forget the rows; SQLite's own cursor was closed when they were read."""
        self._rows = []

    async def _run(self, method: Callable[..., Any], operation: str, parameters: Any) -> None:
        ran = await self._connection.run(method, operation, parameters)
        self.description, self.rowcount, self.lastrowid, self._rows = ran


class Connection(aiosqlite.Connection):
    """An SQLite connection in a thread of its own, asked as seldom as can be.

    A transaction begins together with its first statement, and nobody waits for a rollback: the
    thread's queue keeps the order. Rows are read whole, so there are no streamed results.
    """

    def __init__(self, path: str) -> None:
        super().__init__(lambda: _connect(path), _CHUNK)
        self._thread.daemon = True
        self._begin = ""
        self._begun = False

    def begin(self, statement: str) -> None:
        """Open a transaction by this statement just before the next one."""
        self._begin = statement

    def cursor(self) -> Cursor:  # type: ignore[override]  # aiosqlite's needs a hop to be made
        """Return a cursor; nothing is asked of SQLite yet."""
        return Cursor(self)

    async def run(
        self, method: Callable[..., Any], operation: str, parameters: Any
    ) -> tuple[Any, int, int | None, list[Any]]:
        """Run one statement; return its description, row count, last row id and rows."""
        begin, self._begin = self._begin, ""
        self._begun = self._begun or bool(begin)
        ran: tuple[Any, int, int | None, list[Any]] = await self._execute(  # type: ignore[no-untyped-call]
            _ran, self._conn, begin, method, operation, parameters
        )
        return ran

    async def commit(self) -> None:
        """Return once what was written is on disk."""
        self._begin = ""
        if self._begun:
            await super().commit()
            self._begun = False

    async def rollback(self) -> None:
        """Take back what was not committed; statements that follow come after it."""
        self._begin = ""
        if self._begun:
            # Should it fail, the next BEGIN says so: a transaction cannot begin within another.
            self._tx.put_nowait((None, self._conn.rollback))
            self._begun = False


def _connect(path: str) -> sqlite3.Connection:
    # No isolation level: the driver must not open transactions by itself.
    return sqlite3.connect(path, isolation_level=None, cached_statements=_STATEMENTS_KEPT)


def _ran(
    connection: sqlite3.Connection,
    begin: str,
    method: Callable[..., Any],
    operation: str,
    parameters: Any,
) -> tuple[Any, int, int | None, list[Any]]:
    if begin:
        connection.execute(begin)
    cursor = connection.cursor()
    try:
        method(cursor, operation, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows
    finally:
        cursor.close()
