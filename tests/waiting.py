"""Waiting for something to come true, for so long and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]], within_s: float = 5.0
) -> None:
    """Return once a condition holds; raise ``TimeoutError`` where it does not in time."""
    async with asyncio.timeout(within_s):
        while True:
            holds = condition()
            if isinstance(holds, Awaitable):
                holds = await holds
            if holds:
                return
            await asyncio.sleep(0.002)
