"""A post office between the local WeCom and the bot: it can repeat callbacks or hold them back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from bot.app import listening
from bot.channels.callback import PATH

_PATIENCE = aiohttp.ClientTimeout(total=5.0)  # as long as WeCom itself waits


@dataclass(frozen=True)
class Posted:
    """A callback as WeCom posted it."""

    query: dict[str, str]
    body: bytes


class Relay:
    """Passes callbacks on, ``copies`` times at once, or keeps them while ``holding``."""

    def __init__(self, session: aiohttp.ClientSession, bot: str, copies: int) -> None:
        self._session = session
        self._url = bot + PATH
        self._copies = copies
        self._held: list[Posted] = []
        self._received = 0
        self._news = asyncio.Condition()
        self.holding = False
        self.acknowledged = 0

    async def receive(self, request: web.Request) -> web.Response:
        """Take a callback; a held one is answered 200 for the bot."""
        posted = Posted(dict(request.query), await request.read())
        async with self._news:
            self._received += 1
            if self.holding:
                self._held.append(posted)
            self._news.notify_all()
        if self.holding:
            return web.Response()
        statuses = await asyncio.gather(*(self.post(posted) for _ in range(self._copies)))
        return web.Response(status=max(statuses))

    async def received(self, count: int) -> None:
        """Wait until so many callbacks have come from WeCom."""
        async with self._news:
            await self._news.wait_for(lambda: self._received >= count)

    async def held(self, count: int) -> list[Posted]:
        """Wait until so many callbacks are held; return them."""
        async with self._news:
            await self._news.wait_for(lambda: len(self._held) >= count)
            return list(self._held)

    def forget(self) -> None:
        """Throw away what was held; whoever held it back has it."""
        self._held.clear()

    async def post(self, posted: Posted) -> int:
        """Post a callback to the bot; return the HTTP status, 502 where nobody answered."""
        try:
            async with self._session.post(
                self._url, params=posted.query, data=posted.body, timeout=_PATIENCE
            ) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return 502
        self.acknowledged += answer.status == 200
        return answer.status


@asynccontextmanager
async def relaying(
    session: aiohttp.ClientSession, bot: str, *, copies: int = 1
) -> AsyncIterator[tuple[Relay, str]]:
    """Open a relay before the bot; give it with the URL that WeCom is to post to."""
    relay = Relay(session, bot, copies)
    application = web.Application()
    application.add_routes([web.post(PATH, relay.receive)])
    async with listening(application, "127.0.0.1", 0) as address:
        yield relay, address + PATH
