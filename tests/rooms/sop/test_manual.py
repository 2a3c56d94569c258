"""The manual for ops does not lie: its commands are run, its edits made, its outputs compared."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.cli import main
from tests.domain.builders import ROOT
from tests.rooms.sop.keys_table import BEGINS, ENDS, render

MANUAL = (ROOT / "docs" / "ops-manual.md").read_text(encoding="utf-8")
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL
)
_ADD = re.compile(r"加进 (\S+)，放在 (\S+) 上面")
_CHANGE = re.compile(r"改 (\S+)")
_SKIPPED, _ANYTHING = "……", "…"


class Asked(NamedTuple):
    """A command of the manual with what it is said to print."""

    words: list[str]
    says: list[str]


def blocks() -> Iterator[tuple[str, str, str]]:
    for match in _BLOCK.finditer(MANUAL):
        yield match["kind"], match["mark"] or "", match["text"]


def commands(text: str) -> list[Asked]:
    asked: list[Asked] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            asked.append(Asked(shlex.split(line[2:]), []))
        else:
            asked[-1].says.append(line)
    return asked


def pattern(says: list[str]) -> str:
    """Return the pattern of what is said: …… stands for any lines, … for any words in one."""
    parts = []
    for line in says:
        if line == _SKIPPED:
            parts.append(r"(?:.*\n)*?")
            continue
        words = re.split(r"…", line.rstrip())
        parts.append(r"[^\n]*".join(re.escape(one) for one in words) + r"[^\n]*\n")
    return "".join(parts)


def zhilin(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """Run the program as it is run in a terminal; return all that it prints."""
    monkeypatch.setattr(sys, "argv", ["zhilin", *words])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr()
    return "".join(line.rstrip() + "\n" for line in (printed.out + printed.err).splitlines())


def carry_out(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, *words = asked.words
    if program == "cd":
        monkeypatch.chdir(words[0])
        return
    assert program == "zhilin", asked
    if ">" in words:
        into = words.index(">")
        Path(words[into + 1]).write_text(zhilin(words[:into], monkeypatch, capsys), "utf-8")
        return
    printed = zhilin(words, monkeypatch, capsys)
    assert re.match(pattern(asked.says), printed), f"$ {shlex.join(asked.words)}\n{printed}"


def add(mark: str, text: str) -> None:
    match = _ADD.fullmatch(mark)
    assert match is not None, mark
    path, before = Path(match[1]), f"  - 编号: {match[2]}\n"
    file = path.read_text(encoding="utf-8")
    assert before in file
    path.write_text(file.replace(before, text + before, 1), encoding="utf-8")


def change(mark: str, text: str) -> None:
    match = _CHANGE.fullmatch(mark)
    assert match is not None, mark
    path = Path(match[1])
    file = path.read_text(encoding="utf-8")
    old, new = ([x[1:] for x in text.splitlines() if x[:1] == sign] for sign in "-+")
    assert "\n".join(old) in file
    path.write_text(file.replace("\n".join(old), "\n".join(new), 1), encoding="utf-8")


def test_who_follows_the_manual_sees_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BOT_WORKSPACE", raising=False)
    told = []
    for kind, mark, text in blocks():
        if kind == "console":
            for asked in commands(text):
                carry_out(asked, monkeypatch, capsys)
                told.append(shlex.join(asked.words[1:3]))
        elif kind == "yaml":
            add(mark, text)
        elif kind == "diff":
            change(mark, text)
    step = Path("sop/new-friend-7d.sop.yaml").read_text(encoding="utf-8")
    assert "n7-limit" in step
    assert "绝对安全" not in step
    for command in ("check", "simulate", "approve", "publish", "pause", "withdraw", "export"):
        assert f"sop {command}" in told


def test_the_manual_refuses_before_it_allows() -> None:
    said = [one for kind, _, text in blocks() if kind == "console" for one in commands(text)]
    checks = ["\n".join(one.says) for one in said if one.words[1:3] == ["sop", "check"]]
    assert ["没有问题" in one for one in checks] == [True, False, True]


def test_every_key_is_explained_as_editors_explain_it() -> None:
    table = MANUAL[MANUAL.index(BEGINS) + len(BEGINS) : MANUAL.index(ENDS)]
    assert table.strip() == render().strip(), "python -m tests.rooms.sop.keys_table prints it anew"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+\.md)\)", MANUAL))), ids=str)
def test_the_pages_it_sends_to_are_there(target: str) -> None:
    assert (ROOT / "docs" / target).is_file()
