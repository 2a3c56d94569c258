"""A local WeCom with people in it, a relay, and the real bot: what the journeys are played on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bot.bench.processes import Bot, local_wecom, running_bot
from bot.bench.questions import read_bank
from bot.bench.relay import Relay, relaying
from bot.bench.town import Town
from bot.config import load_settings
from bot.workspace import Workspace

SMALL_BOT = {"BOT_EMBEDDING__MODEL": "use-m3", "BOT_KNOWLEDGE__STORE": "memory"}
"""Settings of a bot that is up soon: for journeys that do not measure its answers."""


@dataclass(frozen=True)
class Scene:
    """What a journey needs in its hands."""

    bot: Bot
    town: Town
    relay: Relay
    wecom: Mapping[str, str]
    questions: list[str]


@asynccontextmanager
async def open_scene(
    workspace: Workspace, *, copies: int = 1, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Scene]:
    """Open a scene; ``settings`` are environment settings of the bot on top of the usual ones."""
    bank, questions = read_bank(workspace)
    cache = workspace.resolve(load_settings(workspace.config).knowledge.cache)
    async with (
        local_wecom(workspace) as wecom,
        running_bot(
            workspace,
            {**wecom, "BOT_KNOWLEDGE__CACHE": str(cache), **(settings or {})},
        ) as bot,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
        relaying(session, bot.address, copies=copies) as (relay, url),
    ):
        town = Town(session, wecom)
        await town.settle(bank)
        await town.listen(url)
        yield Scene(bot, town, relay, wecom, questions)
