"""Whatever is broken at once, one list names all of it, each with its file and line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.errors import ConfigError, ContentError
from bot.terminal import the_settings
from bot.workers.content import inspect
from bot.workspace import Workspace, copy_workspace, starter_root

TODAY = date(2026, 10, 12)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return copy_workspace(Workspace(starter_root()), tmp_path / "bank")


def break_file(workspace: Workspace, file: str, old: str, new: str) -> int:
    """Break a file and return the line that is wrong now."""
    path = workspace.root / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_faults_in_five_files_are_all_named_with_their_lines(workspace: Workspace) -> None:
    lines = {
        "sop/_workspace.yaml": break_file(
            workspace, "sop/_workspace.yaml", "网点: b04, 在岗", "网点: b44, 在岗"
        ),
        "sop/senior-21d.sop.yaml": break_file(
            workspace, "sop/senior-21d.sop.yaml", "类型: 服务", "类型: 服物"
        ),
        "knowledge/faq/senior.qa.yaml": break_file(
            workspace, "knowledge/faq/senior.qa.yaml", "编号: qa-07", "编号: qa-06"
        ),
        "sop/personas/xiaoan.persona.yaml": break_file(
            workspace, "sop/personas/xiaoan.persona.yaml", "句子最长字数: 27", "句子最长字数: 很短"
        ),
    }
    config_line = break_file(workspace, "config.toml", "port = 8080", 'port = "web"')
    with pytest.raises(ContentError) as raised:
        the_settings(workspace, TODAY)
    found = {(problem.file, problem.line) for problem in raised.value.problems}
    assert ("config.toml", config_line) in found
    files = {file for file, _ in found}
    assert files >= lines.keys()
    for file in ("sop/_workspace.yaml", "sop/senior-21d.sop.yaml"):
        assert (file, lines[file]) in found
    assert all(problem.what and problem.mend for problem in raised.value.problems)


@pytest.mark.parametrize("file", ["sop/_workspace.yaml", "sop/rules.yaml"])
def test_a_part_that_others_need_hides_no_fault_of_form(workspace: Workspace, file: str) -> None:
    (workspace.root / file).write_text("格式: 别的/9\n", "utf-8")
    break_file(workspace, "knowledge/faq/branch.qa.yaml", "受众: 群可见", "受众: 大家")
    break_file(workspace, "sop/senior-weekly.sop.yaml", "类型: 反诈", "类型: 反炸")
    snapshot, problems = inspect(workspace, TODAY)
    assert snapshot is None
    files = {problem.file for problem in problems}
    assert files >= {file, "knowledge/faq/branch.qa.yaml", "sop/senior-weekly.sop.yaml"}


def test_a_workspace_without_a_persona_is_refused(workspace: Workspace) -> None:
    for path in (workspace.sop / "personas").iterdir():
        path.unlink()
    snapshot, problems = inspect(workspace, TODAY)
    assert snapshot is None
    assert "人设" in problems[0].what


async def test_a_file_that_is_no_database_is_said_in_a_sentence(tmp_path: Path) -> None:
    from bot.storage.db import Database

    path = tmp_path / "junk.db"
    path.write_bytes(b"this is not a database, by any means" * 200)
    with pytest.raises(ConfigError, match="不是知邻的数据库"):
        await Database.open(f"sqlite:///{path}")
