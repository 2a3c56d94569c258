"""Logs hide what must not be kept."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from bot.log import logger, mask_numbers, set_up_logs


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("身份证11010119550307123X谢谢", "身份证****123X谢谢"),
        ("卡号6222021234567890123。", "卡号****0123。"),
        ("电话13800138000", "电话****8000"),
        ("卡 6222 0212 3456 7890 123", "卡 **** 123"),
        ("138-0013-8000", "****8000"),
        ("取50000元,单号20261012", "取50000元,单号20261012"),
        ("没有数字", "没有数字"),
    ],
)
def test_numbers_of_people_are_hidden(said: str, kept: str) -> None:
    assert mask_numbers(said) == kept


def test_a_line_is_an_event_with_fields_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("INFO", as_json=True)
    log = logger("tests")
    log.debug("not_shown")
    log.info("message_sent", key="k", secret="hush", text="卡号6222021234567890123", count=3)
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["module"], entry["level"]) == ("message_sent", "tests", "info")
    assert (entry["secret"], entry["text"], entry["count"]) == ("***", "卡号****0123", 3)


def test_numbers_inside_lists_and_mappings_are_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("INFO", as_json=True)
    logger("tests").info("seen", words=["卡6222021234567890123"], more={"tel": "13800138000"})
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["words"], entry["more"]) == (["卡****0123"], {"tel": "****8000"})


def test_what_an_exception_repeats_is_hidden_too(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("INFO")
    try:
        raise ValueError("卡号6222021234567890123")
    except ValueError:
        logger("tests").exception("event_failed")
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "6222021234567890123" not in said


def test_a_line_that_the_disk_does_not_take_stops_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error may be a file on the very disk that is full."""
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr("sys.stderr", full)
        set_up_logs()
        logger("tests").error("database_failed", reason="full")
        monkeypatch.undo()
        with suppress(OSError):
            full.close()
