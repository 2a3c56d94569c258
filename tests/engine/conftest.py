"""The engine on a database of its own, with the files of the starter around the test's script."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.clock import FakeClock
from bot.storage.db import Database
from bot.workers.content import Snapshot
from bot.workspace import Workspace
from tests.engine.world import World
from tests.make import ZONE
from tests.planner.conftest import snapshot as snapshot
from tests.planner.conftest import workspace as workspace
from tests.storage.conftest import backend as backend
from tests.storage.conftest import database as database
from tests.storage.conftest import url as url

MONDAY = datetime(2026, 10, 12, 8, 0, tzinfo=ZONE)


@pytest.fixture
def world(database: Database, workspace: Workspace, snapshot: Snapshot) -> World:
    return World(database, workspace, snapshot, FakeClock(MONDAY))
