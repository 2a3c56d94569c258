"""``zhilin customers`` and ``zhilin sop enter``: the bank's tables come in whole or not at all."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from bot.cli import cli
from bot.clock import SystemClock
from bot.domain.admission import Holdouts
from bot.domain.script import SopScript, to_json
from bot.storage.db import Database
from bot.workers.content import Content, version_of
from bot.workers.entry_worker import EntryWorker
from bot.workspace import starter_root
from tests.entering.scene import script

LONG_AGO = "2026-01-02"


@pytest.fixture
def folder(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a workspace with the starter's scripts and an empty database."""
    shutil.copytree(starter_root() / "sop", tmp_path / "sop")
    (tmp_path / "config.toml").write_text("", "utf-8")
    shutil.copyfile(migrated_sqlite, tmp_path / "bank.db")
    monkeypatch.setenv("BOT_DATABASE__URL", f"sqlite:///{tmp_path}/bank.db")
    return tmp_path


def zhilin(folder: Path, *line: str) -> Any:
    return CliRunner().invoke(cli, [*line, "-C", str(folder)])


def table(folder: Path, text: str, encoding: str = "utf-8") -> str:
    file = folder / "T1.csv"
    file.write_bytes(text.encode(encoding))
    return str(file)


def facts_of(folder: Path, *ids: str) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        database = await Database.open(f"sqlite:///{folder}/bank.db")
        try:
            async with database.read() as tx:
                rows = await tx.facts.of(ids)
                due = await tx.admissions.take(datetime.now(UTC), limit=100)
        finally:
            await database.close()
        assert {row.subject for row in due} >= set(rows)  # scripts will be asked about them
        return rows

    return asyncio.run(read())


GOOD = (
    "客户,年龄,风险等级,生日,农历生日,发薪日,营销同意\n"
    "wmA001,71,C2,1955/3/8,闰六月初三,15,是\n"
    "wmA002,,c3,19600229,,31,否\n"
    "\n"
    "wmA003,未知,,,,,\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_of_the_banks_comes_in_by_what_is_registered(folder: Path, encoding: str) -> None:
    told = zhilin(folder, "customers", "import", table(folder, GOOD, encoding), "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["收下"] == 3
    facts = facts_of(folder, "wmA001", "wmA002", "wmA003")
    assert facts["wmA001"] == {
        "年龄": 71,
        "风险等级": "C2",
        "生日": "1955-03-08",
        "农历生日": "闰六月初三",
        "发薪日": 15,
        "营销同意": True,
    }
    assert facts["wmA002"] == {
        "风险等级": "C3",
        "生日": "1960-02-29",
        "发薪日": 31,
        "营销同意": False,
    }
    assert facts["wmA003"] == {}


def test_excels_habits_are_survived(folder: Path) -> None:
    book = Workbook()
    book.active.append(["客户", "年龄", "到期日", "营销同意"])
    book.active.append(["wmA001", 71.0, date(2026, 12, 1), True])
    book.active.append([None, None])
    book.save(folder / "T1.xlsx")
    told = zhilin(folder, "customers", "import", str(folder / "T1.xlsx"))
    assert told.exit_code == 0, told.output
    assert facts_of(folder, "wmA001")["wmA001"] == {
        "年龄": 71,
        "到期日": "2026-12-01",
        "营销同意": True,
    }


BAD = [
    ("wmA001,七十,C2", 2, "年龄", "不是数"),
    ("wmA001,200,C2", 2, "年龄", "年龄「200」不对"),
    ("wmA001,71,R2", 2, "风险等级", "C1 到 C5"),
    ("王阿姨,71,C2", 2, "客户", "external_userid"),
    ("13812345678,71,C2", 2, "客户", "手机号"),
    ("wmA001,13812345678,C2", 2, "年龄", "****5678"),
    (",71,C2", 2, "客户", "空着"),
    ("wmA001,71,C2\nwmA001,72,C2", 3, "", "第 2 行"),
    ("wmA001,71,C2,多的", 2, "", "表头只有 3 格"),
]


@pytest.mark.parametrize(("rows", "line", "column", "word"), BAD)
def test_a_bad_row_is_told_with_its_mend_and_keeps_everything_out(
    folder: Path, rows: str, line: int, column: str, word: str
) -> None:
    text = f"客户,年龄,风险等级\n{rows}\nwmGOOD,60,C1\n"
    told = zhilin(folder, "customers", "import", table(folder, text))
    assert told.exit_code == 1
    assert f"T1.csv:{line}" in told.output
    assert column in told.output
    assert word in told.output
    assert "13812345678" not in told.output
    assert facts_of(folder, "wmGOOD") == {}
    taken = zhilin(folder, "customers", "import", table(folder, text), "--skip-bad")
    assert taken.exit_code == 0
    assert facts_of(folder, "wmGOOD") == {"wmGOOD": {"年龄": 60, "风险等级": "C1"}}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("姓名,年龄\n王,3\n", "表头里没有「客户」"),
        ("客户,年令\nwmA001,3\n", "是不是「年龄」"),
        ("客户,手机号\nwmA001,3\n", "不认识「手机号」"),
        ("客户,年龄,年龄\nwmA001,3,4\n", "有两列"),
        ("客户\nwmA001\n", "没有别的列"),
        ("", "是空的"),
        ('客户,年龄\n"wmA001,3\n', "引号没有配成对"),
        ("客户,年龄\nwm\x00\n", "不是文本"),
    ],
)
def test_a_table_that_is_none_is_refused_in_words(folder: Path, text: str, word: str) -> None:
    told = zhilin(folder, "customers", "import", table(folder, text))
    assert told.exit_code == 1
    assert word in (told.output + str(told.exception or ""))


def test_older_data_only_fill_in_what_is_not_known(folder: Path) -> None:
    zhilin(folder, "customers", "import", table(folder, "客户,年龄\nwmA001,71\n"))
    older = table(folder, "客户,年龄,风险等级\nwmA001,70,C2\n")
    assert zhilin(folder, "customers", "import", older, "--as-of", LONG_AGO).exit_code == 0
    assert facts_of(folder, "wmA001")["wmA001"] == {"年龄": 71, "风险等级": "C2"}
    ahead = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    refused = zhilin(folder, "customers", "import", older, "--as-of", ahead)
    assert refused.exit_code != 0


def test_events_count_once_by_their_number(folder: Path) -> None:
    text = "客户,事件,时间,编号\nwmA001,到网点,2026-10-12 09:30,v1\nwmA001,到网点,2026/10/13,v2\n"
    first = zhilin(folder, "customers", "events", table(folder, text), "--json")
    assert json.loads(first.stdout) == {"收下": 2, "早就收过": 0, "跳过": 0}
    again = zhilin(folder, "customers", "events", table(folder, text), "--json")
    assert json.loads(again.stdout) == {"收下": 0, "早就收过": 2, "跳过": 0}
    bad = text + "wmA001,来网店,2026-10-12,v3\nwmA001,到网点,2099-01-01,v4\nwmA001,到网点,昨天,\n"
    told = zhilin(folder, "customers", "events", table(folder, bad))
    assert told.exit_code == 1
    for word in ("T1.csv:4: 事件", "还没有到", "T1.csv:6: 时间", "编号: 空着没有填"):
        assert word in told.output


def test_a_customers_sheet_says_what_is_known(folder: Path) -> None:
    zhilin(folder, "customers", "import", table(folder, GOOD))
    text = "客户,事件,时间,编号\nwmA001,到网点,2026-10-12 09:30,v1\n"
    zhilin(folder, "customers", "events", table(folder, text))
    shown = zhilin(folder, "customers", "show", "wmA001").output
    for word in ("没有好友", "年龄", "71", "到网点", "2026-10-12 09:30"):
        assert word in shown
    sheet = json.loads(zhilin(folder, "customers", "show", "wmA001", "--json").output)
    assert sheet["facts"]["风险等级"] == "C2"
    assert zhilin(folder, "customers", "show", "wmNobody").exit_code == 1


def test_a_list_enters_by_hand_and_each_is_told_why_not(folder: Path, content: Content) -> None:
    trial = script()
    ready, stop = threading.Event(), threading.Event()
    served = threading.Thread(target=_serve, args=(folder, content, trial, ready, stop))
    served.start()
    assert ready.wait(timeout=60)
    try:
        names = folder / "list.csv"
        names.write_text("客户\nwmA001\nwmA002\n", "utf-8")
        found = json.loads(
            zhilin(folder, "sop", "enter", "trial", "--file", str(names), "--json").output
        )
        assert set(found) == {"wmA001", "wmA002"}
        assert found["wmA001"]["reason"] == "contactable_unknown"
        told = zhilin(folder, "sop", "enter", "trial", "wmA001").output
        assert "企业微信里还没有见过" in told
    finally:
        stop.set()
        served.join()
    assert "没有正式版" in str(zhilin(folder, "sop", "enter", "nothing", "wmA001").exception)


def _serve(
    folder: Path,
    content: Content,
    trial: SopScript,
    ready: threading.Event,
    stop: threading.Event,
) -> None:
    """Work beside the command, as ``serve`` does in a process of its own."""

    async def work() -> None:
        database = await Database.open(f"sqlite:///{folder}/bank.db")
        now = datetime.now(UTC)
        content.holdouts = Holdouts()
        content.snapshot = replace(content.snapshot, scripts={trial.id: trial})
        async with database.begin() as tx:
            await tx.scripts.publish(trial.id, version_of(trial), to_json(trial), now)
        worker = EntryWorker(database, content, SystemClock())
        ready.set()
        while not stop.is_set():
            await worker.step()
            await asyncio.sleep(0.01)
        await database.close()

    asyncio.run(work())
