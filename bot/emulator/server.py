"""The local WeCom as a web server: ``/cgi-bin`` as WeCom has it, ``/emulator`` to steer it by."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from aiohttp import web

from bot.emulator import (
    aibot_controls,
    aibot_people,
    aibot_socket,
    aibot_webhook,
    app_send,
    archive,
    broadcast,
    contact,
    controls,
    groups,
    kf_account,
    kf_send,
    kf_session,
    kf_upgrade,
    media,
    more,
    settlers,
    tokens,
    webhook,
)
from bot.emulator.wire import Answer, Api, ApiError, Call
from bot.emulator.world import World

APIS: tuple[Api, ...] = (
    *tokens.APIS,
    *kf_account.APIS,
    *kf_session.APIS,
    *kf_send.APIS,
    *kf_upgrade.APIS,
    *app_send.APIS,
    *media.APIS,
    *contact.APIS,
    *groups.APIS,
    *broadcast.APIS,
    *more.APIS,
    *aibot_webhook.APIS,
    *webhook.APIS,
)
CONTROLS: tuple[Api, ...] = (
    *controls.CONTROLS,
    *settlers.CONTROLS,
    *media.CONTROLS,
    *contact.CONTROLS,
    *groups.CONTROLS,
    *broadcast.CONTROLS,
    *more.CONTROLS,
    *aibot_controls.CONTROLS,
)
_MAX_UPLOAD_BYTES = 24 * 1024 * 1024
_MAX_JSON_BYTES = 2 * 1024 * 1024
_UNLIMITED = frozenset({"message/send", "auth/getuserinfo"})

WORLD = web.AppKey("world", World)


class _Endpoint:
    """Answers the calls of one world in WeCom's shape."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls = 0
        self._running: Counter[str] = Counter()
        self._apis: dict[str, dict[str, Api]] = {}
        for api in APIS:
            self._apis.setdefault(api.path, {})[api.method] = api

    async def cgi(self, request: web.Request) -> web.StreamResponse:
        """Answer a call below ``/cgi-bin/``; API errors are answered with HTTP status 200."""
        path = request.match_info["path"]
        methods = self._apis.get(path)
        if methods is None:
            raise web.HTTPNotFound(text="no such API")
        self._running[path] += 1
        try:
            fault = self._world.faults.take(path, "slow")
            if fault is not None:
                await asyncio.sleep(fault.seconds)
            response = await self._answered(self._cgi_answer(methods, path, request))
        finally:
            self._running[path] -= 1
        if self._world.faults.take(path, "lost_answer") is not None and request.transport:
            request.transport.close()
        return response

    def control(self, api: Api) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the handler of a route below ``/emulator/``."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._answered(self._control_answer(api, request))

        return handle

    async def _control_answer(self, api: Api, request: web.Request) -> Answer:
        body = await _json_body(request)
        self._world.later.run_due()
        call = Call(body, request.query, self._world.corp_id, 0, request)
        return await api.handler(self._world, call)

    async def _cgi_answer(self, methods: dict[str, Api], path: str, request: web.Request) -> Answer:
        api = methods.get(request.method)
        if api is None:
            raise ApiError(40063, f"{request.method} is not the method of this API")
        self._world.later.run_due()
        agent_id = self._caller(path, request) if api.token else 0
        self._limit(path, request.remote or "")
        body = await _json_body(request)
        call = Call(body, request.query, self._world.corp_id, agent_id, request)
        return await api.handler(self._world, call)

    def _limit(self, path: str, ip: str) -> None:
        """Refuse by an ordered fault, by how often and by how many at once."""
        world = self._world
        fault = world.faults.take(path, "errcode")
        if fault is not None:
            raise ApiError(fault.errcode, f"from ip: {ip}" if fault.errcode == 60020 else "")
        blocked = world.faults.take(path, "rate_limited")
        if blocked is not None:
            world.limits.block(path, world.now(), timedelta(seconds=blocked.seconds or 60))
        if path not in _UNLIMITED and not world.limits.allow_api(path, world.now(), ip):
            raise ApiError(45009)
        if 0 < world.limits.api_at_once < self._running[path]:
            raise ApiError(45033)

    def _caller(self, path: str, request: web.Request) -> int:
        token = request.query.get("access_token", "")
        fault = self._world.faults.take(path, "token_expiry")
        if fault is not None:
            self._world.tokens.withdraw(token, fault.errcode or tokens.EXPIRED)
        app = self._world.tokens.check(token)
        if app.allowed_ips is not None and request.remote not in app.allowed_ips:
            raise ApiError(60020, f"from ip: {request.remote}")
        return app.agent_id

    async def _answered(self, work: Awaitable[Answer]) -> web.StreamResponse:
        try:
            answer = await work
        except ApiError as error:
            return _json(error.body(self._hint()))
        if isinstance(answer, web.StreamResponse):
            return answer
        return _json({"errcode": 0, "errmsg": "ok", **answer})

    def _hint(self) -> str:
        """Return a trace id in WeCom's shape: seconds, a number, 32 hex digits."""
        self._calls += 1
        seconds = self._world.timestamp()
        trace = hashlib.sha256(f"{seconds}:{self._calls}".encode()).hexdigest()[:32]
        return f"{seconds}_{self._calls}_{trace}"


def build_app(world: World) -> web.Application:
    """Return the web application of one world: every API, the archive, the controls."""
    app = web.Application(client_max_size=_MAX_UPLOAD_BYTES)
    app[WORLD] = world
    endpoint = _Endpoint(world)
    app.router.add_route("*", "/cgi-bin/{path:.+}", endpoint.cgi)
    app.router.add_routes(archive.routes(world))
    app.router.add_routes(more.routes(world))
    app.router.add_routes(aibot_socket.routes(world))
    app.router.add_routes(aibot_people.media_routes(world))
    for api in CONTROLS:
        app.router.add_route(api.method, f"/emulator/{api.path}", endpoint.control(api))
    return app


class EmulatorServer:
    """A world being served over HTTP on one address."""

    def __init__(self, world: World, app: web.Application, *, live: bool = True) -> None:
        self.world = world
        self.base_url = ""
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self._live = live
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, host: str, port: int) -> None:
        """Listen; with ``live`` also post callbacks as soon as they are queued."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound = self._runner.addresses[0][1]
        self.base_url = f"http://{host}:{bound}"
        self.world.base_url = self.base_url
        if self._live:
            self._tasks = [
                asyncio.create_task(self.world.callbacks.run()),
                asyncio.create_task(self.world.later.run()),
                asyncio.create_task(self.world.bot_poster.run()),
            ]

    async def stop(self) -> None:
        """Stop listening and posting; what is still queued stays queued."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.world.fetches.close()
        await self.world.callbacks.close()
        await self.world.bot_poster.close()
        self.world.aibot_lines.hang_up()
        await self._runner.cleanup()


@asynccontextmanager
async def serve_emulator(
    world: World,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    live: bool = True,
    app: web.Application | None = None,
) -> AsyncIterator[EmulatorServer]:
    """Serve a world while the context lasts; port 0 takes a free one.

    Without ``live`` callbacks wait for ``world.callbacks.flush()``. ``app`` is what
    :func:`build_app` gave, with a page or more routes added to it.
    """
    server = EmulatorServer(world, app or build_app(world), live=live)
    try:
        await server.start(host, port)
        yield server
    finally:
        await server.stop()


async def _json_body(request: web.Request) -> dict[str, object]:
    """Return the JSON object of a POST; nothing is read from a GET or an upload."""
    if request.method != "POST" or request.content_type.startswith("multipart/"):
        return {}
    raw = await request.read()
    if len(raw) > _MAX_JSON_BYTES:
        raise ApiError(40206)
    if not raw:
        return {}
    try:
        body = json.loads(raw)
        if b"\\u" in raw:
            # Half a character, written as an escape, is JSON but cannot be written out as UTF-8.
            json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ApiError(40033) from None
    except (ValueError, RecursionError):
        raise ApiError(40058, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise ApiError(40058, "the body is not a JSON object")
    return body


def _json(body: dict[str, object]) -> web.Response:
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, content_type="application/json")
