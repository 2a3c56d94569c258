"""The bot under test: ours in a process of its own, or any other behind its callback address."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import aiohttp

from bot.bench.processes import Bot, running_bot
from bot.channels.callback import PATH
from bot.errors import ConfigError
from bot.workspace import Workspace

UP_WITHIN_S = 150.0
_END_WITHIN_S = 15.0
_POLL_S = 0.05


class Subject(Protocol):
    """What a scenario may do with the bot under test."""

    callback_url: str

    @property
    def can_restart(self) -> bool:
        """Tell whether it can be ended and started again."""

    async def kill(self) -> None:
        """End it as a power cut does."""

    async def start(self) -> None:
        """Start it again and wait until it answers."""


class OurBot:
    """The real ``zhilin serve``."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.callback_url = bot.address + PATH

    @property
    def can_restart(self) -> bool:
        """Tell that it can: it is started by us."""
        return True

    async def kill(self) -> None:
        """End it as a power cut does."""
        await self._bot.kill()

    async def start(self) -> None:
        """Start it again and wait until it answers."""
        await self._bot.start()


@dataclass
class OtherBot:
    """A bot by its callback address; with a command it can be killed and started again."""

    callback_url: str
    command: str = ""
    _process: Process | None = None

    @property
    def can_restart(self) -> bool:
        """Tell whether there is a command to start it by."""
        return bool(self.command)

    async def kill(self) -> None:
        """End it, with whatever it started itself, as a power cut does."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def start(self) -> None:
        """Start it and wait until something answers at its address."""
        if self.command:
            self._process = await asyncio.create_subprocess_exec(
                *shlex.split(self.command),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=DEVNULL,
                start_new_session=True,
            )
        await self._answers()

    async def stop(self) -> None:
        """End it as a deployment does."""
        if self._process is None or self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), _END_WITHIN_S)
        except TimeoutError:
            await self.kill()

    async def _answers(self) -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(int(UP_WITHIN_S / _POLL_S)):
                if self._process is not None and self._process.returncode is not None:
                    raise ConfigError(f"启动命令已经退出：{self.command}。请单独运行它看原因。")
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(self.callback_url, timeout=aiohttp.ClientTimeout(2)):
                        return
                await asyncio.sleep(_POLL_S)
        raise ConfigError(f"{self.callback_url} 没有人应答。请先启动机器人，再查地址。")


@asynccontextmanager
async def our_bot(workspace: Workspace, settings: Mapping[str, str]) -> AsyncIterator[Subject]:
    """Run our own bot on a new database."""
    async with running_bot(workspace, settings) as bot:
        yield OurBot(bot)


@asynccontextmanager
async def other_bot(callback_url: str, command: str) -> AsyncIterator[Subject]:
    """Meet another bot; one that we start is ended afterwards."""
    async with AsyncExitStack() as stack:
        bot = OtherBot(callback_url, command)
        stack.push_async_callback(bot.stop)
        await bot.start()
        yield bot
