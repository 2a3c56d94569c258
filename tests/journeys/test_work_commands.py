"""``zhilin work`` and the emergency stop's words, beside a bot that runs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.domain.delivery import Terms
from bot.errors import ConfigError
from tests.journeys.town import Life
from tests.make import broadcast


@pytest.fixture
async def shell(life: Life, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Give what runs a command on the workspace and the database of the bot that runs."""
    monkeypatch.setenv("BOT_DATABASE__URL", "sqlite:///data/demo.db")

    async def run(*arguments: str) -> Any:
        line = [*arguments, "-C", str(life.demo.workspace.root)]
        return await asyncio.to_thread(CliRunner().invoke, cli, line)

    return run


async def an_unknown_message(life: Life) -> str:
    """Put a task into the outbox whose call was cut off; return its place."""
    now = life.demo.clock.now()
    async with life.demo.bot.database.begin() as tx:
        terms = Terms(purpose="control", subject=life.chat)
        await tx.outbox.put("cut", broadcast("请打 13812345678"), terms, now, lane="cut")
        await tx.connection.exec_driver_sql(
            "UPDATE outbox SET state = 'unknown', due_at = NULL, reason = 'in_doubt', attempt = 1 "
            "WHERE key = 'cut'"
        )
        found = await tx.connection.exec_driver_sql("SELECT id FROM outbox WHERE key = 'cut'")
        return f"outbox:{found.scalar_one()}"


async def test_an_empty_list_says_so(shell: Any) -> None:
    listed = await shell("work", "list")
    assert (listed.exit_code, "没有死信" in listed.output) == (0, True)
    assert json.loads((await shell("work", "list", "--json")).output) == []
    assert (await shell("work", "list", "--table", "nothing")).exit_code == 2
    assert (await shell("work", "list", "--state", "nothing")).exit_code == 2


async def test_an_unknown_message_is_listed_shown_and_sent_again_only_on_demand(
    life: Life, shell: Any
) -> None:
    place = await an_unknown_message(life)
    (head, row) = (await shell("work", "list")).output.splitlines()
    assert head.startswith("编号")
    assert row.startswith(place)
    assert "不明" in row
    assert "群发任务" in row
    assert "不知道发没发出去" in row
    shown = (await shell("work", "show", place)).output
    assert "待发消息" in shown
    assert "****5678" in shown
    assert "13812345678" not in shown
    (one,) = json.loads((await shell("work", "list", "--json", "--table", "outbox")).output)
    assert (one["place"], one["state"], one["attempts"]) == (place, "unknown", 1)

    refused = await shell("work", "retry", place)
    assert refused.exit_code == 1
    assert "可能收到两遍" in refused.output
    assert (await life.outbox_states())["cut"] == "unknown"
    done = await shell("work", "retry", place, "--yes", "--by", "王芳")
    assert (done.exit_code, place in done.output) == (0, True)
    assert (await life.outbox_states())["cut"] == "ready"
    assert await life.ledger("work_retried") == 1


async def test_a_message_is_dropped_with_a_reason(life: Life, shell: Any) -> None:
    place = await an_unknown_message(life)
    assert (await shell("work", "drop", place)).exit_code == 2  # why is asked for
    dropped = await shell("work", "drop", place, "--why", "已线下通知", "--by", "王芳")
    assert dropped.exit_code == 0
    assert (await life.outbox_states())["cut"] == "dropped"
    async with life.demo.bot.database.read() as tx:
        (entry,) = await tx.ledger.of_kinds(["work_dropped"])
    assert (entry.subject, entry.facts["why"], entry.facts["by"]) == (place, "已线下通知", "王芳")


@pytest.mark.parametrize(("place", "says"), [("outbox", "看不懂编号"), ("outbox:99999", "没有")])
async def test_a_place_that_is_none_is_told_in_a_sentence(
    shell: Any, place: str, says: str
) -> None:
    told = await shell("work", "show", place)
    assert isinstance(told.exception, ConfigError)
    assert says in str(told.exception)


async def test_a_stop_tells_what_stands_still_since_when_and_how_much_waits(
    life: Life, shell: Any
) -> None:
    assert "已停发" not in (await shell("stop-sending", "--status")).output
    said = (await shell("stop-sending", "--kf", "--by", "王芳")).output
    assert "已停发：微信客服" in said
    assert "由 王芳 停的" in said
    assert "在发送：社群剧本" in said
    assert await life.asks("存折还能用吗") == []
    assert "有 1 条在等" in (await shell("stop-sending", "--status")).output
    await life.demo.restart()
    await life.settle()
    assert life.new("kf") == []

    said = (await shell("resume-sending")).output
    assert "已停发" not in said
    await life.demo.bot.tick()
    life.demo.clock.advance(minutes=11)  # the story's clock is not the command's
    await life.settle()
    assert len(life.new("kf", life.visitor)) == 1
    assert await life.ledger("sending_stopped") == 1
    assert await life.ledger("sending_resumed") == 1


async def test_a_number_that_no_row_can_have_is_refused_in_words(shell: Any) -> None:
    refused = await shell("work", "show", f"outbox:{'9' * 23}")
    assert isinstance(refused.exception, ConfigError)
    assert "看不懂编号" in str(refused.exception)
