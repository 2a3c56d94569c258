"""The commands people teach with: what they print, and what they refuse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.domain.knowledge import Audience
from bot.domain.teaching import NewEntry, Proposal
from bot.storage.db import Database
from bot.workspace import Workspace, copy_workspace, starter_root
from tests.teaching.make import asked

NOW = datetime.now(UTC)
DRAFT = NewEntry(
    entry="teach-1",
    file="knowledge/faq/branch.qa.yaml",
    topic="服务",
    questions=("保管箱怎么租",),
    answer="小号一年三百元，带身份证来网点签合同。",
    audience=Audience.PRIVATE,
    author="运营-周岚",
)


@pytest.fixture
def zhilin(tmp_path: Path, migrated_sqlite: Path) -> Callable[..., Result]:
    """Run a command in a workspace with one drafted proposal."""
    workspace = copy_workspace(Workspace(starter_root()), tmp_path / "bank")
    file = workspace.root / "data" / "zhilin.db"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(migrated_sqlite.read_bytes())
    asyncio.run(_fill(f"sqlite:///{file}"))

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, ["teach", *words, "-C", str(workspace.root)])

    return run


async def _fill(url: str) -> None:
    database = await Database.open(url)
    async with database.begin() as tx:
        number = await tx.proposals.add(Proposal(kind="new", title="保管箱怎么租", made_at=NOW))
        await tx.proposals.draft(number, DRAFT)
        people = [asked(str(n), person=f"p{n}", at=NOW, step="d05") for n in range(3)]
        await tx.questions.add(people)
        await tx.questions.reply({"0": "一年三百。"})
        placed = [
            one.model_copy(update={"state": "placed", "proposal": number})
            for one in await tx.questions.in_state("new")
        ]
        await tx.questions.place(placed)
    await database.close()


def said(done: Result) -> str:
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def test_what_is_to_be_taught_is_listed_with_the_numbers_of_its_order(
    zhilin: Callable[..., Result],
) -> None:
    (one,) = json.loads(said(zhilin("list", "--json")))
    assert (one["people"], one["questions"], one["unanswered"], one["worth"]) == (3, 3, 3, 1)
    assert one["rank"] == pytest.approx(3.003)
    assert "保管箱怎么租" in said(zhilin("list"))
    page = said(zhilin("show", "1"))
    assert "一年三百。" in page
    assert "s/d05 3" in page
    assert "p0" not in said(zhilin("show", "1", "--json"))  # nobody's id
    assert "+  - 编号: teach-1" in said(zhilin("diff", "1"))


def test_two_people_allow_it_and_nobody_else(zhilin: Callable[..., Result]) -> None:
    refused = zhilin("approve", "1", "--as", "业务", "--by", "周岚")
    assert "不能自己批自己" in str(refused.exception)
    assert "还差合规" in said(zhilin("approve", "1", "--as", "业务", "--by", "李敏"))
    assert "换一位" in str(zhilin("approve", "1", "--as", "合规", "--by", "李敏").exception)
    assert "publish 1" in said(zhilin("approve", "1", "--as", "合规", "--by", "消保-何静"))
    assert zhilin("approve", "1", "--as", "行长", "--by", "张").exit_code == 2


def test_what_is_put_aside_is_not_listed_and_not_opened_again(
    zhilin: Callable[..., Result],
) -> None:
    said(zhilin("reject", "1", "--why", "不归本行答", "--by", "周岚"))
    assert json.loads(said(zhilin("list", "--json"))) == []
    assert [one["state"] for one in json.loads(said(zhilin("list", "--all", "--json")))] == [
        "rejected"
    ]
    assert "退回了" in str(zhilin("approve", "1", "--as", "业务", "--by", "李敏").exception)
    assert "没有第 9 号" in str(zhilin("show", "9").exception)


def test_what_teaching_brought_is_told_with_both_numbers(zhilin: Callable[..., Result]) -> None:
    figures = json.loads(said(zhilin("stats", "--json")))
    assert figures["collected"]["7"] == {"没答上": 3, "people": 3}
    assert figures["gaps"] == {"closed": 0, "total": 1, "half_life_days": None}
    assert "0/1 补上了" in said(zhilin("stats"))
    (step,) = json.loads(said(zhilin("steps", "--json")))
    assert (step["asked"], step["delivered"], step["confusion_rate"]) == (3, 0, None)
    assert "看不出" in said(zhilin("steps"))
