"""Runs of scripts on both databases, with the files of the starter."""

from __future__ import annotations

import shutil
from datetime import datetime

import pytest

from bot.bench.ground import content_of
from bot.clock import FakeClock
from bot.workers.content import Content, Snapshot, read_snapshot
from bot.workspace import Workspace, starter_root
from tests.make import ZONE
from tests.storage.conftest import backend as backend
from tests.storage.conftest import database as database
from tests.storage.conftest import url as url

START = datetime(2026, 10, 12, 0, 0, tzinfo=ZONE)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("files")
    for name in ("sop", "knowledge"):
        shutil.copytree(starter_root() / name, folder / name)
    return Workspace(folder)


@pytest.fixture(scope="session")
def snapshot(workspace: Workspace) -> Snapshot:
    return read_snapshot(workspace, START.date())


@pytest.fixture
def content(workspace: Workspace, snapshot: Snapshot) -> Content:
    return content_of(workspace, snapshot, START)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)
