"""So many pieces of work at once: a slow piece holds its own slot and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Slots:
    """Starts pieces of work while there is room; ``kept`` slots are for urgent ones only.

    A worker's ``step`` claims as much as there is room for, starts it and returns; each piece
    writes its own end, and that commit has the worker called again. ``in_turn`` works on each
    piece to its end before the next, so that the same story plays the same way twice.
    """

    def __init__(self, count: int, *, kept: int = 0, in_turn: bool = False) -> None:
        self._count = count
        self._kept = kept
        self._in_turn = in_turn
        self._at_work: dict[asyncio.Task[None], bool] = {}
        self._freed = asyncio.Event()

    def room(self, *, urgent: bool = False) -> int:
        """Return how many more pieces may be started now."""
        free = self._count - len(self._at_work)
        if urgent:
            return free
        others = sum(1 for one in self._at_work.values() if not one)
        return max(0, min(free, self._count - self._kept - others))

    async def wait_for_room(self) -> None:
        """Return once at least one more piece, urgent or not, may be started."""
        while self.room(urgent=True) <= 0:
            self._freed.clear()
            await self._freed.wait()

    async def start(self, work: Coroutine[Any, Any, None], *, urgent: bool = False) -> None:
        """Set a piece of work going; return at once, or after its end where taken in turn.

        The piece must deal with its own errors; one that it lets out ends nothing but itself.
        """
        if self._in_turn:
            await work
            return
        task = asyncio.create_task(work)
        self._at_work[task] = urgent
        task.add_done_callback(self._free)

    def _free(self, task: asyncio.Task[None]) -> None:
        del self._at_work[task]
        self._freed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Said by the loop's own handler, as for every task that nobody awaits.
            task.get_loop().call_exception_handler(
                {"message": "a piece of work failed", "exception": error, "task": task}
            )

    async def drain(self) -> None:
        """Return once nothing is at work; cancelled, it ends what still is."""
        try:
            while self._at_work:
                await asyncio.wait(self._at_work)
        except asyncio.CancelledError:
            for task in self._at_work:
                task.cancel()
            await asyncio.gather(*self._at_work, return_exceptions=True)
            raise
