"""Staff and their AI bot in the town: who asks, and waiting for what comes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.channels.aibot_line import AibotLine
from bot.config.parts import AibotSettings
from bot.emulator import aibot_people
from bot.emulator.aibot import AiBot, Shown
from bot.emulator.contact import befriend
from bot.emulator.world import Customer
from bot.workspace import Workspace
from tests.journeys.town import Life, live

BOT, SECRET = "aib-of-the-bank", "secret-of-the-bot"
TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
RM, HEAD, STRANGER = "li.min", "shen.mingyuan", "chen.xiaowen"
QUESTION = "大额存单提前支取怎么算"


async def until(life: Life, holds: Callable[[], bool], within_s: float = 10.0) -> None:
    """Let everybody work until something holds."""
    limit = time.monotonic() + within_s
    while True:
        await life.settle()
        await life.world.bot_poster.flush()
        if holds():
            return
        assert time.monotonic() < limit, "it did not come about"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def town(workspace: Workspace, **settings: object) -> AsyncIterator[Life]:
    """Open a town whose bot is started with other settings."""
    async with live(workspace, groups=1, members=10) as life:
        await restart(life, **settings)
        yield life


async def restart(life: Life, **settings: object) -> None:
    """Start the bot anew with other settings."""
    await life.demo.stop()
    life.demo.settings = life.demo.settings.model_copy(update=settings)
    await life.demo.start()
    await life.settle()


@asynccontextmanager
async def town_with_a_bot(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a town whose staff have an AI bot on a WebSocket."""
    async with live(workspace, groups=1, members=10) as life:
        life.world.aibots.add(AiBot(BOT, SECRET))
        url = life.demo.server.base_url.replace("http", "ws") + "/aibot/ws"
        await restart(
            life, aibot=AibotSettings(mode="websocket", bot_id=BOT, secret=SECRET, ws_url=url)
        )
        await until(life, lambda: BOT in life.world.aibot_lines.live)
        yield life


@asynccontextmanager
async def town_with_a_webhook_bot(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a town whose staff have an AI bot that is called by HTTP."""
    bot = AibotSettings(mode="webhook", token=TOKEN, aes_key=AES_KEY)
    async with town(workspace, aibot=bot) as life:
        url = life.world.callbacks.configs["app"].url + "/aibot"
        mine = AiBot(BOT, "", mode="webhook", url=url, token=TOKEN, aes_key=AES_KEY)
        life.world.aibots.add(mine)
        yield life


def line_of(life: Life) -> AibotLine:
    return next(one for one in life.demo.bot.workers if isinstance(one, AibotLine))


def last(life: Life, userid: str) -> Shown:
    return life.world.aibots.seen_by(userid)[-1]


async def ask(life: Life, text: str, userid: str = RM, chatid: str = "") -> str:
    """Let a member ask; return the finished answer."""
    chat = chatid or userid
    before = len(life.world.aibots.seen_by(chat))
    aibot_people.says(life.world, BOT, userid, text, chatid=chatid)
    await until(
        life,
        lambda: len(life.world.aibots.seen_by(chat)) > before and last(life, chat).finished,
    )
    return last(life, chat).text


async def two_of_one_surname(life: Life) -> None:
    for number, name in enumerate(("欧阳桂芳", "欧阳建国")):
        life.world.add_customer(Customer(f"wmOu{number}", name))
        befriend(life.world, RM, f"wmOu{number}")
    await life.wait(1)
