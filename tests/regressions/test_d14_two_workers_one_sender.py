"""D14: two workers on the same work never send it twice; nobody goes on without the lock."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.messages import CHANNEL_OF
from bot.errors import ConfigError
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.loop import run_until_idle
from bot.workers.outbox import OutboxWorker
from tests.make import NOON, broadcast
from tests.workers.conftest import clock as clock
from tests.workers.conftest import content as content
from tests.workers.conftest import snapshot as snapshot
from tests.workers.line import Line

TASKS = 60


async def test_two_workers_send_each_message_once(
    database: Database, url: str, content: Content, clock: FakeClock
) -> None:
    async with database.begin() as tx:
        for number in range(TASKS):
            await tx.outbox.put(f"k{number}", broadcast(), Terms(purpose="control"), NOON)
    line = Line()
    channels = dict.fromkeys(CHANNEL_OF.values(), line)
    other = await Database.open(url, durable=False)
    try:
        both = [(one, OutboxWorker(one, channels, content, clock)) for one in (database, other)]
        await asyncio.gather(*(run_until_idle([worker], one, clock) for one, worker in both))
    finally:
        await other.close()
    assert sorted(line.sent) == sorted((f"k{number}", False) for number in range(TASKS))


async def test_on_one_file_the_second_process_is_refused_in_a_sentence(
    migrated_sqlite: Path, tmp_path: Path, clock: FakeClock
) -> None:
    file = shutil.copyfile(migrated_sqlite, tmp_path / "a.db")
    first = await Database.open(f"sqlite:///{file}", durable=False)
    second = await Database.open(f"sqlite:///{file}", durable=False)
    try:
        await first.take_over(clock.now())
        with pytest.raises(ConfigError, match="另一个知邻正在用"):
            await second.take_over(clock.now())
    finally:
        await second.close()
        await first.close()
