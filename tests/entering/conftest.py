"""Entry on both databases, with the files of the starter and scripts of the tests' own."""

from __future__ import annotations

import pytest

from bot.clock import FakeClock
from bot.storage.db import Database
from bot.workers.content import Content
from tests.entering.scene import Scene
from tests.planner.conftest import START
from tests.planner.conftest import content as content
from tests.planner.conftest import snapshot as snapshot
from tests.planner.conftest import workspace as workspace
from tests.storage.conftest import backend as backend
from tests.storage.conftest import database as database
from tests.storage.conftest import url as url


@pytest.fixture
def scene(database: Database, content: Content) -> Scene:
    return Scene(database, content, FakeClock(START.replace(hour=8)))
