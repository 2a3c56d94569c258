"""The callback endpoint on a database of its own, over real HTTP, and a WeCom that posts to it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest

from bot.channels.callback import PATH, CallbackEndpoint
from bot.clock import FakeClock
from bot.console.health import Health
from bot.domain.events import Notice
from bot.emulator.callbacks import render_xml
from bot.front import application_of, listening
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.storage.notices import NoticeWriter
from bot.wecom.crypto import CallbackCrypto
from tests.make import NOON

CORP = "ww0123456789abcdef"
KEYS = {
    "now": ("Token2026", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"),
    "before": ("Token2025", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"),
    "bot": ("BotToken", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"),
    "stranger": ("Guessed", "GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG"),
}
BEFORE = CallbackCrypto(*KEYS["before"], CORP)
NOW = CallbackCrypto(*KEYS["now"], CORP, BEFORE)
BOT = CallbackCrypto(*KEYS["bot"], "")
STRANGER = CallbackCrypto(*KEYS["stranger"], CORP)


class Echo:
    """An acknowledger: keeps what is no poll, and answers with how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    def keeps(self, body: str) -> bool:
        return json.loads(body).get("msgtype") != "stream"

    async def acknowledge(self, body: str) -> str:
        self.asked += 1
        if self.fails:
            raise RuntimeError("no words")
        silent = json.loads(body).get("msgtype") == "event"
        return "" if silent else json.dumps({"msgtype": "stream", "asked": self.asked})


@dataclass
class Post:
    """One request as WeCom sends it; tests change what they like."""

    body: bytes
    query: dict[str, str]


def sealed(
    plain: str,
    crypto: CallbackCrypto = NOW,
    *,
    nonce: str = "1372623149",
    at: int = 0,
    form: str = "xml",
) -> Post:
    timestamp = str(at or int(NOON.timestamp()))
    encrypted, signature = crypto.encrypt(plain, nonce, timestamp)
    return Post(
        envelope(encrypted, form),
        {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce},
    )


def envelope(encrypted: str, form: str = "xml") -> bytes:
    if form == "json":
        return json.dumps({"encrypt": encrypted}).encode()
    return render_xml({"ToUserName": CORP, "AgentID": "", "Encrypt": encrypted}).encode()


def locked(content: bytes, crypto: CallbackCrypto = NOW) -> Post:
    """Sign bytes that are no message: only a broken WeCom could send them."""
    encrypted = base64.b64encode(content).decode()
    timestamp = str(int(NOON.timestamp()))
    query = {"timestamp": timestamp, "nonce": "n"}
    query["msg_signature"] = crypto.sign(timestamp, "n", encrypted)
    return Post(envelope(encrypted), query)


class Door:
    """Everything a test needs at the door."""

    def __init__(self, database: Database, session: aiohttp.ClientSession, address: str) -> None:
        self.database = database
        self.session = session
        self.address = address
        self.clock = FakeClock(NOON)
        self.echo = Echo()

    async def post(self, post: Post, path: str = "", **more: Any) -> tuple[int, bytes]:
        url = self.address + PATH + path
        async with self.session.post(url, params=post.query, data=post.body, **more) as answer:
            return answer.status, await answer.read()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> tuple[int, str]:
        async with self.session.get(self.address + path, params=query) as answer:
            return answer.status, await answer.text()

    async def stored(self) -> list[Notice]:
        async with self.database.read() as tx:
            rows = await tx.connection.exec_driver_sql(
                "SELECT key, channel, body, lane FROM notices ORDER BY id"
            )
            return [Notice(**row._mapping) for row in rows]

    async def raw(self, request: bytes, *, end: bool = False) -> bytes:
        """Send bytes over a connection of their own and return the head of the answer, if any.

        ``end`` closes our half after them, as somebody does who hangs up in the middle.
        """
        place = urlsplit(self.address)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        answer = b""
        try:
            writer.write(request)
            if end:
                writer.write_eof()
            async with asyncio.timeout(10):
                answer = await reader.readuntil(b"\r\n\r\n")
                if answer.startswith(b"HTTP/1.1 100"):  # "go on": the answer itself follows
                    answer = await reader.readuntil(b"\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # hung up on us: an answer as well
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        return answer


def head(query: Mapping[str, str], *lines: str, path: str = PATH) -> bytes:
    """Return the head of a raw request, which asks for the connection's end."""
    first = f"POST {path}?{urlencode(query, errors='surrogateescape')} HTTP/1.1"
    usual = ("Host: 127.0.0.1", "Connection: close")
    return "\r\n".join((first, *usual, *lines, "", "")).encode()


@cache
def _empty_database() -> bytes:
    """Make a database once, to be copied: migrating it again takes longer than most tests."""
    with TemporaryDirectory(prefix="zhilin-door-") as folder:
        file = Path(folder) / "empty.db"
        asyncio.run(_migrate(file))
        return file.read_bytes()


async def _migrate(file: Path) -> None:
    database = await Database.open(f"sqlite:///{file}", durable=False)
    await upgrade(database)
    await database.close()


@asynccontextmanager
async def open_door(file: Path, base_path: str = "") -> AsyncIterator[Door]:
    """Open the web half on a new database; the configurations are app, kf and the AI bot."""
    await asyncio.to_thread(lambda: file.write_bytes(_empty_database()))
    database = await Database.open(f"sqlite:///{file}", durable=False)
    try:
        async with aiohttp.ClientSession() as session:
            door = Door(database, session, "")
            endpoint = CallbackEndpoint(
                {"": NOW, "kf": NOW, "aibot": BOT},
                NoticeWriter(database, door.clock),
                door.clock,
                3600,
                {"aibot": door.echo},
            )
            application = application_of(endpoint, Health(database, door.clock), base_path)
            async with listening(application, "127.0.0.1", 0) as address:
                door.address = address
                yield door
    finally:
        await database.close()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path / "door.db") as opened:
        yield opened
