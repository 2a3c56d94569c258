"""A local WeCom in a thread of its own: for tests and programs that have no event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TypeVar

from bot.emulator.callbacks import CallbackResult
from bot.emulator.server import serve_emulator
from bot.emulator.world import World

T = TypeVar("T")
CALLBACK_MODULES = ("app", "kf", "contact")
START_LIMIT_S = 30.0


class LocalWeCom:
    """A world served over HTTP with live callbacks, from ``start`` (or ``with``) to ``stop``.

    The world lives in the server's thread: touch it by ``do`` or over HTTP, never directly.
    """

    def __init__(self, world: World, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = world
        self.url = ""
        """The address of this WeCom, without a slash at its end."""
        self._host, self._port = host, port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="local-wecom", daemon=True)

    def start(self) -> None:
        """Serve; returns once ``url`` answers."""
        self._thread.start()
        self._ready.wait(START_LIMIT_S)
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        """Stop serving; returns once everything is closed."""
        if self._loop is None or self._stopping is None or not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(START_LIMIT_S)

    def do(self, act: Callable[[World], T]) -> T:
        """Do something with the world in its own thread and return what came of it."""

        async def work() -> T:
            return act(self.world)

        return self._run(work())

    def point_callbacks_at(
        self, url: str, token: str, aes_key: str, *, agent_id: str = "", verify: bool = False
    ) -> bool:
        """Send every module's callbacks to one URL; tell whether it verified, if it was to."""

        def configure(world: World) -> None:
            for name in CALLBACK_MODULES:
                agent = agent_id if name == "app" else ""
                world.callbacks.configure(name, url, token, aes_key, agent)

        self.do(configure)
        if not verify:
            return True
        return self._run(self.world.callbacks.verify_url(CALLBACK_MODULES[0])).accepted

    def settle(self) -> list[CallbackResult]:
        """Post what is queued and return what became of every callback so far."""

        async def work() -> list[CallbackResult]:
            await self.world.callbacks.flush()
            return list(self.world.callbacks.results)

        return self._run(work())

    def __enter__(self) -> LocalWeCom:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self, work: Coroutine[object, object, T]) -> T:
        if self._loop is None or not self._thread.is_alive():
            work.close()
            raise RuntimeError("the local WeCom is not running: call start() first")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _work(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failed = error
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with serve_emulator(self.world, self._host, self._port) as server:
            self.url = server.base_url
            self._ready.set()
            await self._stopping.wait()
