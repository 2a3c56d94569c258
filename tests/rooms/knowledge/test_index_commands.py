"""``zhilin knowledge index`` and ``status``: what they say, for people and for programs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.workspace import create_workspace

_SETTINGS = '\n[embedding]\nmodel = "use-m3"\n'


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, one_model: None) -> Path:
    folder = tmp_path_factory.mktemp("bank") / "bank"
    create_workspace(folder)
    config = folder / "config.toml"
    config.write_text(config.read_text("utf-8") + _SETTINGS, "utf-8")
    return folder


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_index_is_built_once_and_its_standing_told(bank: Path) -> None:
    place = ("-C", str(bank))
    before = json.loads(run("knowledge", "status", "--json", *place))
    assert before["built"] == {}
    assert before["waiting"] == {"use-m3": before["passages"]}
    assert (before["model"], before["dimensions"], before["second"]) == ("use-m3", 512, "")
    assert "还没建过" in run("knowledge", "status", *place)

    done = json.loads(run("knowledge", "index", "--json", *place))
    assert done["embedded"] == done["passages"] == before["passages"]
    again = run("knowledge", "index", *place)
    assert f"{done['passages']} 段；新加 0 段，去掉 0 段" in again

    after = json.loads(run("knowledge", "status", "--json", *place))
    assert after["waiting"] == {"use-m3": 0}
    assert after["built"]["answers_by"] == "use-m3"
    told = run("knowledge", "status", *place)
    assert "没有，都算好了" in told
    assert "use-m3(512 维)" in told
