"""The disk is full or read-only: WeCom posts again, the log stays small, work resumes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.clock import SystemClock
from bot.console.health import Health
from bot.errors import DatabaseFailed
from bot.front import application_of, listening
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.storage.notices import NoticeWriter
from bot.workers.loop import run_for_ever
from tests.make import notice
from tests.waiting import until

_ROOM = 1_000_000  # pages


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite:///{tmp_path / 'a.db'}", durable=False)
    await upgrade(opened)
    yield opened
    await opened.close()


async def pages(database: Database, most: int) -> None:
    """Let the file have at most so many pages: SQLite itself then says that the disk is full."""
    async with database.begin() as tx:
        await tx.connection.execute(text(f"PRAGMA max_page_count = {most}"))


async def fill(database: Database) -> None:
    async with database.begin() as tx:
        used = (await tx.connection.execute(text("PRAGMA page_count"))).scalar_one()
    await pages(database, used)
    filler = [notice(f"filler{number}", body="x" * 3000) for number in range(40)]
    with pytest.raises(DatabaseFailed) as failed:
        async with database.begin() as tx:
            await tx.inbox.add_notices(filler, SystemClock().now())
    assert failed.value.reason == "full"


class Door:
    """Stores each request's body as a notice, as the callback endpoint does."""

    def __init__(self, database: Database) -> None:
        self._writer = NoticeWriter(database, SystemClock())

    def routes(self, base_path: str) -> list[web.RouteDef]:
        return [web.post("/", self._receive), web.post("/bug", self._fail)]

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.text()
        await self._writer.add(notice(body[:60], body=body))
        return web.Response()

    async def _fail(self, request: web.Request) -> web.Response:
        raise RuntimeError("a bug")


async def test_a_callback_is_refused_while_the_disk_is_full_and_taken_when_there_is_space(
    database: Database,
) -> None:
    application = application_of(Door(database), Health(database, SystemClock()))  # type: ignore[arg-type]
    async with (
        listening(application, "127.0.0.1", 0) as address,
        aiohttp.ClientSession() as session,
    ):

        async def post(body: str, path: str = "/") -> int:
            async with session.post(address + path, data=body) as answer:
                return answer.status

        assert await post("before") == 200
        await fill(database)
        with capture_logs() as logs:
            refused = [await post(f"{number} " + "y" * 50_000) for number in range(30)]
            assert await post("", "/bug") == 500
        assert set(refused) == {503}
        assert len(logs) == 2, "one line for the disk, one for the bug"
        async with session.get(f"{address}/readyz") as answer:
            assert answer.status == 200, "what is there can still be read and sent"
        await pages(database, _ROOM)
        assert await post("after " + "y" * 50_000) == 200


class Writer:
    """Writes something large in each step."""

    watches = ("notices",)

    def __init__(self, database: Database) -> None:
        self._database = database
        self.steps = 0
        self.done = 0

    async def step(self) -> int:
        self.steps += 1
        now = SystemClock().now()
        async with self._database.begin() as tx:
            for item in await tx.inbox.claim_notices(now):
                await tx.inbox.finish_notice(item)
            big = text("INSERT INTO switches VALUES (:name, 0, :by)")
            await tx.connection.execute(big, {"name": f"s{self.steps}", "by": "z" * 200_000})
        self.done += 1
        return 0


async def test_a_worker_on_a_full_disk_neither_spins_nor_fills_the_log_and_then_goes_on(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice("a")], SystemClock().now())
    await fill(database)
    worker, stopping = Writer(database), asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(
            run_for_ever([worker], database, SystemClock(), stopping, drain_s=0)
        )
        await until(lambda: worker.steps == 2, within_s=10)
        assert [line["event"] for line in logs] == ["database_failed"]
        await pages(database, _ROOM)
        await until(lambda: worker.done > 0, within_s=10)
        stopping.set()
        await running
    assert worker.steps <= 5
    assert [line["event"] for line in logs][:2] == ["database_failed", "worker_recovered"]


async def test_a_file_that_has_become_read_only_is_told_as_such(database: Database) -> None:
    async with database.begin() as tx:
        await tx.connection.execute(text("PRAGMA query_only = 1"))
    with pytest.raises(DatabaseFailed) as failed:
        async with database.begin() as tx:
            await tx.inbox.add_notices([notice("a")], SystemClock().now())
    assert failed.value.reason == "read_only"
