"""Databases that several processes share, each opened as a process of its own opens it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from bot.clock import SystemClock
from bot.storage.db import Database
from tests.journeys.conftest import workspace as workspace

Open = Callable[[], Awaitable[Database]]


@pytest.fixture
async def another(shared_url: str) -> AsyncIterator[Open]:
    """Give what opens the shared PostgreSQL once more."""
    async with AsyncExitStack() as stack:

        async def open_one() -> Database:
            database = await Database.open(shared_url)
            stack.push_async_callback(database.close)
            return database

        yield open_one


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()
