"""The tables of a story's database, made once in a test process and written down again for each."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator

import pytest

from bot.storage.db import Database
from bot.storage.migrate import upgrade
from tests.postgres import migrate


@pytest.fixture(scope="session")
def tables_at_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let a new SQLite file of a bot have in one script what the migrations made of another."""
    file = tmp_path_factory.mktemp("migrated") / "empty.db"
    asyncio.run(migrate(f"sqlite:///{file}"))
    connection = sqlite3.connect(file)
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
