"""How connections are made: SQLite's one writer and its readers, PostgreSQL's pool."""

from __future__ import annotations

import json
import time
from typing import Any

from pydantic_core import from_json
from sqlalchemy import event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import ConfigError
from bot.storage import sqlite

_CONNECT_S = 10.0
_POOL_S = 30.0  # how long a transaction waits for a connection
_IDLE_S = 1.0  # after which a connection is asked whether it still lives
_IDLE_SINCE = "zhilin.idle_since"
# In milliseconds. Transactions are short by rule: what takes longer is stuck, and must not keep
# its locks. Migrations lift these limits for themselves.
_LIMITS = {
    "statement_timeout": "30000",
    "lock_timeout": "10000",
    "idle_in_transaction_session_timeout": "60000",
}


def parse(url: str) -> URL:
    """Return a database's address with its driver; raise ``ConfigError`` in one sentence."""
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


def sqlite_engine(
    url: URL, *, connections: int, begin: str, durable: bool, cache_kib: int, in_place: bool
) -> AsyncEngine:
    """Return an engine over an SQLite file whose transactions open with ``begin``.

    ``cache_kib`` is how much of the file each connection may keep in memory; ``in_place`` is
    without threads.
    """
    file = url.database or ""
    kind = sqlite.InPlace if in_place else sqlite.Connection

    async def connect() -> sqlite.Connection:
        return await kind(file, durable=durable, cache_kib=cache_kib).open()

    engine = create_async_engine(
        url,
        async_creator=connect,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=60,
        json_deserializer=_read_json,
    )

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.connection.driver_connection.begin(begin)

    return engine


def postgres_engine(url: URL, pool: int, name: str) -> AsyncEngine:
    """Return an engine with at most ``pool`` connections; ``name`` is what the server lists."""
    engine = create_async_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=_POOL_S,
        json_deserializer=_read_json,
        connect_args={
            "timeout": _CONNECT_S,
            "server_settings": _LIMITS | {"application_name": f"zhilin {name}"},
        },
    )
    _look_before_use(engine)
    return engine


def lasting_engine(url: URL, name: str) -> AsyncEngine:
    """Return an engine for the one connection that listens, which is meant to lie idle."""
    settings = {"application_name": f"zhilin {name} bell"}
    return create_async_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": _CONNECT_S, "server_settings": settings},
    )


def _read_json(text: str) -> Any:
    """Read a JSON column; what has half a character in it only the slower reader takes."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)


def _look_before_use(engine: AsyncEngine) -> None:
    """Replace a connection that died while it lay idle; asking every time would cost a hop."""

    @event.listens_for(engine.sync_engine, "checkin")
    def on_checkin(connection: Any, record: Any) -> None:
        record.info[_IDLE_SINCE] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def on_checkout(connection: Any, record: Any, proxy: Any) -> None:
        since = record.info.pop(_IDLE_SINCE, None)
        if since is None or time.monotonic() - since < _IDLE_S:
            return
        try:
            engine.sync_engine.dialect.do_ping(connection)
        except Exception as error:
            raise DisconnectionError("the connection died while it lay idle") from error
