"""One database behind one door: ``begin()`` writes, ``read()`` reads; each is one transaction."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryFile
from typing import Any

from asyncpg import PostgresError
from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.errors import ConfigError, DatabaseFailed
from bot.log import logger
from bot.storage import work
from bot.storage.alone import Alone
from bot.storage.bell import Bell
from bot.storage.engines import lasting_engine, parse, postgres_engine, sqlite_engine
from bot.storage.failures import failure_of
from bot.storage.takeover import Ownership, network_file_system, release
from bot.storage.tx import WORK_TABLES as WORK_TABLES
from bot.storage.tx import Tx as Tx

log = logger(__name__)
_LONGEST_S = 60.0  # a transaction is short by rule; one that hangs must not hang for ever

_WRITERS_CACHE, _READERS_CACHE = 64_000, 20_000  # KiB; the writer goes through every run's rows
_CHANGED = "zhilin.changed"


class Database:
    """SQLite when embedded, PostgreSQL when one machine is outgrown; the same code on both.

    Transactions raise ``DatabaseFailed`` where trying again later is the mend.
    """

    def __init__(
        self,
        writer: AsyncEngine,
        reader: AsyncEngine,
        ownership: Ownership | None = None,
        bell: AsyncEngine | None = None,
    ) -> None:
        self._writer = writer
        self._alone = Alone(writer) if writer.dialect.name == "sqlite" else None
        self._reader = reader
        self._ownership = ownership
        self._listeners: list[asyncio.Event] = []
        self._bell = Bell(bell, self._wake) if bell is not None else None
        self._rings = False
        self.instance = f"{socket.gethostname()[:14]}-{os.getpid()}-{token_hex(2)}"
        self.seen_at: datetime | None = None
        """What the clock showed when somebody last looked for work."""
        event.listen(writer.sync_engine, "after_cursor_execute", _note_change)

    @classmethod
    async def open(
        cls, url: str, *, durable: bool = True, in_place: bool = False, pool: int = 10
    ) -> Database:
        """Connect; raise ``ConfigError`` in one sentence where that fails.

        ``durable=False`` lets SQLite skip waiting for the disk: for stories that end with the
        process, never for a bank. Such a one may also run its statements ``in_place``, where
        nobody else writes to the file. ``pool`` is the most connections to a PostgreSQL.
        """
        parsed = parse(url)
        if parsed.get_backend_name() == "sqlite":
            database = cls._open_sqlite(parsed, durable=durable, in_place=in_place and not durable)
            await database.look()
            return database
        engine = postgres_engine(parsed, pool, str(os.getpid()))
        try:
            async with engine.connect():
                pass
        except (OSError, SQLAlchemyError, PostgresError) as error:
            await engine.dispose()
            raise ConfigError(
                f"连不上数据库 {parsed.render_as_string()}：{error.__class__.__name__}。"
                "请检查 [database] url 和网络。"
            ) from error
        return cls(engine, engine, bell=lasting_engine(parsed, str(os.getpid())))

    async def look(self) -> None:
        """Raise ``ConfigError`` where the file is no database, or cannot be opened."""
        try:
            async with self._reader.connect() as connection:
                await connection.execute(text("SELECT count(*) FROM sqlite_master"))
        except SQLAlchemyError as error:
            await self.close()
            path = self._reader.url.database
            raise ConfigError(
                f"{path} 不是知邻的数据库，或已损坏。请换一个文件([database] url)，或从备份恢复。"
            ) from error

    @classmethod
    def _open_sqlite(cls, url: URL, *, durable: bool, in_place: bool) -> Database:
        folder = Path(url.database or "").parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ConfigError(
                f"数据目录 {folder} 不能写入。请换一个目录([database] url)，或改好它的权限。"
            ) from error
        if kind := network_file_system(folder):
            mend = "SQLite 放在网络盘上会坏：请换成本机磁盘，或把 [database] url 换成 PostgreSQL。"
            log.warning("database_on_network_file_system", folder=str(folder), kind=kind, mend=mend)
        engine = partial(sqlite_engine, url, durable=durable, in_place=in_place)
        writer = engine(connections=1, begin="BEGIN IMMEDIATE", cache_kib=_WRITERS_CACHE)
        reader = engine(connections=4, begin="BEGIN", cache_kib=_READERS_CACHE)
        return cls(writer, reader, Ownership(Path(url.database or "")))

    async def take_over(self, now: datetime) -> int:
        """Become the process that works here; return how many claims of a dead one were freed.

        Raise ``ConfigError`` where another process works on the same SQLite file. PostgreSQL is
        shared by many: there a dead worker's claims run out by themselves.
        """
        if self._ownership is None:
            return 0
        self._ownership.take()
        async with self.begin() as tx:
            await tx.leases.clear()
            return await release(tx.connection, WORK_TABLES, now)

    async def let_go(self, now: datetime) -> int:
        """Make due what this process has in hand and will not finish; return how much it was."""
        async with self.begin() as tx:
            return await release(tx.connection, WORK_TABLES, now, self.instance)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """Open a writing transaction; it commits at the end, or rolls back on an exception."""
        turn = self._alone.turn() if self._alone is not None else nullcontext()
        async with turn, self._connected(self._writer) as connection:
            async with connection.begin():
                connection.info.pop(_CHANGED, None)
                connection.info[work.HOLDER] = self.instance  # each claimed row says whose it is
                yield Tx(connection)
            changed = connection.info.pop(_CHANGED, False)
        if changed:
            self._tell()

    async def run_alone(self, statement: str, values: tuple[Any, ...]) -> None:
        """Run one statement as a transaction, in the driver's own words and in one trip."""
        if self._alone is not None:
            changed = await self._alone.run(statement, values)
        else:
            engine = self._writer.execution_options(isolation_level="AUTOCOMMIT")
            async with self._connected(engine) as connection:
                changed = (await connection.exec_driver_sql(statement, values)).rowcount
        if changed:
            self._tell()

    def _tell(self) -> None:
        self._wake()
        if self._bell is not None and self._rings:
            self._bell.ring()

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(engine.connect())
            except PoolTimeout:
                raise DatabaseFailed("timeout") from None
            except (OSError, TimeoutError, SQLAlchemyError, PostgresError) as error:
                raise failure_of(error) or DatabaseFailed("unreachable") from error
            limit = asyncio.timeout(None if self._ownership else _LONGEST_S)
            try:
                async with limit:
                    yield connection
            except DBAPIError as error:
                failure = failure_of(error)
                if failure is None:
                    raise
                if failure.reason == "read_only" and self._ownership is None:
                    await engine.dispose()  # a new connection finds the server that may write
                raise failure from error
            except TimeoutError as error:
                if limit.expired():
                    raise DatabaseFailed("timeout") from error
                raise

    def listen(self) -> asyncio.Event:
        """Return an event that is set after every commit that changed a row.

        Of this process; after ``share_news`` also of others that ring.
        """
        listener = asyncio.Event()
        self._listeners.append(listener)
        return listener

    def share_news(self, *, ring: bool) -> None:
        """Hear at once what other processes on this PostgreSQL tell; ``ring`` to tell them, too."""
        if self._bell is not None:
            self._rings = ring
            self._bell.hang()

    async def hears(self) -> None:
        """Return once news of other processes is heard; at once where there are none."""
        if self._bell is not None:
            await self._bell.listening.wait()

    def _wake(self) -> None:
        for listener in self._listeners:
            listener.set()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """Open a reading transaction on a connection that never waits for the writer."""
        async with self._connected(self._reader) as connection:
            yield Tx(connection)

    async def ready(self) -> bool:
        """Tell whether the database answers."""
        try:
            async with self.read() as tx:
                await tx.next_due()
        except (DatabaseFailed, SQLAlchemyError, OSError):
            return False
        return True

    @property
    def kind(self) -> str:
        """Return sqlite or postgresql."""
        return self._writer.dialect.name

    @property
    def engine(self) -> AsyncEngine:
        """Return the writing engine, for migrations."""
        return self._writer

    async def close(self) -> None:
        """Close every connection."""
        if self._ownership is not None:
            self._ownership.give_up()
        if self._bell is not None:
            await self._bell.take_down()
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


def _note_change(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> None:
    """Remember that this transaction changed something: a claim that got nothing is no news."""
    writes = context.isinsert or context.isupdate or context.isdelete
    writes = writes or statement.startswith(("INSERT", "UPDATE"))  # of many rows: see bulk
    if writes and cursor.rowcount != 0:
        connection.info[_CHANGED] = True
