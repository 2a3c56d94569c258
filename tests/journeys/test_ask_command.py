"""``zhilin ask``: what would be said, on what grounds, to whom, and where the time went."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.domain.ids import CustomerId
from bot.errors import ConfigError
from bot.workspace import Workspace
from tests.journeys.town import Life


def run(workspace: Workspace, *arguments: str) -> Any:
    return CliRunner().invoke(cli, ["ask", *arguments, "-C", str(workspace.root)])


def told(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    result = run(workspace, *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_answer_comes_with_its_evidence_and_timings(workspace: Workspace) -> None:
    answer = told(workspace, "存折还能用吗")
    assert (answer["kind"], answer["channel"], answer["customer"]) == ("approved", "kf", None)
    assert answer["sources"][0]["document"] == "qa-12"
    assert answer["probability"] >= answer["threshold"]
    (evidence,) = answer["evidence"]
    best = evidence["hits"][0]
    assert (best["document"], evidence["confident"]) == ("qa-12", True)
    assert best["dense"] > 0
    assert best["scores"]
    spent = answer["timings_ms"]
    assert {"total", "trouble", "embed", "nearest", "search", "rest"} == spent.keys()
    stages = [ms for stage, ms in spent.items() if stage != "total"]
    assert spent["total"] == pytest.approx(sum(stages), abs=0.5)
    assert min(spent["embed"], spent["nearest"], spent["search"]) > 0
    assert {"check": "suitability", "verdict": "passed"} in answer["verdicts"]


def test_what_may_not_be_shown_there_is_named(workspace: Workspace) -> None:
    question = "客户在群里晒余额怎么处理"
    hidden = told(workspace, question)["excluded"]
    assert {"document": "qa-801", "title": "员工口径", "why": "仅员工"} in hidden
    assert told(workspace, question, "--channel", "staff")["sources"][0]["document"] == "qa-801"


def test_people_read_it_in_aligned_blocks(workspace: Workspace) -> None:
    result = run(workspace, "网点几点开门？明天股市会涨吗？")
    assert result.exit_code == 0, result.output
    for words in ("「网点几点开门」：", "我不猜", "类别", "有一问没答上：要猜涨跌", "用时（毫秒）"):
        assert words in result.stdout
    told_of = result.stdout.split("用时（毫秒）")[1]
    for stage in ("先听有没有险情", "问句变向量", "向量检索", "字面检索、排序", "其余"):
        assert stage in told_of


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("存折", "--channel", "wechat"), "只能写 kf、group 或 staff"),
        (("存折", "--channel", "group", "--customer", "wmA"), "只有 --channel kf 时才有客户"),
        ((" ",), "请写上要问的话"),
    ],
)
def test_a_slip_is_said(workspace: Workspace, arguments: tuple[str, ...], says: str) -> None:
    result = run(workspace, *arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_without_a_database_no_customer_is_known(workspace: Workspace) -> None:
    result = run(workspace, "存折还能用吗", "--customer", "wmA")
    assert isinstance(result.exception, ConfigError)
    assert "还没有数据库" in str(result.exception)
    assert not (workspace.root / "data" / "zhilin.db").exists()


async def test_a_customer_is_asked_for_by_what_is_known_of_them(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_DATABASE__URL", "sqlite:///data/demo.db")
    async with life.demo.bot.database.begin() as tx:
        at = life.world.now() - timedelta(minutes=1)
        await tx.conversations.add_turn(CustomerId(life.visitor), "客户", "国债在哪买", at)
    workspace = life.demo.workspace
    answer = await asyncio.to_thread(told, workspace, "存折还能用吗", "--customer", life.visitor)
    customer = answer["customer"]
    assert customer["id"] == life.visitor
    assert customer["name"].endswith("*")
    assert (customer["grade"], customer["consents"]) == (None, False)
    unknown = await asyncio.to_thread(run, workspace, "存折", "--customer", "wmNobody")
    assert "没有客户「wmNobody」" in str(unknown.exception)
