import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FakeClock
from bot.wecom.client import MemoryTokens, WeComClient

START = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
CORP = "ww-test-corp"
SECRET = "test-secret/+=&"


class Wire:
    """A loopback stand-in for WeCom's host: records calls, gives the answers put in beforehand."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str], object]] = []
        self.raw: list[bytes] = []
        self.answers: dict[str, list[object]] = {}
        self.valid: set[str] = set()
        self.tokens = 0
        self.expires_in = 7200
        self.base = ""

    def put(self, path: str, *answers: object) -> None:
        """Queue answers for a path; the last one is given for ever."""
        self.answers[path] = list(answers)

    def count(self, path: str) -> int:
        return sum(1 for called, _, _ in self.calls if called == path)

    def bodies(self, path: str) -> list[object]:
        return [body for called, _, body in self.calls if called == path]

    def queries(self, path: str) -> list[dict[str, str]]:
        return [query for called, query, _ in self.calls if called == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/cgi-bin/")
        body = await self._body(request)
        self.calls.append((path, dict(request.query), body))
        queued = self.answers.get(path)
        answer = (queued.pop(0) if len(queued) > 1 else queued[0]) if queued else None
        if answer is not None and not isinstance(answer, dict):
            return await answer(request)
        if answer is None and path == "gettoken":
            # Others get their turn, as they would while a real answer is on its way.
            await asyncio.sleep(0)
            self.tokens += 1
            self.valid.add(f"token{self.tokens}")
            answer = {"access_token": f"token{self.tokens}", "expires_in": self.expires_in}
        if self._needs_token(request) and request.query.get("access_token") not in self.valid:
            answer = {"errcode": 42001, "errmsg": "access_token expired"}
        return web.json_response({"errcode": 0, "errmsg": "ok", **(answer or {})})

    def _needs_token(self, request: web.Request) -> bool:
        return request.path.startswith("/cgi-bin/") and request.path != "/cgi-bin/gettoken"

    async def _body(self, request: web.Request) -> object:
        if request.content_type.startswith("multipart/"):
            self.raw.append(await request.read())
            return None
        raw = await request.read()
        self.raw.append(raw)
        return await request.json() if raw else None


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", wire.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        wire.base = str(server.make_url("/"))
        yield wire


@pytest.fixture
def tokens() -> MemoryTokens:
    return MemoryTokens()


@pytest.fixture
async def client(wire: Wire, clock: FakeClock, tokens: MemoryTokens) -> AsyncIterator[WeComClient]:
    client = WeComClient(wire.base, CORP, SECRET, tokens, clock, timeout_s=5)
    yield client
    await client.close()
