"""``zhilin guard eval`` as people and machines run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.errors import ConfigError, ContentError
from bot.workspace import Workspace, copy_workspace, starter_root

GOOD = {"text": "理财不保本，请看清说明书。", "approved": True, "violation": False}
BAD = {"text": "这款包您稳赚。", "approved": False, "violation": True}


def written(tmp_path: Path, *lines: object) -> Path:
    file = tmp_path / "sentences.jsonl"
    rows = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in lines)
    file.write_text("\n".join(rows), "utf-8")
    return file


def run(file: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["guard", "eval", str(file), *words])


def test_machines_get_the_rates_and_every_item_with_its_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where no workspace is
    slipped = {"text": "今天天气不错", "approved": False, "violation": True}
    held = {"text": "这款保本", "approved": True, "violation": False}
    told = json.loads(run(written(tmp_path, GOOD, BAD, slipped, held), "--json").output)
    assert (told["miss_rate"], told["false_block_rate"]) == (0.5, 0.5)
    assert [item["right"] for item in told["items"]] == [True, True, False, False]
    assert told["items"][1]["rules"][0]["rule"] == "FP-01"
    assert told["items"][3]["line"] == 4


def test_people_see_which_sentences_went_wrong_and_why(tmp_path: Path) -> None:
    slipped = {"text": "今天天气不错", "approved": False, "violation": True}
    held = {"text": "这款保本", "approved": True, "violation": False}
    shown = run(written(tmp_path, GOOD, BAD, slipped, held)).output
    assert "漏拦" in shown
    assert "第 3 行  今天天气不错" in shown
    assert "第 4 行  这款保本  ← FP-01 保本保收益「保本」" in shown
    assert "稳赚" not in shown


def test_a_line_may_name_the_place(tmp_path: Path) -> None:
    line = {"text": "转账每天最多 20 万元", "approved": False, "violation": False}
    told = json.loads(run(written(tmp_path, {**line, "plane": "kf"}), "--json").output)
    assert told["false_block_rate"] == 0
    told = json.loads(run(written(tmp_path, {**line, "plane": "group"}), "--json").output)
    assert told["false_block_rate"] == 1


def test_what_else_a_line_has_is_its_owners_affair(tmp_path: Path) -> None:
    told = json.loads(run(written(tmp_path, {**BAD, "family": "FP-01"}), "--json").output)
    assert told["miss_rate"] == 0


def test_the_rules_of_a_workspace_are_used(tmp_path: Path) -> None:
    bank = copy_workspace(Workspace(starter_root()), tmp_path / "bank")
    rules = bank.sop / "rules.yaml"
    rules.write_text(rules.read_text("utf-8").replace("'保本|", "'天气|保本|", 1), "utf-8")
    line = {"text": "今天天气不错", "approved": False, "violation": True}
    file = written(tmp_path, line)
    assert json.loads(run(file, "--json").output)["miss_rate"] == 1
    assert json.loads(run(file, "-C", str(bank.root), "--json").output)["miss_rate"] == 0


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{nope", "不是 JSON"),
        ("[1]", "不是一个 JSON 对象"),
        ({"text": "一句", "approved": True}, "缺少「violation」"),
        ({**GOOD, "approved": "也许"}, "「approved」写法不对"),
        ({**GOOD, "approved": "yes"}, "「approved」写法不对"),
        ({**GOOD, "violation": 0}, "「violation」写法不对"),
        ({**GOOD, "plane": "street"}, "「plane」写法不对"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path: Path, line: object, what: str) -> None:
    ran = run(written(tmp_path, GOOD, line))
    assert isinstance(ran.exception, ContentError)
    (problem,) = ran.exception.problems
    assert problem.line == 2
    assert what in problem.what


def test_a_file_that_is_not_there_or_is_empty_is_said(tmp_path: Path) -> None:
    assert isinstance(run(tmp_path / "none.jsonl").exception, ConfigError)
    assert isinstance(run(written(tmp_path, "")).exception, ContentError)


def test_a_sentence_may_hold_a_break_that_is_not_the_end_of_its_line(tmp_path: Path) -> None:
    line = {**BAD, "text": "这款\u2028包您稳赚。"}
    told = json.loads(run(written(tmp_path, line, GOOD), "--json").output)
    assert [item["line"] for item in told["items"]] == [1, 2]
    assert told["miss_rate"] == 0
