"""What the local WeCom does by itself when its moment comes: jobs end, customers are handed on."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.emulator.world import World


@dataclass(order=True)
class _Due:
    at: datetime
    number: int
    act: Callable[[], None] = field(compare=False)


@dataclass
class Later:
    """A list of acts by the world's clock; every call to the world does first what is due."""

    world: World = field(repr=False)
    _heap: list[_Due] = field(default_factory=list)
    _number: int = 0
    _added: asyncio.Event = field(default_factory=asyncio.Event)

    def after(self, span: timedelta, act: Callable[[], None]) -> None:
        """Do something once this span of the world's time is over."""
        self._number += 1
        heapq.heappush(self._heap, _Due(self.world.now() + span, self._number, act))
        self._added.set()

    def run_due(self) -> None:
        """Do everything whose moment has come, in order."""
        while self._heap and self._heap[0].at <= self.world.now():
            heapq.heappop(self._heap).act()

    async def _wait(self, moment: datetime | None) -> None:
        """Wait for a moment, or for something new to do where there is none."""
        if moment is None:
            await self._added.wait()
        else:
            await self.world.clock.wait_until(moment)

    async def run(self) -> None:
        """Do each thing as soon as it is due, until cancelled."""
        while True:
            self._added.clear()
            self.run_due()
            moments = {None, self._heap[0].at} if self._heap else {None}
            waits = [asyncio.create_task(self._wait(moment)) for moment in moments]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
