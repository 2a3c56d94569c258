"""What keeps the bot from starting is one sentence that says what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from aiohttp import web

from bot.app import assemble, listening
from bot.clock import FakeClock
from bot.config import load_settings
from bot.errors import ConfigError, ContentError
from bot.workspace import Workspace, copy_workspace
from tests.journeys.town import START, edit

WECOM = {
    "corp_id": "ww1",
    "secret": "s",
    "agent_id": 1,
    "callback_token": "t",
    "callback_aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
}


async def start(workspace: Workspace, **tables: dict[str, object]) -> None:
    settings = load_settings(workspace.config, **tables)
    async with assemble(settings, workspace, FakeClock(START)):
        pass


async def refused(workspace: Workspace, **tables: dict[str, object]) -> str:
    with pytest.raises((ConfigError, ContentError)) as caught:
        await start(workspace, **tables)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


async def test_a_missing_secret(workspace: Workspace) -> None:
    sentence = await refused(workspace, wecom=WECOM | {"secret": ""})
    assert "BOT_WECOM__SECRET" in sentence
    assert "BOT_WECOM__CORP_ID" not in sentence


async def test_a_data_folder_that_cannot_be_written(workspace: Workspace, tmp_path: Path) -> None:
    copied = copy_workspace(workspace, tmp_path / "w")
    (copied.root / "data").write_text("in the way")
    assert "不能写入" in await refused(copied, wecom=WECOM)


async def test_a_way_out_of_the_banks_network_that_cannot_be_gone(
    workspace: Workspace, tmp_path: Path
) -> None:
    copied = copy_workspace(workspace, tmp_path / "w")
    assert "http://" in await refused(copied, wecom=WECOM | {"proxy": "bank:3128"})
    assert "ca.pem" in await refused(copied, wecom=WECOM | {"ca_file": "ca.pem"})


async def test_a_taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"端口 {port} 用不了") as caught:
            async with listening(web.Application(), "127.0.0.1", port):
                pass
    assert "BOT_SERVER__PORT" in str(caught.value)


async def test_broken_files_of_every_kind_are_told_in_one_list_and_nothing_is_made(
    workspace: Workspace, tmp_path: Path
) -> None:
    copied = copy_workspace(workspace, tmp_path / "w")
    edit(copied, "sop/senior-21d.sop.yaml", "休息日: 顺延  ", "休息曰: 顺延  ")
    edit(copied, "sop/_workspace.yaml", "时区: Asia/Shanghai", "时区: Mars/Olympus")
    (copied.root / "knowledge" / "faq" / "card.qa.yaml").write_text(
        "格式: qa/1\n问答: 一\n", "utf-8"
    )
    settings = load_settings(copied.config, wecom=WECOM)
    with pytest.raises(ContentError) as caught:
        async with assemble(settings, copied, FakeClock(START)):
            pass
    files = {Path(problem.file).name for problem in caught.value.problems}
    assert "_workspace.yaml" in files
    assert all(problem.line and problem.mend for problem in caught.value.problems)
    assert not (copied.root / "data").exists()
