"""``zhilin leads`` lists, shows, moves and writes out leads for those who live in a terminal."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.cli.leads_words import EVENTS
from bot.clock import SystemClock
from bot.domain.assigning_rules import AssigningRules
from bot.domain.ids import CustomerId
from bot.domain.lead import Need
from bot.domain.people import Customer
from bot.errors import ConfigError
from bot.storage.db import Database
from bot.terminal import columns_of
from bot.workers.content import tables_for
from bot.workers.lead_desk import desk_beside
from tests.domain.builders import starter_bank
from tests.make import OWNER, ZONE, signal

WANG, FORMULA = "wang.haoran", "=HYPERLINK(1)，我的卡号6222021234567890123"


async def fill(url: str) -> None:
    """Open three leads of one manager, one of them a red flag, one that was said long ago."""
    bank, now = starter_bank(), SystemClock().now()
    database = await Database.open(url, durable=False)
    desk = desk_beside(lambda: bank, lambda: tables_for(now.date()), AssigningRules())
    async with database.begin() as tx:
        for number, (need, ago, quote) in enumerate(
            (
                (Need.WEALTH, timedelta(minutes=2), "想问问理财"),
                (Need.RED_FLAG, timedelta(minutes=1), "有人让我转账"),
                (Need.LOAN, timedelta(days=9), FORMULA),
            )
        ):
            who = CustomerId(f"wm{number}")
            await tx.people.put_customer(
                Customer(id=who, name="王阿姨", managers=(OWNER,)), now - timedelta(days=10)
            )
            said = signal(need, customer=who, quote=quote, at=now - ago)
            await desk.open(tx, said, owner=OWNER, group="", now=now - ago)
    await database.close()


@pytest.fixture
async def filled(bank_folder: Path) -> Path:
    await fill(f"sqlite:///{bank_folder / 'data' / 'zhilin.db'}")
    return bank_folder


def told(where: Path, *words: str, asked: str = "") -> Result:
    return CliRunner().invoke(cli, ["leads", *words, "-C", str(where)], input=asked or None)


def listed(where: Path, *words: str) -> list[dict]:  # type: ignore[type-arg]
    result = told(where, "list", "--json", *words)
    assert result.exit_code == 0, result.output
    found: list[dict] = json.loads(result.output)["leads"]  # type: ignore[type-arg]
    return found


def test_the_list_has_what_is_due_first_and_hides_what_nobody_needs(filled: Path) -> None:
    shown = told(filled, "list")
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert lines[0].split() == ["编号", "需求", "客户", "状态", "谁在办", "时限", "客户说"]
    assert [line.split()[1] for line in lines[1:4]] == ["贷款咨询", "红线", "理财咨询"]
    assert "王**" in shown.output
    assert "王阿姨" not in shown.output
    assert "6222021234567890123" not in shown.output
    assert "不按人分权限" in lines[-1]
    assert len({columns_of(line[: line.index("李敏")]) for line in lines[1:4]}) == 1


def test_filters_narrow_the_list_and_unknown_words_are_refused(filled: Path) -> None:
    assert [one["need"] for one in listed(filled, "--need", "红线")] == ["红线"]
    assert [one["need"] for one in listed(filled, "--overdue")] == ["贷款咨询"]
    assert len(listed(filled, "--days", "3")) == 2
    assert listed(filled, "--rm", "nobody") == []
    assert "员工里也没有 nobody" in told(filled, "list", "--rm", "nobody").output
    assert listed(filled, "--names")[0]["customer_name"] == "王阿姨"
    wrong = told(filled, "list", "--stage", "哪里")
    assert wrong.exit_code != 0


def test_one_lead_is_shown_with_its_words_and_its_way(filled: Path) -> None:
    shown = told(filled, "show", "1")
    assert shown.exit_code == 0, shown.output
    assert "想问问理财" in shown.output
    assert "新来" in shown.output
    assert told(filled, "show", "99").exit_code != 0


def test_a_lead_is_passed_on_and_ended_and_what_is_over_is_said(filled: Path) -> None:
    passed = told(filled, "assign", "1", "--to", WANG, "--by", "王芳")
    assert passed.exit_code == 0, passed.output
    assert "已转派给王浩然" in passed.output
    assert [one["rm"] for one in listed(filled, "--need", "理财咨询")] == [WANG]
    assert told(filled, "assign", "1", "--to", "nobody").exit_code != 0
    ended = told(filled, "close", "1", "--as", "成交", "--why", "买了国债", "--json")
    assert json.loads(ended.output)["done"] is True
    (won,) = listed(filled, "--stage", "成交")
    assert (won["stage"], won["outcome_reason"]) == ("won", "买了国债")
    assert told(filled, "close", "1", "--as", "算了").exit_code != 0


def test_a_reason_is_that_of_the_card_and_an_end_is_not_another_end(filled: Path) -> None:
    ended = told(filled, "close", "1", "--as", "无效", "--why", "重复")
    assert ended.output == "1 号：已标记无效（同一件事重复了）\n"
    (invalid,) = listed(filled, "--stage", "无效")
    assert invalid["outcome_reason"] == "repeated"  # which the fit leaves out
    assert "（同一件事重复了）" in told(filled, "show", "1").output
    again = told(filled, "close", "1", "--as", "无效")
    assert (again.exit_code, again.output) == (0, "1 号：早就办结了（无效），没有再动\n")
    other = told(filled, "close", "1", "--as", "成交")
    assert (other.exit_code, "早就办结了（无效）" in other.output) == (1, True)
    steps = told(filled, "show", "1").output.splitlines()
    assert [line for line in steps if "终端" in line] == [steps[-2]]


def test_every_step_of_a_lead_has_words(filled: Path) -> None:
    source = "".join(file.read_text("utf-8") for file in Path("bot/leads").glob("*.py"))
    kinds = set(re.findall(r'"(lead_(?!timers)[a-z_]+|sla_missed)"', source))
    assert {"lead_opened", "lead_offered_again", "lead_unanswered"} <= kinds
    ledger_only = {"lead_model_fitted", "lead_model_retired"}  # of no lead
    assert kinds - ledger_only <= set(EVENTS)
    shown = told(filled, "show", "1").output
    assert "新来 李敏（本来就管这位客户）" in shown


def test_the_sheet_holds_text_only_in_both_forms(filled: Path, tmp_path: Path) -> None:
    for name in ("线索.xlsx", "线索.csv"):
        made = told(filled, "export", str(tmp_path / name))
        assert made.exit_code == 0, made.output
    sheet = load_workbook(tmp_path / "线索.xlsx").active
    assert sheet is not None
    rows = list(sheet.iter_rows())
    assert len(rows) == 4
    assert "f" not in {cell.data_type for row in rows for cell in row}
    assert str(rows[3][-1].value).startswith("=HYPERLINK")
    with (tmp_path / "线索.csv").open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.reader(file))
    assert written[3][-1].startswith("'=HYPERLINK")
    assert "6222021234567890123" not in written[3][-1]
    assert told(filled, "export", str(tmp_path / "线索.csv")).exit_code == 1
    assert told(filled, "export", str(tmp_path / "线索.txt")).exit_code != 0


def test_who_goes_away_hands_on_after_a_look_and_comes_back(filled: Path) -> None:
    day = (SystemClock().now() + timedelta(days=3)).date().isoformat()
    looked = told(filled, "away", OWNER, "--until", day, "--deputy", WANG, "--dry-run")
    assert looked.exit_code == 0, looked.output
    assert "李敏手上 3 条" in looked.output
    assert looked.output.count("代班的同事") == 3
    assert {one["rm"] for one in listed(filled)} == {OWNER}
    no = told(filled, "away", OWNER, "--until", day, "--deputy", WANG, asked="n\n")
    assert "没有动" in no.output
    done = told(filled, "away", OWNER, "--until", day, "--deputy", WANG, "--yes")
    assert "转出 3 条" in done.output
    assert {one["rm"] for one in listed(filled)} == {WANG}
    assert "王浩然" in told(filled, "away").output
    assert "照常派线索" in told(filled, "away", OWNER, "--back").output
    assert "没有人请假" in told(filled, "away").output
    assert told(filled, "away", OWNER, "--until", "下周").exit_code != 0


def test_a_leave_to_come_is_written_down_and_nothing_moves_before(filled: Path) -> None:
    today = SystemClock().now().astimezone(ZONE).date()
    first, last = (str(today + timedelta(days=days)) for days in (2, 4))
    said = ("away", OWNER, "--from", first, "--until", last, "--deputy", WANG)
    shown = told(filled, *said, asked="y\n")
    assert "到那天还没办结的，照现在看会这样转" in shown.output
    assert "登记好了" in shown.output
    assert {one["rm"] for one in listed(filled)} == {OWNER}
    assert f"{first} 00:00" in told(filled, "away").output
    taken = told(filled, "away", "zhao.xiulan", "--until", last, "--deputy", WANG, "--dry-run")
    assert taken.exit_code == 0, taken.output  # who stands in for one may stand in for another
    gone = told(filled, "away", "zhao.xiulan", "--until", last, "--deputy", OWNER, "--dry-run")
    assert isinstance(gone.exception, ConfigError)
    assert "不能代班" in str(gone.exception)
    past = told(filled, "away", OWNER, "--from", "2026-01-01", "--until", last)
    assert "已经过了" in past.output
    backwards = told(filled, "away", OWNER, "--from", last, "--until", first)
    assert isinstance(backwards.exception, ConfigError)
    assert told(filled, "away", OWNER, "--back").exit_code == 0
    assert "没有人请假" in told(filled, "away").output


def test_the_report_says_shares_with_what_they_are_of(filled: Path) -> None:
    shown = told(filled, "report", "--json")
    assert shown.exit_code == 0, shown.output
    figures = json.loads(shown.output)
    assert figures["all"]["opened"] == 3
    assert figures["all"]["late"] == {"part": 1, "whole": 1, "rate": 1.0}
    assert set(figures["groups"]) == {"理财咨询", "红线", "贷款咨询"}
    lines = told(filled, "report", "--by", "经理").output.splitlines()
    assert lines[1].startswith("李敏")
    assert "1/1（100.00%）" in lines[1]


def test_too_few_outcomes_leave_the_rules_in_force(filled: Path) -> None:
    fitted = told(filled, "fit", "--json")
    assert fitted.exit_code == 1
    assert json.loads(fitted.output)["problem"]
    assert "本来就按规则" in told(filled, "fit", "--rules").output
