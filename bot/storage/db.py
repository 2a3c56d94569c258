"""One database behind one door: ``begin()`` writes, ``read()`` reads; each is one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from asyncpg import PostgresError
from sqlalchemy import event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import ConfigError
from bot.storage import sqlite, tables, work
from bot.storage.conversations import Conversations
from bot.storage.drafts import Drafts
from bot.storage.inbox import Inbox
from bot.storage.leads import Leads
from bot.storage.ledger import Ledger
from bot.storage.outbox import Outbox
from bot.storage.people import People
from bot.storage.quota import Quota
from bot.storage.runs import Runs
from bot.storage.scripts import Scripts
from bot.storage.takeover import Ownership, release

WORK_TABLES = (
    tables.notices,
    tables.events,
    tables.outbox,
    tables.enrolments,
    tables.send_tasks,
    tables.groups,
    tables.leads,
)


_CHANGED = "zhilin.changed"


class Tx:
    """One transaction with every store in it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.inbox = Inbox(connection)
        self.outbox = Outbox(connection)
        self.scripts = Scripts(connection)
        self.runs = Runs(connection)
        self.people = People(connection)
        self.leads = Leads(connection)
        self.drafts = Drafts(connection)
        self.conversations = Conversations(connection)
        self.quota = Quota(connection)
        self.ledger = Ledger(connection)

    async def due(self) -> dict[str, datetime]:
        """Return for each table with work when its next piece falls due."""
        row = (await self.connection.execute(work.due_statement(WORK_TABLES))).one()
        return {name: moment for name, moment in row._mapping.items() if moment is not None}

    async def next_due(self, names: Iterable[str] | None = None) -> datetime | None:
        """Return the moment at which the next piece of work falls due, in the named tables."""
        due = await self.due()
        wanted = due if names is None else due.keys() & set(names)
        return min((due[name] for name in wanted), default=None)


class Database:
    """SQLite when embedded, PostgreSQL when one machine is outgrown; the same code on both."""

    def __init__(
        self, writer: AsyncEngine, reader: AsyncEngine, ownership: Ownership | None = None
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._ownership = ownership
        event.listen(writer.sync_engine, "after_cursor_execute", _note_change)
        self._listeners: list[asyncio.Event] = []

    @classmethod
    async def open(cls, url: str, *, durable: bool = True) -> Database:
        """Connect; raise ``ConfigError`` in one sentence where that fails.

        ``durable=False`` lets SQLite skip waiting for the disk: for stories that end with the
        process, never for a bank.
        """
        parsed = _normal(url)
        if parsed.get_backend_name() == "sqlite":
            database = cls._open_sqlite(parsed, durable=durable)
            await database.look()
            return database
        engine = create_async_engine(parsed, pool_size=10, max_overflow=10)
        try:
            async with engine.connect():
                pass
        except (OSError, SQLAlchemyError, PostgresError) as error:
            await engine.dispose()
            raise ConfigError(
                f"连不上数据库 {parsed.render_as_string()}:{error.__class__.__name__}。"
                "请检查 [database] url 和网络。"
            ) from error
        return cls(engine, engine)

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
    def _open_sqlite(cls, url: URL, *, durable: bool) -> Database:
        folder = Path(url.database or "").parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ConfigError(
                f"数据目录 {folder} 不能写入。请换一个目录([database] url),或改好它的权限。"
            ) from error
        writer = _sqlite_engine(url, connections=1, begin="BEGIN IMMEDIATE", durable=durable)
        reader = _sqlite_engine(url, connections=4, begin="BEGIN", durable=durable)
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
            return await release(tx.connection, now)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """Open a writing transaction; it commits at the end, or rolls back on an exception."""
        async with self._writer.begin() as connection:
            connection.info.pop(_CHANGED, None)
            yield Tx(connection)
            changed = connection.info.pop(_CHANGED, False)
        if changed:
            for listener in self._listeners:
                listener.set()

    def listen(self) -> asyncio.Event:
        """Return an event that is set after every commit of this process that changed a row."""
        listener = asyncio.Event()
        self._listeners.append(listener)
        return listener

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """Open a reading transaction on a connection that never waits for the writer."""
        async with self._reader.connect() as connection:
            yield Tx(connection)

    async def ready(self) -> bool:
        """Tell whether the database answers."""
        try:
            async with self.read() as tx:
                await tx.next_due()
        except (SQLAlchemyError, OSError):
            return False
        return True

    @property
    def engine(self) -> AsyncEngine:
        """Return the writing engine, for migrations."""
        return self._writer

    async def close(self) -> None:
        """Close every connection."""
        if self._ownership is not None:
            self._ownership.give_up()
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


def _note_change(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
) -> None:
    """Remember that this transaction changed something: a claim that got nothing is no news."""
    writes = context.isinsert or context.isupdate or context.isdelete
    if writes and cursor.rowcount != 0:
        connection.info[_CHANGED] = True


def _normal(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except Exception as error:
        raise ConfigError(
            "数据库地址看不懂。请写成 sqlite:///data/zhilin.db 或 postgresql://用户@主机/库名。"
        ) from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    if backend not in drivers:
        raise ConfigError(f"不支持 {backend} 数据库。请用 sqlite 或 postgresql。")
    return parsed.set(drivername=drivers[backend])


def _sqlite_engine(url: URL, *, connections: int, begin: str, durable: bool) -> AsyncEngine:
    async def connect() -> sqlite.Connection:
        return await sqlite.Connection(url.database or "", durable=durable).open()

    engine = create_async_engine(
        url, async_creator=connect, pool_size=connections, max_overflow=0, pool_timeout=60
    )

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.connection.driver_connection.begin(begin)

    return engine
