"""A bot that runs against the local WeCom over HTTP, and can be stopped and started again."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web

from bot.app import App, assemble, listening
from bot.channels.callback import PATH
from bot.clock import FakeClock
from bot.config import Settings, load_settings
from bot.demo.town import (
    AGENT_ID,
    ARCHIVE_SECRET,
    CALLBACK_AES_KEY,
    CALLBACK_TOKEN,
    CORP_SECRET,
    Town,
    build_town,
)
from bot.emulator.server import EmulatorServer, build_app, serve_emulator
from bot.parts import Progress
from bot.sop.library import load_bank
from bot.workers.loop import one_by_one
from bot.workspace import Workspace, copy_workspace

_HOST = "127.0.0.1"
_CALLBACKS = ("app", "kf", "contact")
_LONGEST_WAIT = timedelta(seconds=10)  # a persona's 等待合并 allows no more
AddRoutes = Callable[[web.Application, Town], None]


@dataclass
class Demo:
    """A town, its WeCom and the bot; ``restart`` is what a deployment or a crash does."""

    town: Town
    server: EmulatorServer
    settings: Settings
    workspace: Workspace
    clock: FakeClock
    progress: Progress | None = None
    running: bool = False
    port: int = 0
    app: App | None = None
    address: str = ""
    """Where the bot listens: callbacks, and the sidebar."""
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def bot(self) -> App:
        """Return the bot that runs now."""
        if self.app is None:
            raise RuntimeError("the bot is stopped")
        return self.app

    async def start(self) -> None:
        """Start the bot and tell WeCom where it listens."""
        self._open = AsyncExitStack()
        self.app = await self._open.enter_async_context(
            assemble(
                self.settings,
                self.workspace,
                self.clock,
                progress=self.progress,
                manner=one_by_one,
                in_place=not self.running,  # while people look on, the loop must not stand still
            )
        )
        web_half = listening(self.app.web(), _HOST, self.port)
        self.address = await self._open.enter_async_context(web_half)
        client = self.town.world.client
        client.sidebars[AGENT_ID] = self.settings.sidebar.url
        client.entrance = f"{self.settings.sidebar.url}/login"
        for name in _CALLBACKS:
            self.town.world.callbacks.configure(
                name, self.address + PATH, CALLBACK_TOKEN, CALLBACK_AES_KEY
            )

    async def stop(self) -> None:
        """Stop the bot; what it had in hand lies in its database."""
        self.app = None
        await self._open.aclose()

    async def restart(self) -> None:
        """Stop the bot and start it again on the same database."""
        await self.stop()
        await self.start()

    async def settle(self) -> int:
        """Deliver callbacks and let the bot work until neither has anything left to do.

        A clock that stands is pushed over the short wait for the rest of what customers write.
        Returns how many pieces of work the bot did.
        """
        total = 0
        world = self.town.world
        while True:
            await world.callbacks.flush()
            total += await self.bot.tick()
            world.later.run_due()  # what the bot's own calls began may be over at once
            if world.callbacks.waiting:
                continue
            if self.running or not await self._pass_the_wait():
                return total

    async def _pass_the_wait(self) -> bool:
        """Push the clock to the next thing due before a customer's question is complete."""
        now = self.clock.now()
        async with self.bot.database.read() as tx:
            complete_at = await tx.lanes.next_moment(now, now + _LONGEST_WAIT)
            due = await tx.next_due(after=now) if complete_at is not None else None
        if complete_at is None:
            return False
        self.clock.jump(min(due or complete_at, complete_at))
        return True


@asynccontextmanager
async def open_demo(
    workspace: Workspace,
    start: datetime,
    *,
    seed: int = 1,
    groups: int = 20,
    members: int = 400,
    running: bool = False,
    host: str = "127.0.0.1",
    port: int = 0,
    progress: Progress | None = None,
    add_routes: AddRoutes | None = None,
) -> AsyncIterator[Demo]:
    """Open a town with its bot, on a copy of the workspace that may be edited freely.

    With ``running`` the clock flows with the machine's; else it stands until it is pushed.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zhilin-demo-")))
        clock = FakeClock(start, running=running)
        bank = load_bank(workspace.root)  # the bot checks the files in earnest as it starts
        town = build_town(bank, clock, seed=seed, groups=groups, members=members)
        application = build_app(town.world)
        if add_routes is not None:
            add_routes(application, town)
        server = await stack.enter_async_context(
            serve_emulator(town.world, host, port, live=False, app=application)
        )
        copied = copy_workspace(workspace, folder / "workspace")
        bot_port = stack.enter_context(_own_port())
        sidebar = f"http://{_HOST}:{bot_port}/sidebar"
        settings = demo_settings(workspace, copied, server.base_url, town.kf_link, sidebar)
        demo = Demo(town, server, settings, copied, clock, progress, running, bot_port)
        await demo.start()
        stack.push_async_callback(demo.stop)
        yield demo


@contextmanager
def _own_port() -> Iterator[int]:
    """Keep a port for the bot, over its restarts too: cards name its address before it listens.

    Who binds a port without listening keeps it from everybody but who asks for it by number.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind((_HOST, 0))
        yield int(keeper.getsockname()[1])


def demo_settings(
    origin: Workspace, copied: Workspace, wecom: str, kf_link: str, sidebar: str = ""
) -> Settings:
    """Return the workspace's settings, pointed at the local WeCom and a database of its own.

    Vectors come from the workspace's own cache, so that a second demo embeds nothing.
    """
    own = load_settings(origin.config)
    return load_settings(
        copied.config,
        wecom={
            "api_base": wecom,
            "corp_id": "ww0000zhilin000000",
            "secret": CORP_SECRET,
            "agent_id": AGENT_ID,
            "callback_token": CALLBACK_TOKEN,
            "callback_aes_key": CALLBACK_AES_KEY,
        },
        archive={"url": wecom, "secret": ARCHIVE_SECRET},
        kf={"link": kf_link},
        server={"base_path": ""},
        sidebar={
            "enabled": True,
            "url": sidebar,
            "oauth_url": f"{wecom}/connect/oauth2/authorize",
            "sdk_url": f"{wecom}/static/ww.js",
        },
        database={"url": "sqlite:///data/demo.db", "durable": False},
        knowledge={"cache": str(origin.resolve(own.knowledge.cache))},
        sop={"global_holdout": 0.0},  # the town is small: a twentieth of it would tell nothing
    )
