"""SQLite under SQLAlchemy in one thread hop a statement; through aiosqlite alone it takes four.

In place, where nobody waits for a disk, it takes none.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

import aiosqlite

_STATEMENTS_KEPT = 512  # compiled by SQLite; the bot has about two hundred different ones
_BUSY_MS = 15_000
_CHECKPOINT_PAGES = 8000  # 32 MB: pages that change in every transaction are copied less often
_RETRY_S = 0.01
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

    def __init__(self, path: str, *, durable: bool, cache_kib: int) -> None:
        super().__init__(lambda: _connect(path, durable=durable, cache_kib=cache_kib), _CHUNK)
        self._thread.daemon = True
        self._begin = ""
        self._begun = False

    async def open(self) -> Self:
        """Connect; where that fails, return only once the thread has ended too.

        A thread that outlives the loop would answer it after it was closed.
        """
        try:
            await self
        except BaseException:
            await asyncio.to_thread(self._thread.join)
            raise
        return self

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

    async def alone(self, operation: str, parameters: Sequence[Any]) -> int:
        """Run a statement as a transaction of its own; return how many rows it changed.

        Nobody else may have a transaction open on this connection.
        """
        changed: int = await self._execute(_alone, self._conn, operation, parameters)  # type: ignore[no-untyped-call]
        return changed

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


class InPlace(Connection):
    """An SQLite connection without a thread: the loop stands still while a statement runs.

    For what ends with the process and has its file to itself. A statement is then over sooner than
    a thread could be woken; but with a disk to wait for, or another writer, everybody would wait.
    """

    async def open(self) -> Self:
        """Connect."""
        self._connection = self._connector()
        return self

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is None:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)

    async def rollback(self) -> None:
        """Take back what was not committed."""
        self._begin = ""
        if self._begun:
            with suppress(sqlite3.Error):  # then the next BEGIN says so
                self._conn.rollback()
            self._begun = False

    def stop(self) -> None:
        """Close at once; there is no thread to be told."""
        connection, self._connection = self._connection, None
        self._running = False
        if connection is not None:
            connection.close()


def _alone(connection: sqlite3.Connection, operation: str, parameters: Sequence[Any]) -> int:
    if connection.in_transaction:  # left open where a rollback failed: it would never be committed
        connection.rollback()
    cursor = connection.execute(operation, parameters)
    changed = cursor.rowcount
    cursor.close()
    return changed


def _connect(path: str, *, durable: bool, cache_kib: int) -> sqlite3.Connection:
    # No isolation level: the driver must not open transactions by itself.
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=_STATEMENTS_KEPT)
    try:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        _write_ahead(connection)
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        connection.execute(f"PRAGMA cache_size=-{cache_kib}")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; SQLite does not wait for a lock by itself while it does."""
    deadline = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)  # in the connection's own thread
        else:
            return


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
        # Of a statement that begins with WITH, the driver never counts what it changed.
        changed = len(rows) if cursor.description else cursor.rowcount
        return cursor.description, changed, cursor.lastrowid, rows
    finally:
        cursor.close()
