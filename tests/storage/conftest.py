"""The same tests on SQLite and on a real PostgreSQL; neither is ever skipped."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.db import Database
from tests.postgres import empty


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
