"""``zhilin sop``: approve, publish, list, pause and what belongs to them, on a bank's database."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.bench.ground import SCRIPT, content_of, fill
from bot.cli import cli
from bot.config import load_settings
from bot.domain.runs import Run
from bot.errors import BotError, ContentError
from bot.storage.db import Database
from bot.workers.content import read_snapshot
from bot.workers.publish import publish
from bot.workspace import Workspace, starter_root
from tests.planner.conftest import START

FILE = "sop/senior-21d.sop.yaml"
HEAD = "消保-何静"
RULES = "今天说说咱们群的小规矩，就四条"
GROUPS = 3


@dataclass
class Desk:
    """A workspace with its database, and a shell."""

    workspace: Workspace
    database: Database

    async def run(self, *words: str, refused: bool = False, input: str = "") -> str:
        """Run ``zhilin sop …``; return what it said."""
        line = ["sop", *words, "-C", str(self.workspace.root)]
        result = await asyncio.to_thread(CliRunner().invoke, cli, line, input)
        error = result.exception
        if isinstance(error, BotError):  # the outermost command says it in words
            assert refused, error
            return (
                "\n".join(map(str, error.problems))
                if isinstance(error, ContentError)
                else str(error)
            )
        assert (result.exit_code != 0) == refused, (result.output, error)
        return result.output

    async def listed(self, script: str = SCRIPT) -> dict[str, object]:
        rows = json.loads(await self.run("list", "--json"))
        found: dict[str, object] = next(row for row in rows if row["script"] == script)
        return found

    def edit(self, old: str, new: str) -> None:
        file = self.workspace.root / FILE
        text = file.read_text("utf-8")
        assert text.count(old) == 1, old
        file.write_text(text.replace(old, new), "utf-8")

    async def serve(self) -> None:
        """Do what the bot does that runs beside: put in force what is saved."""
        settings = load_settings(self.workspace.config)
        await publish(
            self.database, read_snapshot(self.workspace, START.date()), START, settings.sop
        )

    async def running(self) -> list[Run]:
        async with self.database.read() as tx:
            return await tx.runs.running()

    async def ledger(self, kind: str) -> int:
        async with self.database.read() as tx:
            return await tx.ledger.count(kind)

    async def outbox(self, like: str) -> list[str]:
        async with self.database.read() as tx:
            rows = await tx.connection.exec_driver_sql(
                "SELECT body FROM outbox WHERE key LIKE ? ORDER BY id", (like,)
            )
            return [json.loads(row[0])["text"] for row in rows]


@pytest.fixture
async def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_sqlite: Path
) -> AsyncIterator[Desk]:
    for name in ("sop", "knowledge"):
        shutil.copytree(starter_root() / name, tmp_path / name)
    shutil.copy(starter_root() / "config.toml", tmp_path / "config.toml")
    url = f"sqlite:///{shutil.copyfile(migrated_sqlite, tmp_path / 'bank.db')}"
    monkeypatch.setenv("BOT_DATABASE__URL", url)
    workspace = Workspace(tmp_path)
    database = await Database.open(url, durable=False)
    snapshot = read_snapshot(workspace, START.date())
    await publish(database, snapshot, START)
    await fill(database, content_of(workspace, snapshot, START), GROUPS, START)
    yield Desk(workspace, database)
    await database.close()


async def test_the_list_says_how_each_script_stands(desk: Desk) -> None:
    row = await desk.listed()
    assert (row["status"], row["approval"], row["running"]) == ("已发布", "approved", GROUPS)
    assert (row["version"], row["pilot"], row["holds"]) == (row["saved"], None, [])
    await desk.run("pause", f"{SCRIPT}/d02-rules", "--why", "日期写错", "--by", "王芳")
    await desk.run("pause", "网点:b01")
    desk.edit("发送方式: 入群欢迎语", "发送方式: 飞鸽传书")
    said = await desk.run("list")
    assert f"步骤:{SCRIPT}/d02-rules 暂停中：王芳" in said
    assert "日期写错" in said
    assert "网点:b01 暂停中" in said
    assert "飞鸽传书" in said
    (hold,) = (await desk.listed())["holds"]  # type: ignore[misc]
    assert (hold["scope"], hold["verb"], hold["by"]) == ("step", "pause", "王芳")


async def test_orders_say_whom_they_reach_and_doubt_is_refused_with_choices(desk: Desk) -> None:
    said = await desk.run("pause", SCRIPT, "--why", "演练", "--by", "王芳")
    assert "已暂停：剧本「银龄安心群·21天陪伴」senior-21d，涉及 3 个在走的" in said
    assert "本来就已暂停" in await desk.run("pause", SCRIPT)
    assert "已恢复" in await desk.run("resume", SCRIPT)
    again = await desk.run("resume", SCRIPT)
    assert "没有暂停着的" in again
    assert "涉及" not in again
    assert "已停止进入" in await desk.run("drain", "经理:li.min")
    assert "没有找到「不存在」" in await desk.run("pause", "不存在", refused=True)
    async with desk.database.begin() as tx:
        await tx.connection.exec_driver_sql(
            "UPDATE groups SET name = '李敏' WHERE id = 'wr0000001'"
        )
    doubt = await desk.run("pause", "李敏", refused=True)
    assert "经理:li.min" in doubt
    assert "群:wr0000001" in doubt
    assert await desk.ledger("sop_paused") == 1


async def test_terminate_asks_first_and_says_what_it_did(desk: Desk) -> None:
    asked = await desk.run("terminate", SCRIPT, refused=True, input="n\n")
    assert "将终止" in asked
    assert "没有动" in asked
    nobody = await desk.run("terminate", SCRIPT, refused=True, input="")
    assert "没有动" in nobody
    assert "Aborted" not in nobody
    assert len(await desk.running()) == GROUPS
    done = await desk.run("terminate", SCRIPT, "--yes", "--why", "活动取消")
    assert "退出 3 个" in done
    assert f"zhilin sop resume 剧本:{SCRIPT}" in done
    assert await desk.running() == []


async def test_orders_about_a_step_leave_its_runs_alone(desk: Desk) -> None:
    step = f"{SCRIPT}/d02-rules"
    assert "走到这一步的原地等着" in await desk.run("pause", step)
    assert "轮到这一步就跳过" in await desk.run("drain", step)
    (order,) = json.loads(await desk.run("terminate", step, "--yes", "--json"))
    assert (order["verb"], order["scope"], order["runs"]) == ("terminate", "step", GROUPS)
    assert (order["ended"], order["tasks"], order["by_hand"]) == (GROUPS, 0, 0)
    assert len(await desk.running()) == GROUPS
    assert f"步骤:{step} 已终止" in await desk.run("list")
    said = await desk.run("terminate", f"{SCRIPT}/d03-fraud-child", "--yes")
    assert "接着走后面的" in said
    again = await desk.run("resume", step)
    assert "已恢复" in again
    assert "已经跳过的不补" in again
    assert "--yes" in await desk.run("terminate", step, "--json", refused=True)


async def test_an_approval_is_given_to_the_saved_content_by_somebody_else(desk: Desk) -> None:
    assert "两处要一样" in await desk.run("approve", SCRIPT, "--by", "消保-别人", refused=True)
    said = await desk.run("approve", SCRIPT, "--by", HEAD, "--expires", "2027-08-31")
    assert "有效到 2027-08-31" in said
    version = (await desk.listed())["version"]
    assert f"{SCRIPT}) 的 {version} 版" in said  # as the list names it
    assert "内容指纹 " in said
    assert await desk.ledger("script_approved") == 1
    desk.edit(f"审批人: {HEAD}", "审批人: 运营-周岚")
    assert "同一个人" in await desk.run("approve", SCRIPT, "--by", "运营-周岚", refused=True)
    desk.edit("审批人: 运营-周岚", f"审批人: {HEAD}")
    await desk.run("approve", SCRIPT, "--by", HEAD, "--reject", "说得太满")
    assert (await desk.listed())["approval"] == "rejected"
    assert "没有剧本" in await desk.run("approve", "nothing", "--by", HEAD, refused=True)


async def test_where_approval_is_required_nothing_is_published_without(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_SOP__APPROVAL", "required")
    desk.edit(RULES, "【新】" + RULES)
    said = await desk.run("publish", SCRIPT, "--all", refused=True)
    assert f"zhilin sop approve {SCRIPT}" in said
    assert (await desk.listed())["approval"] == "asked"
    await desk.run("approve", SCRIPT, "--by", HEAD)
    assert "已发布" in await desk.run("publish", SCRIPT, "--all")
    row = await desk.listed()
    assert (row["approval"], row["version"]) == ("approved", row["saved"])


async def test_a_trial_goes_to_one_colleague_and_counts_as_nothing(desk: Desk) -> None:
    async with desk.database.read() as tx:
        before = await tx.ledger.counts()
    assert "试发给 li.min" in await desk.run("publish", SCRIPT, "--test-to", "li.min")
    texts = await desk.outbox("trial:%")
    assert all(text.startswith("【测试】") and len(text.encode()) <= 2048 for text in texts)
    assert any(RULES in text for text in texts)
    assert all("{" not in text for text in texts)
    async with desk.database.read() as tx:
        assert await tx.ledger.counts() == before
    refused = await desk.run("publish", SCRIPT, "--test-to", "customer", refused=True)
    assert "只发给本行同事" in refused


async def test_a_pilot_is_opened_seen_taken_back_and_published(desk: Desk) -> None:
    said = await desk.run(
        "publish", SCRIPT, "--groups", "安心群1", "--percent", "1", "--by", "王芳"
    )
    assert "接下来保存的改动只给这一部分" in said
    desk.edit(RULES, "【新】" + RULES)
    await desk.serve()
    row = await desk.listed()
    pilot = row["pilot"]
    assert isinstance(pilot, dict)
    assert (pilot["version"], pilot["by"], pilot["groups"]) == (row["saved"], "王芳", ["wr0000001"])
    assert row["version"] != row["saved"]
    assert "试点" in await desk.run("list")
    assert "已收回试点" in await desk.run("publish", SCRIPT, "--stop")
    assert "新版先不给任何人" in await desk.run("list")
    assert "给所有人" in await desk.run("publish", SCRIPT, "--all")
    assert (await desk.listed())["pilot"] is None
    assert "选一样" in await desk.run("publish", SCRIPT, refused=True)


async def test_a_broken_file_is_not_published_by_hand(desk: Desk) -> None:
    desk.edit("发送方式: 入群欢迎语", "发送方式: 飞鸽传书")
    assert "飞鸽传书" in await desk.run("publish", SCRIPT, "--all", refused=True)


async def test_a_withdrawal_names_the_text_and_what_other_texts_there_are(desk: Desk) -> None:
    words = ("withdraw", SCRIPT, "d02-rules", "--by", HEAD)
    said = await desk.run(*words, "--why", "写错电话")
    assert "收回没发出去的 0 条；已经发出的 0 条" in said
    told = json.loads(await desk.run(*words, "--why", "再来", "--json"))
    assert (told["taken_back"], told["delivered"], len(told["texts"])) == (0, [], 1)
    refused = await desk.run(*words, "--text", "0" * 16, "--why", "错", refused=True)
    assert told["texts"][0] in refused
    assert await desk.ledger("text_withdrawn") == 1
    assert f"{SCRIPT}/d02-rules 的文字已下架" in await desk.run("list")
