"""``zhilin ask`` where little is there: no model within reach, nobody at a branch, another day."""

from __future__ import annotations

import re
import socket
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.asking.once import ask_once, files_at
from bot.cli import main
from bot.config import load_settings
from bot.workspace import Workspace, copy_workspace


@pytest.fixture
def own(workspace: Workspace, tmp_path: Path) -> Workspace:
    return copy_workspace(workspace, tmp_path / "own")


def _closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize("second", ["", "use-m3"])
def test_a_model_out_of_reach_is_named_in_words(
    own: Workspace,
    second: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = f"http://127.0.0.1:{_closed_port()}/v1"
    for name, value in {
        "BASE_URL": address,
        "MODEL": "m",
        "DIMENSIONS": "64",
        "SECOND": second,
    }.items():
        monkeypatch.setenv(f"BOT_EMBEDDING__{name}", value)
    monkeypatch.setattr(sys, "argv", ["zhilin", "ask", "存折还能用吗", "-C", str(own.root)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    assert "向量接口没有好好回答" in capsys.readouterr().err


async def test_the_day_is_the_banks_own(own: Workspace) -> None:
    night = datetime(2026, 9, 8, 17, 0, tzinfo=UTC)
    assert files_at(own, night)[1] == date(2026, 9, 9)
    noon = datetime(2026, 9, 8, 4, 0, tzinfo=UTC)
    assert files_at(own, noon)[1] == date(2026, 9, 8)


async def test_it_answers_where_nobody_belongs_to_a_branch(own: Workspace) -> None:
    bank = own.sop / "_workspace.yaml"
    text = bank.read_text("utf-8")
    bank.write_text(re.sub(r"(- \{userid: .*?), 网点: \w+", r"\1", text), "utf-8")
    settings = load_settings(own.config)
    now = datetime(2026, 9, 8, 4, 0, tzinfo=UTC)
    told = await ask_once(settings, own, "存折还能用吗", "kf", lambda done, total: None, now=now)
    assert told["sources"][0]["document"] == "qa-12"
