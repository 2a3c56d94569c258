"""What a command that was written wrongly says, as people run it."""

from __future__ import annotations

import sys

import pytest

from bot.cli import main


def said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[object, str, str]:
    monkeypatch.setattr(sys, "argv", ["zhilin", *words])
    with pytest.raises(SystemExit) as left:
        main()
    out, err = capsys.readouterr()
    return left.value.code, out, err


@pytest.mark.parametrize(
    ("words", "told", "command"),
    [
        ("sop publish senior-21d --percent 120", "--percent：最大写 99。", "sop publish"),
        ("sop simulate senior-21d --groups 0", "--groups：最小写 1。", "sop simulate"),
        ("sop simulate senior-21d --seed x", "--seed：要写整数。", "sop simulate"),
        ("sop simulate", "少写了 FILE。", "sop simulate"),
        ("sop simulate senior-21d", "少写了 --start。", "sop simulate"),
        ("sop simulate --grups 3", "没有 --grups 这个选项，是不是 --groups？", "sop simulate"),
        ("sop frob", "没有 frob 这条命令。", "sop"),
        ("check a b", "多写了 a b。", "check"),
        (
            "sop simulate dormant-3waves --start 2026-10-12 --groups 5",
            "的对象是客户，用不上它：要多少个写 --customers 5。",
            "sop simulate",
        ),
        (
            "sop simulate senior-21d --start 2026-10-12 --customers 7",
            "的对象是客户群，用不上它：要多少个写 --groups 7。",
            "sop simulate",
        ),
    ],
)
def test_a_slip_is_said_in_chinese_with_the_way_to_help(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    told: str,
    command: str,
) -> None:
    code, out, err = said(monkeypatch, capsys, *words.split())
    assert (code, out) == (2, "")
    first, second = err.strip().splitlines()
    assert first.endswith(told)
    assert second == f"怎么写：zhilin {command} --help"


def test_a_group_of_commands_alone_gives_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(monkeypatch, capsys, "sop")
    assert code == 2
    assert "simulate" in err
    assert "怎么写：" not in err


def test_what_went_well_ends_with_nought(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(monkeypatch, capsys, "--version")
    assert code == 0
    assert out.startswith("zhilin ")
