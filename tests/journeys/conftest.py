"""One workspace for every story, its vectors made once for all of the test processes."""

from __future__ import annotations

import asyncio
import fcntl
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.config import load_settings
from bot.parts import open_index
from bot.workers.content import read_snapshot
from bot.workspace import Workspace, copy_workspace, starter_root
from tests.journeys.town import START, Life, live

_SETTINGS = """

[embedding]
model = "use-m3"
"""


@pytest.fixture(scope="session")
def workspace(
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
    one_model: None,
    tables_at_once: None,
    files_read_once: None,
) -> Workspace:
    """Give the starter with the quickest model and a cache of vectors that is full already."""
    root = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        root = root.parent  # which the processes of one run share
    folder = root / "starter-with-vectors"
    with (root / "starter.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = Path(tempfile.mkdtemp(prefix="starter-in-the-making-", dir=root))
            made = copy_workspace(Workspace(starter_root()), making / "workspace")
            _set(made, folder)
            asyncio.run(_embed(made))
            made.root.rename(folder)
    return Workspace(folder)


def _set(workspace: Workspace, folder: Path) -> None:
    """Add settings; the cache is named in full, so that every copy of the files finds it."""
    text = workspace.config.read_text("utf-8")
    cache = folder / "data" / "vectors.sqlite"
    named = f'store = "memory"\ncache = "{cache}"\n'
    text = text.replace("[knowledge]\n", f"[knowledge]\n{named}")
    assert named in text
    workspace.config.write_text(text + _SETTINGS, "utf-8")


async def _embed(workspace: Workspace) -> None:
    settings = load_settings(
        workspace.config, knowledge={"cache": "data/vectors.sqlite", "store": "memory"}
    )
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings, workspace)
        await index.publish(read_snapshot(workspace, START.date()).documents())


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a small town on the morning of the first day."""
    async with live(workspace) as town:
        yield town
