"""``zhilin sop check`` and ``zhilin sop schema`` as people run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.errors import ConfigError
from bot.workspace import Workspace, copy_workspace, starter_root
from tests.domain.builders import head, step


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return copy_workspace(Workspace(starter_root()), tmp_path / "bank")


def run(workspace: Workspace, *words: str) -> Result:
    return CliRunner().invoke(cli, ["sop", "check", "-C", str(workspace.root), *words])


def test_a_sound_workspace_is_said_to_be_sound_and_notes_do_not_fail_it(
    workspace: Workspace,
) -> None:
    ran = run(workspace)
    assert ran.exit_code == 0, ran.output
    assert "没有问题：剧本" in ran.output
    assert "不改也能发：" in ran.output
    told = json.loads(run(workspace, "--json").output)
    assert told["problems"] == []
    assert {"file", "line", "key", "what", "mend"} == set(told["notes"][0])
    assert set(told["files"]) == {
        path.relative_to(workspace.root).as_posix() for path in workspace.sop.glob("*.sop.yaml")
    }


def test_a_file_that_lies_elsewhere_is_held_against_the_workspace(
    workspace: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "new.sop.yaml"
    tagged = "适用: {群标签含任一: [银龄群]}\n"
    file.write_text(head(id="new") + tagged + "步骤:\n" + step("a", 1), encoding="utf-8")
    ran = run(workspace, str(file))
    assert ran.exit_code == 0, ran.output
    assert "剧本 1 个，步骤 1 个" in ran.output
    file.write_text(file.read_text("utf-8").replace("银龄群", "金领群"), encoding="utf-8")
    ran = run(workspace, str(file), "--json")
    assert ran.exit_code == 1
    (problem,) = json.loads(ran.output)["problems"]
    assert (problem["file"], problem["line"]) == (str(file), 15)
    assert "金领群" in problem["what"]


def test_only_the_named_files_problems_are_told(workspace: Workspace) -> None:
    for name in ("senior-21d", "senior-weekly"):
        path = workspace.sop / f"{name}.sop.yaml"
        path.write_text(path.read_text("utf-8").replace("类型: 反诈", "类型: 反炸", 1), "utf-8")
    assert run(workspace).output.count("反炸") == 2
    ran = run(workspace, str(workspace.sop / "senior-weekly.sop.yaml"))
    assert ran.exit_code == 1
    assert ran.output.count("反炸") == 1
    assert "sop/senior-weekly.sop.yaml:" in ran.output
    assert run(workspace, str(workspace.sop / "dormant-3waves.sop.yaml")).exit_code == 0


def test_an_id_that_another_file_has_too_is_told_of_either_file_alone(
    workspace: Workspace, tmp_path: Path
) -> None:
    first, copy = workspace.sop / "branch-event.sop.yaml", workspace.sop / "zz.sop.yaml"
    copy.write_text(first.read_text("utf-8"), "utf-8")
    for file, other in ((first, copy), (copy, first)):
        ran = run(workspace, str(file))
        assert ran.exit_code == 1
        assert f"在 sop/{other.name} 里也用了" in ran.output
    elsewhere = copy.rename(tmp_path / "newer.sop.yaml")  # to stand for the other, once it is in
    assert run(workspace, str(elsewhere)).exit_code == 0
    assert run(workspace, str(first)).exit_code == 0


def test_the_check_of_everything_tells_the_same_notes(workspace: Workspace) -> None:
    notes = json.loads(run(workspace, "--json").output)["notes"]
    words = ["check", "-C", str(workspace.root)]
    assert json.loads(CliRunner().invoke(cli, [*words, "--json"]).output)["notes"] == notes
    ran = CliRunner().invoke(cli, words)
    assert ran.exit_code == 0, ran.output
    assert f"提醒 {len(notes)} 处，不改也能发：" in ran.output
    assert all(f"{note['file']}:{note['line']}: " in ran.output for note in notes)


def test_what_every_script_stands_on_is_told_with_any_file(workspace: Workspace) -> None:
    path = workspace.sop / "_workspace.yaml"
    path.write_text(path.read_text("utf-8").replace("行长: gu.qinghe", "行长: nobody"), "utf-8")
    ran = run(workspace, str(workspace.sop / "senior-weekly.sop.yaml"))
    assert ran.exit_code == 1
    assert "「nobody」没有登记" in ran.output


def test_a_file_that_is_not_there_is_said(workspace: Workspace) -> None:
    ran = run(workspace, "none.sop.yaml")
    assert ran.exit_code != 0
    assert "没有 none.sop.yaml 这个文件" in str(ran.exception)


def test_the_schema_is_written_or_printed(tmp_path: Path) -> None:
    out = tmp_path / "sop.schema.json"
    ran = CliRunner().invoke(cli, ["sop", "schema", "--out", str(out)])
    assert ran.exit_code == 0
    printed = CliRunner().invoke(cli, ["sop", "schema"]).output
    assert json.loads(printed) == json.loads(out.read_text("utf-8"))
    assert "第几天" in json.loads(printed)["$defs"]["Step"]["properties"]


def test_a_folder_means_the_scripts_in_it(workspace: Workspace, tmp_path: Path) -> None:
    drafts = tmp_path / "drafts"
    drafts.mkdir()
    ran = run(workspace, str(drafts))
    assert ran.exit_code == 1
    assert isinstance(ran.exception, ConfigError)
    assert "里没有剧本" in str(ran.exception)
    for name in ("one", "two"):
        text = head(id=name) + "步骤:\n" + step("a", 1)
        (drafts / f"{name}.sop.yaml").write_text(text, encoding="utf-8")
    told = json.loads(run(workspace, str(drafts), "--json").output)
    assert [Path(file).name for file in told["files"]] == ["one.sop.yaml", "two.sop.yaml"]
    assert told["problems"] == []
