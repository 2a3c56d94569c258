"""``zhilin ways`` and ``zhilin transfer`` beside a bot that runs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.demo.town import AGENT_ID, CALLBACK_AES_KEY, CALLBACK_TOKEN, CORP_SECRET
from bot.errors import ConfigError
from tests.journeys.test_ways import ADD, HALL, write
from tests.journeys.town import Life


@pytest.fixture
async def shell(life: Life, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Give what runs a command on the workspace and the database of the bot that runs."""
    settings = {
        "BOT_DATABASE__URL": "sqlite:///data/demo.db",
        "BOT_WECOM__API_BASE": life.demo.server.base_url,
        "BOT_WECOM__CORP_ID": life.world.corp_id,
        "BOT_WECOM__SECRET": CORP_SECRET,
        "BOT_WECOM__AGENT_ID": str(AGENT_ID),
        "BOT_WECOM__CALLBACK_TOKEN": CALLBACK_TOKEN,
        "BOT_WECOM__CALLBACK_AES_KEY": CALLBACK_AES_KEY,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    async def run(*arguments: str) -> Any:
        line = [*arguments, "-C", str(life.demo.workspace.root)]
        return await asyncio.to_thread(CliRunner().invoke, cli, line)

    return run


async def test_codes_are_listed_with_their_pictures(life: Life, shell: Any) -> None:
    assert "还没有活码" in (await shell("ways")).output
    await write(life, HALL)
    told = (await shell("ways")).output
    assert "大堂易拉宝" in told
    assert "hall-b01" in told
    assert "可用" in told
    (way,) = json.loads((await shell("ways", "--json")).output)
    assert (way["status"], way["state"]) == ("ready", "hall-b01")
    assert way["link"].startswith("https://")
    refused = await shell("ways", "--retry", "大堂易拉宝")
    assert (refused.exit_code, "没有叫" in refused.output) == (1, True)


async def test_a_refused_code_is_made_again_on_demand(life: Life, shell: Any) -> None:
    life.world.faults.plan(ADD, "errcode", errcode=41045)
    await write(life, HALL)
    assert "wecom_41045" in (await shell("ways")).output
    assert (await shell("ways", "--retry", "大堂易拉宝")).exit_code == 0


async def test_a_dry_run_counts_and_moves_nothing(life: Life, shell: Any) -> None:
    has = len(life.world.contacts.of_member("li.min"))
    told = await shell("transfer", "--from", "li.min", "--to", "wang.haoran", "--dry-run")
    assert told.exit_code == 0, told.output
    assert f"客户 {has} 位、客户群 1 个" in told.output
    assert "没有动" in told.output
    async with life.demo.bot.database.read() as tx:
        assert await tx.transfers.listed() == []


async def test_a_transfer_is_planned_once_and_listed(life: Life, shell: Any) -> None:
    has = len(life.world.contacts.of_member("li.min"))
    line = ("transfer", "--from", "li.min", "--to", "wang.haoran", "--json")
    first = json.loads((await shell(*line)).output)
    again = json.loads((await shell(*line)).output)
    assert (first["customers"], first["new_customers"], first["new_groups"]) == (has, has, 1)
    assert (again["new_customers"], again["new_groups"]) == (0, 0)
    listed = json.loads((await shell("transfer", "--list", "--json")).output)["listed"]
    assert {one["state"] for one in listed} == {"planned"}
    assert len(listed) == has + 1
    assert "待办" in (await shell("transfer", "--list")).output
    assert f"客户 待办 {has}" in (await shell("transfer")).output


async def test_only_groups_go_where_only_they_are_meant(life: Life, shell: Any) -> None:
    line = ("transfer", "--from", "li.min", "--to", "wang.haoran", "--groups", "--json")
    told = json.loads((await shell(*line)).output)
    assert (told["customers"], told["leads"], told["groups"]) == (0, 0, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "li.min"), "一起写"),
        (("--from", "li.min", "--to", "nobody"), "员工里没有"),
    ],
)
async def test_what_cannot_be_done_is_said(
    shell: Any, arguments: tuple[str, ...], said: str
) -> None:
    refused = await shell("transfer", *arguments)
    assert refused.exit_code != 0
    words = refused.output
    if isinstance(refused.exception, ConfigError):
        words += str(refused.exception)
    assert said in words
