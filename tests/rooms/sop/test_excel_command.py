"""``zhilin sop export``, ``import`` and ``show`` as people run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.domain.script import content_hash
from bot.errors import ContentError
from tests.domain.builders import script_of, starter_text

SENIOR = "senior-21d.sop.yaml"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["sop", *map(str, words)])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "sop" / SENIOR
    path.parent.mkdir()
    path.write_text(starter_text(SENIOR), encoding="utf-8")
    return path


@pytest.fixture
def book(source: Path) -> Path:
    book = source.parent.parent / "剧本.xlsx"
    ran = run("export", source, "--out", book)
    assert ran.exit_code == 0, ran.output
    assert "剧本 1 个，步骤 17 个" in ran.output
    return book


def say_other_words(book: Path) -> None:
    read = load_workbook(book)
    sheet = read["步骤"]
    column = next(cell.column for cell in sheet[1] if cell.value == "正文")
    sheet.cell(3, column).value = "今天说说小规矩。"
    read.save(book)


def test_an_unchanged_script_is_left_alone_with_its_comments(book: Path, source: Path) -> None:
    ran = run("import", book, "--out", source.parent)
    assert ran.exit_code == 0, ran.output
    assert "没有变化" in ran.output
    assert source.read_text("utf-8") == starter_text(SENIOR)


def test_another_script_is_replaced_only_by_force(book: Path, source: Path) -> None:
    say_other_words(book)
    ran = run("import", book, "--out", source.parent)
    assert ran.exit_code == 1
    assert "--force" in ran.output
    remarks = sum("#" in line for line in starter_text(SENIOR).splitlines())
    assert f"里面的 {remarks} 处备注会没有" in ran.output
    assert source.read_text("utf-8") == starter_text(SENIOR)

    ran = run("import", book, "--out", source.parent, "--force", "--json")
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.output) == [
        {"script": "senior-21d", "file": str(source), "done": "replaced"}
    ]
    changed = script_of(source.read_text("utf-8"))
    assert changed.steps[1].body == "今天说说小规矩。"
    assert content_hash(changed) != content_hash(script_of(starter_text(SENIOR)))
    assert run("check", source).exit_code == 0


def test_a_file_may_be_named(book: Path, tmp_path: Path) -> None:
    target = tmp_path / "other" / "neu.sop.yaml"
    assert run("import", book, "--out", target).exit_code == 0
    assert content_hash(script_of(target.read_text("utf-8"))) == content_hash(
        script_of(starter_text(SENIOR))
    )
    assert run("import", book).exit_code == 0
    assert (book.parent / SENIOR).is_file()


def test_what_cannot_be_read_writes_nothing(source: Path, tmp_path: Path) -> None:
    assert run("import", tmp_path / "gone.xlsx").exit_code == 1
    assert run("import", source).exit_code == 1
    assert run("export", source, "--out", tmp_path / "a.xls").exit_code == 1
    source.write_text(starter_text(SENIOR).replace("类型: 反诈", "类型: 反炸"), encoding="utf-8")
    ran = run("export", source, "--out", tmp_path / "a.xlsx")
    assert isinstance(ran.exception, ContentError)
    assert "是不是想写：反诈" in str(ran.exception)
    assert not (tmp_path / "a.xlsx").exists()


def test_a_picture_is_drawn(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "wall.html"
    ran = run("show", source, "--out", target)
    assert ran.exit_code == 0, ran.output
    assert "银龄安心群" in target.read_text("utf-8")
    assert run("show", source, "--out", tmp_path / "wall.pdf").exit_code == 1


def test_scripts_of_a_workspace_are_found_by_their_id(
    book: Path, source: Path, tmp_path: Path
) -> None:
    """As in every other command: -C says where, the script's id says which."""
    home = source.parent.parent
    (home / "config.toml").write_text("", encoding="utf-8")
    other, page = tmp_path / "again.xlsx", tmp_path / "senior.html"
    assert run("export", "senior-21d", "--out", other, "-C", home).exit_code == 0
    ran = run("show", "senior-21d", "--out", page, "-C", home)
    assert ran.exit_code == 0, ran.output
    assert "银龄安心群" in page.read_text("utf-8")
    source.unlink()
    moved = home / "elsewhere" / "剧本.xlsx"
    moved.parent.mkdir()
    moved.write_bytes(other.read_bytes())
    assert run("import", moved, "-C", home).exit_code == 0
    assert source.is_file()
