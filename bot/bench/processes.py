"""Processes of our own: the real bot, the local WeCom and the generator, started and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Literal

import aiohttp

from bot.errors import ConfigError
from bot.workspace import Workspace

_START_WITHIN_S = 150.0
_END_WITHIN_S = 15.0
_POLL_S = 0.02
_EXPORT = re.compile(r"export (BOT_\w+)=(\S+)")
_LAST_EXPORT = "BOT_ARCHIVE__SECRET"


def free_port() -> int:
    """Return a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without the bot's own settings: no real bank is met."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    return kept | {"PYTHONUNBUFFERED": "1"} | more


@asynccontextmanager
async def local_wecom(workspace: Workspace) -> AsyncIterator[dict[str, str]]:
    """Run ``zhilin emulator`` without people in it; give the settings by which a bot reaches it."""
    process = await _start(
        ["-m", "bot", "emulator", "--port", "0", "--empty", "-C", str(workspace.root)],
        clean_environment(),
        stdout=PIPE,
    )
    try:
        yield await asyncio.wait_for(_exports(process), _START_WITHIN_S)
    finally:
        await end(process)


async def _exports(process: Process) -> dict[str, str]:
    found: dict[str, str] = {}
    if process.stdout is None:
        raise RuntimeError("started without a pipe")
    while _LAST_EXPORT not in found:
        line = (await process.stdout.readline()).decode()
        if not line:
            raise ConfigError("本机的企业微信没有起来，请单独运行 zhilin emulator 看原因。")
        if match := _EXPORT.search(line):
            found[match[1]] = match[2]
    return found


class Bot:
    """The real ``zhilin serve`` in a process of its own; it can be killed and started again."""

    def __init__(
        self,
        workspace: Workspace,
        folder: Path,
        settings: Mapping[str, str],
        role: Literal["", "--web-only", "--workers-only"] = "",
    ) -> None:
        self.database = folder / "bench.db"
        self._log = folder / "bot.log"
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._arguments = ["-m", "bot", "serve", "-C", str(workspace.root)]
        if role:  # workers alone listen only where a port is named
            self._arguments += [role, "--port", str(port)]
        own = {
            "BOT_SERVER__HOST": "127.0.0.1",
            "BOT_SERVER__PORT": str(port),
            "BOT_DATABASE__URL": f"sqlite:///{self.database}",
            "BOT_DATABASE__DURABLE": "true",
            "BOT_KNOWLEDGE__FOLDER": str(folder / "index"),
            "BOT_LLM__MODEL": "",
            "BOT_LOG__LEVEL": "WARNING",
        }
        self._environment = clean_environment(**(own | dict(settings)))
        self._process: Process | None = None

    async def start(self) -> None:
        """Start the bot and wait until it can work; raise ``ConfigError`` with its last words."""
        with self._log.open("ab") as log:
            self._process = await _start(self._arguments, self._environment, stderr=log.fileno())
        try:
            await asyncio.wait_for(self._ready(self._process), _START_WITHIN_S)
        except TimeoutError:
            raise ConfigError(f"机器人没有按时起来：{self.last_words()}") from None

    async def _ready(self, process: Process) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                if process.returncode is not None:
                    raise ConfigError(f"机器人没有起来：{self.last_words()}")
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{self.address}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(_POLL_S)

    def twin(self) -> Bot:
        """Return a second bot on the same database, at another address; it is not started."""
        port = str(free_port())
        twin = copy(self)
        twin.address = f"http://127.0.0.1:{port}"
        twin._environment = self._environment | {"BOT_SERVER__PORT": port}
        twin._process = None
        return twin

    async def kill(self) -> None:
        """End the bot as a power cut does (SIGKILL)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> None:
        """End the bot as a deployment does."""
        if self._process is not None:
            await end(self._process)

    def last_words(self) -> str:
        """Return the end of what the bot logged."""
        return self._log.read_text("utf-8", "replace")[-2000:] if self._log.exists() else ""

    @property
    def exit_code(self) -> int | None:
        """Return how the process ended; None while it runs."""
        return self._process.returncode if self._process is not None else None

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid if self._process is not None else 0


@asynccontextmanager
async def running_bot(workspace: Workspace, settings: Mapping[str, str]) -> AsyncIterator[Bot]:
    """Run a bot on a new database in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="zhilin-bench-") as folder:
        bot = Bot(workspace, Path(folder), settings)
        try:
            await bot.start()
            yield bot
        finally:
            await bot.stop()


async def python(arguments: list[str], words: bytes = b"") -> tuple[bytes, int]:
    """Run Python to its end with ``words`` on its input; return its output and exit code."""
    process = await _start(arguments, clean_environment(), stdin=PIPE, stdout=PIPE)
    try:
        output, _ = await process.communicate(words)
    finally:
        await end(process)
    return output, process.returncode or 0


@asynccontextmanager
async def server(arguments: list[str]) -> AsyncIterator[str]:
    """Run a Python server that prints its address in its first line; give the address."""
    process = await _start(arguments, clean_environment(), stdout=PIPE)
    try:
        if process.stdout is None:
            raise RuntimeError("started without a pipe")
        line = await asyncio.wait_for(process.stdout.readline(), _START_WITHIN_S)
        yield line.decode().strip()
    finally:
        await end(process)


async def end(process: Process) -> None:
    """Ask a process to end, and make it end if it does not."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _END_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _start(
    arguments: list[str],
    environment: dict[str, str],
    *,
    stdin: int = DEVNULL,
    stdout: int = DEVNULL,
    stderr: int | None = None,
) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=environment, stdin=stdin, stdout=stdout, stderr=stderr
    )
