"""Tells other processes on the same PostgreSQL that there is work, and hears it from them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.log import logger

log = logger(__name__)
_CHANNEL = "zhilin_work"
_TOGETHER_S = 0.005  # what is committed within this time is told in one go
_AGAIN_S, _AGAIN_AT_MOST_S = 1.0, 60.0
_LOOK_EVERY_S = 30.0  # whether the line still stands, when nothing is told for long
_ANSWER_S = 5.0


class Bell:
    """One connection of its own that listens and rings; while it is lost, workers still poll.

    It rings after the commit: told inside the transaction, every commit would wait in one line.
    """

    def __init__(self, engine: AsyncEngine, heard: Callable[[], None]) -> None:
        self._engine = engine
        self._heard = heard
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    def hang(self) -> None:
        """Begin to listen."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep())

    def ring(self) -> None:
        """Tell the others soon; nobody waits for it."""
        self._rung.set()

    async def take_down(self) -> None:
        """Stop listening and ringing."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._engine.dispose()

    async def _keep(self) -> None:
        """Listen and ring, and connect anew whenever the line is lost."""
        pause_s = _AGAIN_S
        while True:
            try:
                await self._serve()
            except Exception as error:
                log.warning("bell_lost", error=type(error).__name__)
            if self.listening.is_set():
                pause_s = _AGAIN_S
            self.listening.clear()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _AGAIN_AT_MOST_S)

    async def _serve(self) -> None:
        async with self._engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            lost = asyncio.Event()
            mine = raw.get_server_pid()

            def on_end(_: object) -> None:
                lost.set()
                self._rung.set()

            def on_news(_: object, by: int, *rest: object) -> None:
                if by != mine:
                    self._heard()

            raw.add_termination_listener(on_end)
            await raw.add_listener(_CHANNEL, on_news)
            self._heard()  # what was told while nobody listened
            self.listening.set()
            while not lost.is_set():
                try:
                    async with asyncio.timeout(_LOOK_EVERY_S):
                        await self._rung.wait()
                except TimeoutError:
                    await raw.execute("SELECT 1", timeout=_ANSWER_S)
                    continue
                await asyncio.sleep(_TOGETHER_S)
                self._rung.clear()
                if not lost.is_set():
                    await raw.execute(f"NOTIFY {_CHANNEL}", timeout=_ANSWER_S)
