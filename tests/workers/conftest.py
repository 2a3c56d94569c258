"""A database of its own for each test, and the starter's files read once."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.clock import FakeClock
from bot.domain.messages import CHANNEL_OF
from bot.storage.db import Database
from bot.workers.content import Content, Snapshot, read_snapshot, tables_for
from bot.workers.outbox import OutboxWorker
from bot.workspace import Workspace, starter_root
from tests.make import NOON
from tests.workers.line import Line


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
async def database(tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[Database]:
    file = shutil.copyfile(migrated_sqlite, tmp_path / "zhilin.db")
    opened = await Database.open(f"sqlite:///{file}", durable=False)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("files")
    shutil.copytree(starter_root() / "sop", folder / "sop")
    shutil.copytree(starter_root() / "knowledge", folder / "knowledge")
    return read_snapshot(Workspace(folder), NOON.date())


@pytest.fixture
def content(snapshot: Snapshot) -> Content:
    """Give the files without an answerer: what is sent needs none."""

    def none(current: Snapshot) -> Any:
        return None

    return Content(
        workspace=Workspace(Path("/nowhere")),
        snapshot=snapshot,
        answerer=none(snapshot),
        tables=tables_for(NOON.date()),
        make_answerer=none,
    )


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def worker(database: Database, content: Content, clock: FakeClock, line: Line) -> OutboxWorker:
    return OutboxWorker(database, dict.fromkeys(CHANNEL_OF.values(), line), content, clock)
