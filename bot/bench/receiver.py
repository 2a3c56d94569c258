"""Receivers to compare, each a process of its own: ``python -m bot.bench.receiver KIND ORDER``.

``endpoint`` is the bot's own web application on an fsynced database, without the workers behind
it; ``bare`` an aiohttp handler that only checks and decrypts, by the same function; ``null``
answers 200 without HTTP worth the name, which shows the generator's own ceiling.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.channels.callback import PATH, CallbackEndpoint
from bot.clock import SystemClock
from bot.console.health import Health
from bot.front import application_of, listening
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.storage.notices import NoticeWriter
from bot.wecom.crypto import REPLAY_WINDOW_S, CallbackCrypto, open_envelope

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_LOOPBACK = "127.0.0.1"


class _Null(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"</xml>"):
            self._transport.write(_OK)  # type: ignore[attr-defined]  # a TCP transport


@asynccontextmanager
async def _null() -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(_Null, _LOOPBACK, 0)
    async with server:
        yield f"http://{_LOOPBACK}:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def _bare(crypto: CallbackCrypto) -> AsyncIterator[str]:
    clock = SystemClock()

    async def receive(request: web.Request) -> web.Response:
        open_envelope(await request.read(), request.query, crypto, clock.now())
        return web.Response()

    application = web.Application()
    application.add_routes([web.post(PATH, receive)])
    async with listening(application, _LOOPBACK, 0) as address:
        yield address


@asynccontextmanager
async def _endpoint(crypto: CallbackCrypto, url: str) -> AsyncIterator[str]:
    clock = SystemClock()
    database = await Database.open(url)
    try:
        await upgrade(database)
        endpoint = CallbackEndpoint(
            {"": crypto}, NoticeWriter(database, clock), clock, int(REPLAY_WINDOW_S)
        )
        application = application_of(endpoint, Health(database, clock))
        async with listening(application, _LOOPBACK, 0) as address:
            yield address
    finally:
        await database.close()


async def receive(kind: str, order: dict[str, str]) -> None:
    """Serve until told to stop, after printing the address."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    crypto = CallbackCrypto(order["token"], order["aes_key"], order["corp_id"])
    receivers = {
        "endpoint": lambda: _endpoint(crypto, order["database"]),
        "bare": lambda: _bare(crypto),
        "null": _null,
    }
    async with receivers[kind]() as address:
        sys.stdout.write(address + "\n")
        sys.stdout.flush()
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(receive(sys.argv[1], json.loads(sys.argv[2])))
