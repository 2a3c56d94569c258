"""A member's browser in WeCom's client: it signs in by the emulator and calls the sidebar."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from bot.emulator.world import World
from tests.journeys.town import Life

HEADERS = {"X-Zhilin": "sidebar"}
Json = dict[str, Any]


@dataclass
class Browser:
    """One browser with its own cookies."""

    base: str
    world: World | None
    session: aiohttp.ClientSession

    async def visit(self, path: str = "", *, follow: bool = True) -> tuple[int, str, URL]:
        """Open a page; return its status, what it shows or where it sends on, and the address."""
        async with self.session.get(self.base + path, allow_redirects=follow) as answer:
            text = answer.headers.get("Location") or await answer.text()
            return answer.status, text, answer.url

    async def sign_in(self, member: str, path: str = "") -> tuple[int, str, URL]:
        """Open the page as a member of staff: WeCom knows who sits at the browser."""
        assert self.world is not None, "of another process: steer it over HTTP"
        self.world.oauth.signed_in = member
        return await self.visit(path)

    async def get(self, path: str, *, headers: Json | None = None) -> tuple[int, Json]:
        head = HEADERS if headers is None else headers
        async with self.session.get(f"{self.base}/{path}", headers=head) as answer:
            return answer.status, await answer.json()

    async def post(
        self, path: str, body: object, *, headers: Json | None = None
    ) -> tuple[int, Json]:
        head = HEADERS if headers is None else headers
        async with self.session.post(f"{self.base}/{path}", json=body, headers=head) as answer:
            return answer.status, await answer.json()

    async def customer(self, customer: str) -> Json:
        status, told = await self.get(f"api/customer?id={customer}")
        assert status == 200, told
        return told

    async def group(self, chat: str) -> Json:
        status, told = await self.get(f"api/group?id={chat}")
        assert status == 200, told
        return told


@asynccontextmanager
async def browser(life: Life, member: str = "") -> AsyncIterator[Browser]:
    """Open a browser before a town's bot, signed in as a member at will."""
    async with browser_at(f"{life.demo.address}/sidebar", life.world, member) as opened:
        yield opened


@asynccontextmanager
async def browser_at(
    base: str, world: World | None = None, member: str = ""
) -> AsyncIterator[Browser]:
    """Open a browser before a sidebar, signed in as a member at will."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of 127.0.0.1, too
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        opened = Browser(base, world, session)
        if member:
            status, text, _ = await opened.sign_in(member)
            assert status == 200, text
        yield opened
