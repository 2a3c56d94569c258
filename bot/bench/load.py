"""The generator, a process of its own: raw HTTP over kept connections, signed beforehand.

``python -m bot.bench.load`` reads one JSON order from its input and prints one JSON line: what
happened in each turn at each address.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.emulator.callbacks import render_xml
from bot.wecom.crypto import CallbackCrypto

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True)
class Order:
    """What is to be posted: ``rate`` a second as an open loop, or 0 for as fast as it goes.

    The addresses take turns, so that whatever else the machine does weighs on each of them alike.
    In one turn all of them get the same ``count`` requests, for at most so many seconds each.
    """

    urls: tuple[str, ...]
    corp_id: str
    token: str
    aes_key: str
    count: int
    seconds: float
    connections: int
    rate: float
    doorbell: dict[str, str]
    """Account and token of a kf doorbell; every second callback is one, if given."""
    turns: int = 1


def sign(order: Order) -> list[bytes]:
    """Return the requests, each a different callback."""
    crypto = CallbackCrypto(order.token, order.aes_key, order.corp_id)
    path, now = urlsplit(order.urls[0]).path, int(time.time())
    requests = []
    for number in range(order.count * order.turns):
        plain = render_xml(_fields(order, number, now))
        timestamp, nonce = str(now), str(10**9 + number)
        encrypted, signature = crypto.encrypt(plain, nonce, timestamp)
        body = render_xml(
            {"ToUserName": order.corp_id, "AgentID": "", "Encrypt": encrypted}
        ).encode()
        head = (
            f"POST {path}?msg_signature={signature}&timestamp={timestamp}&nonce={nonce} "
            f"HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


def _fields(order: Order, number: int, now: int) -> dict[str, object]:
    head = {"ToUserName": order.corp_id, "CreateTime": now + number}
    if order.doorbell and number % 2:
        return head | {"MsgType": "event", "Event": "kf_msg_or_event"} | order.doorbell
    return head | {
        "FromUserName": f"member{number % 400}",
        "MsgType": "event",  # stored and read; a text would be a question, and its answer the load
        "Event": "view",
        "EventKey": f"https://bank.example/workbench/customers?page={number}",
        "AgentID": 1000002,
    }


class _Line(asyncio.Protocol):
    """One kept connection; it posts, waits for the whole answer, and posts the next."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._answer = b""
        self._due = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport  # type: ignore[assignment]  # a TCP transport can be written to
        self._next()

    def _next(self) -> None:
        """Post the next request when its moment has come."""
        if not self._run.left():
            self._end()
            return
        request, self._due = self._run.take()
        wait = self._due - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._post, request)
        else:
            self._post(request)

    def _post(self, request: bytes) -> None:
        if not self._run.rate:
            self._due = time.perf_counter()
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read the answer; once it is whole, note how long it took."""
        self._answer += data
        head, found, body = self._answer.partition(_END_OF_HEAD)
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        length = next((int(line[len(_LENGTH) :]) for line in lines if line.startswith(_LENGTH)), 0)
        if len(body) < length:
            return
        self._answer = b""
        self._run.note(int(lines[0].split()[1]), self._due)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, also where the other side closed the connection."""
        self._end()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()
        if not self.ended.done():
            self.ended.set_result(None)


class Run:
    """One run of the generator: what is left to post, and how long each answer took.

    In the open loop a request is timed from the moment it was due, so that a server which makes
    the generator wait does not hide it.
    """

    def __init__(self, order: Order, requests: list[bytes]) -> None:
        self.rate = order.rate
        self._requests = deque(requests)
        self._began = time.perf_counter()
        self._until = self._began + order.seconds
        self._posted = 0
        self.latencies: list[float] = []
        self.refused = 0

    def left(self) -> bool:
        """Tell whether there is anything more to post."""
        return bool(self._requests) and time.perf_counter() < self._until

    def take(self) -> tuple[bytes, float]:
        """Return the next request and the moment at which it is due."""
        due = self._began + (self._posted / self.rate if self.rate else 0.0)
        self._posted += 1
        return self._requests.popleft(), due

    def note(self, status: int, due: float) -> None:
        """Note an answer."""
        if status == 200:
            self.latencies.append((time.perf_counter() - due) * 1000)
        else:
            self.refused += 1

    def report(self) -> dict[str, Any]:
        """Return what happened."""
        return {
            "posted": self._posted,
            "accepted": len(self.latencies),
            "refused": self.refused,
            "seconds": time.perf_counter() - self._began,
            "latencies_ms": [round(value, 3) for value in self.latencies],
        }


async def generate(order: Order) -> list[dict[str, Any]]:
    """Post as ordered; return counts, seconds and each latency, of each address in each turn."""
    requests = sign(order)
    reports = []
    for turn in range(order.turns):
        own = requests[turn * order.count : (turn + 1) * order.count]
        reports += [await _turn(order, url, own) for url in order.urls]
    return reports


async def _turn(order: Order, url: str, requests: list[bytes]) -> dict[str, Any]:
    place = urlsplit(url)
    run = Run(order, requests)
    loop = asyncio.get_running_loop()
    lines = []
    for _ in range(order.connections):
        _, line = await loop.create_connection(
            lambda: _Line(run), place.hostname or "", place.port or 80
        )
        lines.append(line)
    await asyncio.gather(*(line.ended for line in lines))
    return run.report()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(generate(Order(**json.load(sys.stdin))))) + "\n")
