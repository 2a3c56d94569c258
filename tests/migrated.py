"""The tables of SQLite, made once in a test process and written down again for each test."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.workspace import Workspace, copy_workspace, starter_root
from tests.postgres import migrate


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with every table, to be copied: migrating it again takes longer."""
    file = tmp_path_factory.mktemp("migrated") / "empty.db"
    asyncio.run(migrate(f"sqlite:///{file}"))
    return file


@pytest.fixture
def bank_folder(tmp_path: Path, migrated_sqlite: Path) -> Path:
    """Give the starter's files with an empty database where the commands look for it."""
    folder = copy_workspace(Workspace(starter_root()), tmp_path / "bank").root
    file = folder / "data" / "zhilin.db"
    file.parent.mkdir()
    shutil.copyfile(migrated_sqlite, file)
    return folder


@pytest.fixture(scope="session")
def tables_at_once(migrated_sqlite: Path) -> Iterator[None]:
    """Let a new SQLite file of a bot have in one script what the migrations made of another."""
    connection = sqlite3.connect(migrated_sqlite)
    script = "\n".join(connection.iterdump())
    connection.close()

    async def at_once(database: Database) -> None:
        if database.kind == "sqlite" and await _is_new(database):
            async with database.engine.connect() as opened:
                raw = (await opened.get_raw_connection()).driver_connection
                await raw.executescript(script)
        await upgrade(database)  # which finds nothing to do, or what is missing in an older file

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.app.upgrade", at_once)
        yield


async def _is_new(database: Database) -> bool:
    async with database.engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        return bool(found.scalar_one() == 0)
