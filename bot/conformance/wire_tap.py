"""Counts what the bot under test asks of the local WeCom, and when."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PREFIX = "/cgi-bin/"


@dataclass
class WireTap:
    """Every API call of the bot, in order."""

    calls: list[tuple[str, float]] = field(default_factory=list)

    def middleware(self) -> Middleware:
        """Return what notes each call down before it is answered."""

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(_PREFIX):
                self.calls.append((request.path.removeprefix(_PREFIX), time.monotonic()))
            return await handler(request)

        return note

    def mark(self) -> int:
        """Return a place to count from."""
        return len(self.calls)

    def count(self, path: str, since: int = 0) -> int:
        """Return how often an API was called since a mark."""
        return sum(1 for called, _ in self.calls[since:] if called == path)
