"""What a process tells of itself, and what it says when the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.clock import SystemClock
from bot.console.health import Health
from bot.front import application_of, listening
from bot.storage.db import Database
from bot.storage.takeover import network_file_system
from tests.make import NOON, SECOND, answer_terms, notice, reply
from tests.processes.conftest import Open


class Asked:
    """What /readyz and /healthz answer."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def ready(self) -> tuple[int, dict[str, object]]:
        async with self._session.get(f"{self._address}/readyz") as answer:
            return answer.status, await answer.json()

    async def alive(self) -> int:
        async with self._session.get(f"{self._address}/healthz") as answer:
            return answer.status


@asynccontextmanager
async def asked(health: Health) -> AsyncIterator[Asked]:
    application = application_of(None, health)
    async with (
        listening(application, "127.0.0.1", 0) as address,
        aiohttp.ClientSession() as session,
    ):
        yield Asked(session, address)


async def test_readiness_tells_role_backlog_and_the_last_send(
    another: Open, clock: SystemClock
) -> None:
    database, stopping = await another(), asyncio.Event()
    async with asked(Health(database, clock, "workers", stopping)) as process:
        status, told = await process.ready()
        assert status == 200
        assert (told["role"], told["database"]) == ("workers", "postgresql")
        assert (told["backlog_seconds"], told["last_sent_at"]) == (0.0, None)
        async with database.begin() as tx:
            await tx.outbox.put("k", reply(), answer_terms(), NOON)
            (row,) = await tx.outbox.claim(NOON + SECOND, urgent=True)
            await tx.outbox.settle(row.id, row.attempt, "sent", NOON + SECOND)
            late = clock.now() - timedelta(minutes=10)
            await tx.inbox.add_notices([notice("a")], late)
        _, told = await process.ready()
        assert 600 <= float(str(told["backlog_seconds"])) < 660
        assert told["last_sent_at"] == "2026-10-12T04:00:01+00:00"
        stopping.set()
        status, told = await process.ready()
        assert (status, told["status"]) == (503, "stopping")
        assert await process.alive() == 200


async def test_a_process_whose_database_is_away_is_alive_and_not_ready(
    shared_url: str, clock: SystemClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await Database.open(shared_url)

    def refused(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    try:
        async with asked(Health(database, clock, "web")) as process:
            assert (await process.ready())[0] == 200
            await database.engine.dispose()
            monkeypatch.setattr("asyncpg.connect", refused)
            status, told = await process.ready()
            assert (status, told["reason"]) == (503, "database_unreachable")
            assert await process.alive() == 200
            monkeypatch.undo()
            assert (await process.ready())[0] == 200
    finally:
        await database.close()


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
nas:/bank /srv/bank\\040data nfs4 rw 0 0
/dev/sdb1 /srv/bank\\040data/local xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/bank data/zhilin", "nfs4"),
        ("/srv/bank data/local/zhilin", ""),
        ("/srv/bank", ""),
    ],
)
def test_a_network_file_system_is_known_by_its_mount(tmp_path: Path, path: str, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS, "utf-8")
    assert network_file_system(Path(path), mounts) == kind
    assert network_file_system(Path(path), tmp_path / "no such file") == ""


async def test_a_database_on_a_network_file_system_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.storage.db.network_file_system", lambda folder: "nfs4")
    with capture_logs() as logs:
        await (await Database.open(f"sqlite:///{tmp_path / 'a.db'}")).close()
    assert [line["event"] for line in logs] == ["database_on_network_file_system"]
    assert "PostgreSQL" in logs[0]["mend"]
