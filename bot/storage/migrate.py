"""Brings a database to this version's tables, and tells whether it is there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from bot.storage.db import Database
from bot.storage.tables import metadata

_LOCK = 8_037_001  # any number that nothing else in the database locks


async def upgrade(database: Database) -> None:
    """Apply every change that is missing."""
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade)


async def differences(database: Database) -> list[str]:
    """Return what in the database differs from the tables that the code expects."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_differences)


async def write_revision(database: Database, message: str) -> None:
    """Write the next migration from what differs: for developers, by ``make migration``."""
    await upgrade(database)
    async with database.engine.begin() as connection:
        await connection.run_sync(
            lambda it: command.revision(_config(it), message=message, autogenerate=True)
        )


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # processes that start together take turns
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    command.upgrade(_config(connection), "head")


def _differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": False})
    return [str(item) for item in compare_metadata(context, metadata)]


def _config(connection: Connection) -> Config:
    config = Config()
    folder = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder))
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
