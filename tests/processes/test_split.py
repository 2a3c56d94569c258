"""``zhilin serve`` in two halves: one takes callbacks, the other works; any number of either."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from bot.bench.processes import Bot, local_wecom
from bot.bench.questions import read_bank
from bot.bench.town import Town
from bot.channels.callback import PATH
from bot.cli import cli
from bot.errors import ConfigError
from bot.workspace import Workspace
from tests.journeys.sidebar import browser_at
from tests.waiting import until

HEAD_OFFICE = "he.jing"  # who sees complaints of every branch


@pytest.mark.timeout(240)
async def test_two_doors_and_two_workers_on_one_database_answer_everybody_once(
    workspace: Workspace, shared_url: str, tmp_path: Path
) -> None:
    bank, questions = read_bank(workspace)
    async with AsyncExitStack() as stack:
        wecom = await stack.enter_async_context(local_wecom(workspace))
        settings = {
            **wecom,
            "BOT_DATABASE__URL": shared_url,
            "BOT_SIDEBAR__OAUTH_URL": wecom["BOT_WECOM__API_BASE"] + "/connect/oauth2/authorize",
        }
        doors = [Bot(workspace, tmp_path, settings, "--web-only") for _ in range(2)]
        workers = [Bot(workspace, tmp_path, settings, "--workers-only") for _ in range(2)]
        for process in (*doors, *workers):
            stack.push_async_callback(process.stop)
        await asyncio.gather(*(process.start() for process in (*doors, *workers)))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        town = Town(session, wecom)
        await town.settle(bank)
        await town.listen(doors[0].address + PATH)
        customers = await town.customers(6)
        for customer, question in zip(customers[:3], questions, strict=False):
            await town.ask(customer, question)
        assert await town.all_answered(customers[:3], 20)
        await asyncio.gather(doors[0].stop(), workers[0].stop())
        assert (doors[0].exit_code, workers[0].exit_code) == (0, 0)
        await town.listen(doors[1].address + PATH)
        for customer, question in zip(customers[3:], questions, strict=False):
            await town.ask(customer, question)
        assert await town.all_answered(customers, 20)
        answers = await town.answers(customers)
        assert {len(texts) for texts in answers.values()} == {1}
        async with session.get(f"{doors[1].address}/readyz") as answer:
            told = await answer.json()
        assert (told["role"], told["database"], told["status"]) == ("web", "postgresql", "ready")
        assert told["last_sent_at"]
        async with session.post(f"{workers[1].address}{PATH}") as answer:
            assert answer.status == 404, "workers take no callbacks"
        await the_sidebar_asks_the_workers(doors[1].address, wecom, town, customers[0])

        async def nothing_left() -> bool:
            async with session.get(f"{workers[1].address}/readyz") as answer:
                return (await answer.json())["backlog_seconds"] < 5

        await until(nothing_left, within_s=10)


async def the_sidebar_asks_the_workers(
    door: str, wecom: Mapping[str, str], town: Town, customer: str
) -> None:
    """Sign in at a door, which has no index; what is to be thought about a worker thinks about."""
    await town.ask(customer, "我要投诉，你们的态度太差了")
    sign_in = wecom["BOT_WECOM__API_BASE"] + "/emulator/oauth/sign_in"
    async with browser_at(f"{door}/sidebar") as page:
        async with page.session.post(sign_in, json={"who": HEAD_OFFICE}) as answer:
            assert (await answer.json())["errcode"] == 0
        assert (await page.visit())[0] == 200

        async def complaint_is_there() -> bool:
            return (await page.get(f"api/customer?id={customer}"))[0] == 200

        await until(complaint_is_there, within_s=15)
        body = {"customer": customer, "text": "存单丢了怎么办"}
        status, asked = await page.post("api/ask", body)
        assert status == 202, asked

        async def drafted() -> bool:
            return (await page.get(f"api/ask/{asked['ask']}"))[1]["state"] == "ready"

        await until(drafted, within_s=15)
        status, told = await page.get(f"config?url={door}/sidebar")
        assert status == 200, told


def told(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["serve", *arguments])
    assert result.exit_code != 0
    if isinstance(result.exception, ConfigError):
        return str(result.exception)
    return result.output


@pytest.mark.parametrize("flag", ["--web-only", "--workers-only"])
def test_half_a_bot_on_sqlite_is_refused_in_a_sentence(
    flag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text("", "utf-8")
    sentence = told(flag, "-C", str(tmp_path))
    assert "SQLite" in sentence
    assert "PostgreSQL" in sentence
    assert "\n" not in sentence
    assert not (tmp_path / "data").exists()


def test_both_halves_at_once_are_refused() -> None:
    assert "只能写一个" in told("--web-only", "--workers-only")
