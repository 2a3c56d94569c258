"""A small bank with one app, one kf account and a receiver of callbacks, all on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.clock import FakeClock
from bot.emulator.server import EmulatorServer, serve_emulator
from bot.emulator.world import App, Customer, Member, World
from bot.wecom.crypto import CallbackCrypto, open_echo, open_envelope, parse_xml

START = datetime(2026, 10, 12, 1, 0, tzinfo=UTC)
CORP, SECRET, AGENT = "ww0000zhilin000000", "app-secret-of-the-tests", 1000002
TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
KF, LI, WANG = "wkAAAA", "wmLI", "wmWANG"
MANAGER, OTHER = "zhangsan", "lisi"


@dataclass
class Receiver:
    """A callback URL that decrypts with the receiver's half of the crypto and can misbehave."""

    clock: FakeClock
    url: str = ""
    statuses: list[int] = field(default_factory=list)
    """Statuses to answer with, first come first served; 200 when used up."""
    hold: asyncio.Event | None = None
    """While set and not fired, no answer is given."""
    received: list[dict[str, object]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0
    echo_suffix: str = ""
    reply: str = ""
    """The document to answer callbacks with, encrypted; "" answers with nothing."""

    def crypto(self) -> CallbackCrypto:
        return CallbackCrypto(TOKEN, AES_KEY, CORP)

    async def get(self, request: web.Request) -> web.Response:
        if self.hold is not None:
            await self.hold.wait()
        echo = open_echo(request.query, self.crypto(), self.clock.now())
        return web.Response(text=echo + self.echo_suffix)

    async def post(self, request: web.Request) -> web.Response:
        self.attempts += 1
        body = await request.read()
        if self.hold is not None:
            await self.hold.wait()
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            plain = open_envelope(body, request.query, self.crypto(), self.clock.now())
            self.received.append(parse_xml(plain))
            self.arrived.set()
            if self.reply:
                stamp = str(int(self.clock.now().timestamp()))
                return web.Response(text=self.crypto().reply_xml(self.reply, "n", stamp))
        return web.Response(status=status)

    def take(self) -> list[dict[str, object]]:
        """Return what came since the last time."""
        taken, self.received = self.received, []
        return taken


@dataclass
class Api:
    """A caller of the local WeCom who holds a token."""

    base_url: str
    session: aiohttp.ClientSession
    token: str = ""

    async def gettoken(self, corp: str = CORP, secret: str = SECRET) -> dict[str, Any]:
        params = {"corpid": corp, "corpsecret": secret}
        async with self.session.get(f"{self.base_url}/cgi-bin/gettoken", params=params) as answer:
            body: dict[str, Any] = await answer.json()
        self.token = body.get("access_token", self.token)
        return body

    async def post(self, path: str, body: object = None, **params: str) -> dict[str, Any]:
        url = f"{self.base_url}/cgi-bin/{path}"
        query = {"access_token": self.token, **params}
        async with self.session.post(url, params=query, json=body) as answer:
            assert answer.status == 200
            result: dict[str, Any] = await answer.json()
            return result

    async def get(self, path: str, **params: str) -> dict[str, Any]:
        url = f"{self.base_url}/cgi-bin/{path}"
        query = {"access_token": self.token, **params}
        async with self.session.get(url, params=query) as answer:
            assert answer.status == 200
            result: dict[str, Any] = await answer.json()
            return result

    async def code(self, path: str, body: object = None) -> int:
        return int((await self.post(path, body))["errcode"])

    async def steer(self, path: str, body: object) -> dict[str, Any]:
        """Use a control that must not refuse."""
        answer = await self.control(path, body)
        assert answer["errcode"] == 0, answer
        return answer

    async def control(self, path: str, body: object = None, **params: str) -> dict[str, Any]:
        url = f"{self.base_url}/emulator/{path}"
        call = (
            self.session.get(url, params=params)
            if body is None
            else self.session.post(url, json=body)
        )
        async with call as answer:
            assert answer.status == 200
            result: dict[str, Any] = await answer.json()
            return result


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def world(clock: FakeClock) -> World:
    world = World(clock, corp_id=CORP)
    world.add_app(App(AGENT, SECRET))
    world.add_member(Member(MANAGER, "张三", branch="城东支行"))
    world.add_member(Member(OTHER, "李四", branch="城东支行"))
    world.add_customer(Customer(LI, "李女士", age=67, unionid="union-li"))
    world.add_customer(Customer(WANG, "王先生"))
    world.kf.add_account("小安", KF)
    world.kf.add_servicer(KF, MANAGER)
    world.kf.add_servicer(KF, OTHER)
    return world


@pytest.fixture
async def receiver(clock: FakeClock, world: World) -> AsyncIterator[Receiver]:
    receiver = Receiver(clock)
    app = web.Application()
    app.router.add_get("/wecom/callback", receiver.get)
    app.router.add_post("/wecom/callback", receiver.post)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/wecom/callback"
    world.callbacks.configure("app", receiver.url, TOKEN, AES_KEY, str(AGENT))
    yield receiver
    if receiver.hold is not None:
        receiver.hold.set()
    await world.callbacks.close()
    await runner.cleanup()


@pytest.fixture
async def server(world: World) -> AsyncIterator[EmulatorServer]:
    async with serve_emulator(world, live=False) as server:
        yield server


@pytest.fixture
async def api(server: EmulatorServer) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        api = Api(server.base_url, session)
        await api.gettoken()
        yield api
