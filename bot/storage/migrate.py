"""Brings a database to this version's tables, and tells whether it is there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import ConfigError
from bot.storage.db import Database
from bot.storage.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 8_037_001  # any number that nothing else in the database locks
_FOLDER = Path(__file__).with_name("migrations")


async def upgrade(database: Database) -> None:
    """Apply every change that is missing.

    Raise ``ConfigError`` in a sentence where a newer version of the program made changes.
    """
    # Each change is named by its file's number.
    last = max(file.name[:4] for file in (_FOLDER / "versions").glob("[0-9]*.py"))
    found = await _version(database)
    if found == last:
        return  # importing Alembic alone takes longer than all that a web process needs
    if found > last:
        raise ConfigError(
            f"数据库已被更新版本的知邻升级到 {found}，这一版只认识到 {last}。"
            "请换回新版本，或恢复升级之前的备份。"
        )
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade)


async def differences(database: Database) -> list[str]:
    """Return what in the database differs from the tables that the code expects."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_differences)


async def write_revision(database: Database, message: str) -> None:
    """Write the next migration from what differs: for developers, by ``make migration``."""
    from alembic import command

    await upgrade(database)
    async with database.engine.begin() as connection:
        await connection.run_sync(
            lambda it: command.revision(_config(it), message=message, autogenerate=True)
        )


async def _version(database: Database) -> str:
    """Return the last change that was applied; empty for a new database."""
    try:
        async with database.engine.connect() as connection:
            found = await connection.execute(text("SELECT version_num FROM alembic_version"))
            return str(found.scalar_one_or_none() or "")
    except SQLAlchemyError:
        return ""  # a new database has no such table


def _upgrade(connection: Connection) -> None:
    from alembic import command

    if connection.dialect.name == "postgresql":  # processes that start together take turns
        for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    command.upgrade(_config(connection), "head")


def _differences(connection: Connection) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return [str(item) for item in compare_metadata(context, metadata)]


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


async def _main(message: str) -> None:
    with TemporaryDirectory(prefix="zhilin-migration-") as folder:
        database = await Database.open(f"sqlite:///{folder}/empty.db")
        try:
            await write_revision(database, message)
        finally:
            await database.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
