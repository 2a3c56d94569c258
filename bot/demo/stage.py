"""The live demo on one address: three phones, the director's desk, and the bot behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from aiohttp import web

from bot.demo.desk import add_desk
from bot.demo.director import Director
from bot.demo.running import open_demo
from bot.demo.story import START
from bot.demo.town import Town
from bot.emulator.page import page_routes
from bot.errors import ConfigError
from bot.parts import Progress
from bot.workspace import Workspace


@asynccontextmanager
async def open_stage(
    workspace: Workspace,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 1,
    start: datetime = START,
    progress: Progress | None = None,
    groups: int = 20,
    members: int = 400,
) -> AsyncIterator[tuple[str, Director]]:
    """Open the demo with its page and keep it alive; give its address and its director."""
    waiting = _Waiting()
    async with open_demo(
        workspace,
        start,
        seed=seed,
        groups=groups,
        members=members,
        running=True,
        host=host,
        port=port,
        progress=progress,
        add_routes=waiting.add_routes,
    ) as demo:
        director = Director(demo, seed)
        account = demo.town.world.kf.account(demo.town.kf_account)
        for customer in demo.town.visitors:
            account.conversation(customer)
        await director.open()
        waiting.director = director
        stopping = asyncio.Event()
        beating = asyncio.create_task(director.run(stopping))
        try:
            yield demo.server.base_url, director
        finally:
            stopping.set()
            await beating


class _Waiting:
    """Mounts the page before there is a director, and lets it in once there is."""

    def __init__(self) -> None:
        self.director: Director | None = None

    def add_routes(self, application: web.Application, town: Town) -> None:
        application.add_routes(page_routes(town.world, desk=True))
        add_desk(application, self._directing)

    def _directing(self) -> Director:
        if self.director is None:
            raise web.HTTPServiceUnavailable(text="小安正在准备，请稍等几秒再刷新。")
        return self.director


async def run_stage(
    workspace: Workspace,
    host: str,
    port: int,
    seed: int,
    progress: Progress,
    ready: Callable[[str], None],
    stopping: asyncio.Event,
) -> None:
    """Serve the demo until told to stop; ``ready`` is given the address once it can be opened."""
    try:
        async with open_stage(workspace, host=host, port=port, seed=seed, progress=progress) as (
            address,
            _,
        ):
            ready(address)
            await stopping.wait()
    except OSError as error:
        raise ConfigError(
            f"{host} 的端口 {port} 用不了，多半已被占用。请换一个端口(--port)。"
        ) from error
