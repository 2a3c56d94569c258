"""A database with every table, copied: migrating it for each test takes longer than the test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.db import Database, Tx
from tests.postgres import migrate


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("leads") / "empty.db"
    asyncio.run(migrate(f"sqlite:///{file}"))
    return file


@pytest.fixture
async def tx(migrated_file: Path, tmp_path: Path) -> AsyncIterator[Tx]:
    file = tmp_path / "zhilin.db"
    shutil.copyfile(migrated_file, file)
    database = await Database.open(f"sqlite:///{file}", durable=False)
    async with database.begin() as opened:
        yield opened
    await database.close()
