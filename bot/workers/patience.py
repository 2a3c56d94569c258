"""What must be written although the database is away: tried again until it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.errors import DatabaseFailed

_EVERY_S = 0.5
_TRIES = 100  # within the lease of what is held; then it has run out by itself


async def surely(write: Callable[[], Awaitable[None]]) -> None:
    """Write, again and again while the database fails; raise ``DatabaseFailed`` in the end.

    A server that restarts is away for seconds: without this whoever is waited for would wait for
    the lease of the claim, and a mass-send task that WeCom has taken would count as unknown.
    """
    for _ in range(_TRIES):
        try:
            await write()
        except DatabaseFailed:
            await asyncio.sleep(_EVERY_S)
        else:
            return
    await write()
