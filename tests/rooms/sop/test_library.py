from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.sop.library import load_bank, load_workspace_files
from tests.domain.builders import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "sop", tmp_path / "sop")
    return tmp_path


def told(root: Path) -> list[str]:
    return [str(problem) for problem in load_workspace_files(root).problems]


def test_the_starter_reads_without_a_problem(root: Path) -> None:
    library = load_workspace_files(root)
    assert library.problems == ()
    assert {"senior-21d", "senior-weekly", "dormant-3waves"} <= set(library.scripts)
    assert library.bank is not None
    assert library.rules is not None
    assert "xiaoan" in library.personas
    assert "bigfont-3steps.png" in library.pictures


def test_problems_of_all_files_come_in_one_sorted_list(root: Path) -> None:
    for name, old, new in (
        ("senior-21d.sop.yaml", "休息日: 顺延", "休息日: 看着办"),
        ("senior-weekly.sop.yaml", "对象: 客户群", "对象: \uff1a"),
        ("_workspace.yaml", "角色: 消保", "角色: 保安"),
        ("rules.yaml", "级别: 拦截", "级别: 算了"),
        ("personas/xiaoan.persona.yaml", "名称: 小安", "名称:"),
    ):
        path = root / "sop" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    library = load_workspace_files(root)
    files = [problem.file for problem in library.problems]
    assert files == sorted(files)
    assert set(files) == {
        "sop/_workspace.yaml",
        "sop/personas/xiaoan.persona.yaml",
        "sop/rules.yaml",
        "sop/senior-21d.sop.yaml",
        "sop/senior-weekly.sop.yaml",
    }
    assert all(problem.line > 0 for problem in library.problems)
    shipped = {path.name.removesuffix(".sop.yaml") for path in (root / "sop").glob("*.sop.yaml")}
    assert set(library.scripts) == shipped - {"senior-21d", "senior-weekly"}
    assert library.bank is None


def test_the_banks_facts_are_read_whatever_is_wrong_elsewhere(root: Path) -> None:
    whole = load_workspace_files(root).bank
    (root / "sop" / "senior-21d.sop.yaml").write_text("格式: [", encoding="utf-8")
    assert load_bank(root) == whole
    (root / "sop" / "_workspace.yaml").write_text("格式: 算了", encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_bank(root)
    assert {problem.file for problem in caught.value.problems} == {"sop/_workspace.yaml"}


def test_missing_files_are_said(tmp_path: Path) -> None:
    assert [line.split(":")[0] for line in told(tmp_path)] == [
        "sop/_workspace.yaml",
        "sop/rules.yaml",
    ]


def test_a_file_that_is_no_script_by_its_name_is_said(root: Path) -> None:
    (root / "sop" / "新剧本.yaml").write_text("a: 1\n", encoding="utf-8")
    assert any("新剧本.yaml" in line and ".sop.yaml" in line for line in told(root))


def test_two_files_with_one_id_are_said(root: Path) -> None:
    shutil.copy(root / "sop" / "senior-21d.sop.yaml", root / "sop" / "zz.sop.yaml")
    shutil.copy(
        root / "sop" / "personas" / "xiaoan.persona.yaml",
        root / "sop" / "personas" / "z.persona.yaml",
    )
    found = told(root)
    persona, first, second = found
    assert "已经用过" in persona
    assert "sop/senior-21d.sop.yaml:4" in first
    assert "在 sop/zz.sop.yaml 里也用了" in first
    assert "sop/zz.sop.yaml:4" in second
    assert "在 sop/senior-21d.sop.yaml 里也用了" in second


def test_a_file_in_another_encoding_is_said(root: Path) -> None:
    (root / "sop" / "gbk.sop.yaml").write_bytes("名称: 银龄".encode("gbk"))
    assert any("gbk.sop.yaml" in line and "UTF-8" in line for line in told(root))
