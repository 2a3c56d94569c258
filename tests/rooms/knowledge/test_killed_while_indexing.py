"""The power goes while an index is built: what was embedded is not embedded again."""

import asyncio
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

import pytest

from bot.config import load_settings
from bot.index_parts import open_index, read_record
from bot.indexing import standing
from bot.workers.content import read_snapshot
from bot.workspace import Workspace, create_workspace
from tests.ai.openai_server import OpenAiServer, openai_server

pytestmark = pytest.mark.timeout(110)
_BEGUN_WITHIN_S = 60.0
_TODAY = date(2026, 10, 12)
_CONFIG = """
[embedding]
model = "m"
base_url = "{url}"
dimensions = 64
batch = 8
second = ""
"""


def _workspace(folder: Path, url: str) -> Workspace:
    create_workspace(folder)
    config = folder / "config.toml"
    config.write_text(config.read_text("utf-8") + _CONFIG.format(url=url), "utf-8")
    return Workspace(folder)


async def _texts_asked(server: OpenAiServer, at_least: int) -> None:
    last = time.monotonic() + _BEGUN_WITHIN_S
    while sum(len(body["input"]) for body in server.asked) < at_least:
        assert time.monotonic() < last, "the index was not begun"
        await asyncio.sleep(0.01)
    server.fault = "slow"  # the rest has to wait


async def test_a_killed_indexing_goes_on_where_it_was(tmp_path: Path) -> None:
    async with openai_server() as server:
        workspace = await asyncio.to_thread(_workspace, tmp_path / "bank", server.url)
        before = (await standing(load_settings(workspace.config), workspace, _TODAY))["waiting"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "knowledge", "index", "-C", str(workspace.root)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        await _texts_asked(server, 100)
        process.kill()
        await process.wait()
        settings = load_settings(workspace.config)
        left = (await standing(settings, workspace, _TODAY))["waiting"]["m"]
        assert 0 < left < before["m"]
        assert read_record(tmp_path / "bank" / "data" / "index") == {}

        server.asked.clear()
        server.fault = ""
        async with AsyncExitStack() as stack:
            index = await open_index(stack, settings, workspace)
            documents = read_snapshot(workspace, _TODAY).documents()
            done = await index.publish(documents)
            ids = await index.store.ids()
        again = [text for body in server.asked for text in body["input"]]
        assert len(again) == len(set(again)) == left
        assert len(ids) == done.passages
        after = await standing(settings, workspace, _TODAY)
        assert after["waiting"] == {"m": 0}
        assert after["built"]["answers_by"] == "m"
        assert after["built"]["passages"] == done.passages
