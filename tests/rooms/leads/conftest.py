"""A database with every table, copied: migrating it for each test takes longer than the test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.db import Database, Tx


@pytest.fixture
async def tx(migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Tx]:
    file = shutil.copyfile(migrated_sqlite, tmp_path / "zhilin.db")
    database = await Database.open(f"sqlite:///{file}", durable=False)
    async with database.begin() as opened:
        yield opened
    await database.close()
