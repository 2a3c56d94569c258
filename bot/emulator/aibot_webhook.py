"""The webhook side of AI bots: encrypted JSON callbacks, streams polled about once a second."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.emulator import aibot_say
from bot.emulator.aibot import STREAM_LIFE, AiBot, BotCallback
from bot.emulator.wire import Answer, Api, ApiError, Call, inner_call
from bot.errors import CallbackRejected
from bot.wecom.crypto import CallbackCrypto

if TYPE_CHECKING:
    from bot.emulator.world import World

ATTEMPTS = 3
ANSWER_LIMIT_S = 5.0
VERIFY_LIMIT_S = 1.0
REFRESH_EVERY = timedelta(seconds=1)


@dataclass
class _OpenStream:
    told: BotCallback
    stream_id: str
    next_at: datetime


@dataclass
class BotPoster:
    """Posts callbacks to bots in webhook mode and reads what they answer in the response."""

    world: World = field(repr=False)
    answers: list[tuple[str, str]] = field(default_factory=list)
    """What came of each POST: (msgtype that was posted, "ok", "empty", or what was wrong)."""
    _queue: deque[BotCallback] = field(default_factory=deque)
    _streams: list[_OpenStream] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _posting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _session: aiohttp.ClientSession | None = None

    def __post_init__(self) -> None:
        self.world.aibots.carry["webhook"] = self.carry

    def carry(self, bot: AiBot, told: BotCallback) -> None:
        """Queue a callback."""
        self._queue.append(told)
        self._news.set()

    @property
    def waiting(self) -> bool:
        """Tell whether something is to be posted now."""
        due = any(one.next_at <= self.world.now() for one in self._streams)
        return due or bool(self._queue)

    @property
    def next_at(self) -> datetime | None:
        """Return when the next refresh is due."""
        return min((one.next_at for one in self._streams), default=None)

    async def flush(self) -> None:
        """Post what is queued, and one refresh for each stream whose second has passed."""
        async with self._posting:
            while self._queue:
                told = self._queue.popleft()
                answer = await self._deliver(told, told.body)
                if answer is not None:
                    self._take(told, answer)
            now = self.world.now()
            for one in [stream for stream in self._streams if stream.next_at <= now]:
                await self._refresh(one)

    async def run(self) -> None:
        """Flush whenever something is queued or due, until cancelled."""
        while True:
            self._news.clear()
            await self.flush()
            waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._news.wait())]
            if (moment := self.next_at) is not None:
                waits.append(asyncio.ensure_future(self.world.clock.wait_until(moment)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    async def verify(self, bot_id: str) -> int:
        """Check a bot's address as the console does when it is saved; 200 is good."""
        bot = self.world.aibots.need(bot_id)
        echo = str(self.world.rng.getrandbits(63))
        params = self._signed(bot, echo)
        params["echostr"] = params.pop("encrypted")
        status, body = await self._request("GET", bot.url, params, None, VERIFY_LIMIT_S)
        return -1 if status == 200 and body != echo.encode() else status

    async def close(self) -> None:
        """Close the connections; the queue stays."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _refresh(self, one: _OpenStream) -> None:
        told = one.told
        shown = self.world.aibots.stream(told.bot_id, one.stream_id)
        over = told.at + STREAM_LIFE["webhook"] <= self.world.now()
        if shown is None or shown.finished or shown.expired or over:
            if shown is not None and not shown.finished:
                shown.expired = True
            self._streams.remove(one)
            return
        one.next_at = self.world.now() + REFRESH_EVERY
        body = {key: told.body[key] for key in ("aibotid", "chattype", "from", "create_time")}
        body |= {"msgid": self.world.new_id("CAIQ"), "msgtype": "stream"}
        body |= {"stream": {"id": one.stream_id}}
        answer = await self._deliver(told, body)
        if answer is not None:
            self._take(told, answer)

    async def _deliver(self, told: BotCallback, body: Mapping[str, object]) -> object:
        """Post a callback, three times at most; return the decrypted answer, None for none."""
        bot = self.world.aibots.need(told.bot_id)
        kind = str(body.get("msgtype", ""))
        for _ in range(ATTEMPTS):
            params = self._signed(bot, json.dumps(body, ensure_ascii=False))
            data = json.dumps({"encrypt": params.pop("encrypted")}).encode()
            status, answer = await self._request("POST", bot.url, params, data, ANSWER_LIMIT_S)
            if status == 200:
                break
        else:
            self.answers.append((kind, f"status {status}"))
            return None
        if not answer.strip() or answer.strip() == b"success":
            self.answers.append((kind, "empty"))
            return None
        try:
            opened = _opened(answer, CallbackCrypto(bot.token, bot.aes_key, ""))
        except (CallbackRejected, ValueError, KeyError, TypeError) as error:
            self.answers.append((kind, f"unreadable: {error}"))
            return None
        return opened

    def _take(self, told: BotCallback, answer: object) -> None:
        """Carry out what a response says; what breaks a rule shows nothing."""
        kind = told.kind
        try:
            if not isinstance(answer, dict):
                raise ApiError(40058, "the answer is no object")
            call = inner_call(answer)
            if kind == "enter_chat":
                aibot_say.welcome(self.world, told, call)
            elif kind == "card":
                aibot_say.update(self.world, told, call)
            elif kind == "message":
                aibot_say.reply(self.world, told, call, "webhook")
                self._follow(told, answer)
            else:
                raise ApiError(40058, "this event takes no answer")
        except ApiError as error:
            self.answers.append((kind, f"refused: {error}"))
        else:
            self.answers.append((kind, "ok"))

    def _follow(self, told: BotCallback, answer: dict[str, object]) -> None:
        stream = answer.get("stream")
        if not isinstance(stream, dict):
            return
        stream_id = str(stream.get("id"))
        if not any(one.told is told for one in self._streams):
            at = self.world.now() + REFRESH_EVERY
            self._streams.append(_OpenStream(told, stream_id, at))
            self._news.set()

    def _signed(self, bot: AiBot, plain: str) -> dict[str, str]:
        timestamp = str(self.world.timestamp())
        nonce = str(self.world.rng.randrange(10**9, 10**10))
        crypto = CallbackCrypto(bot.token, bot.aes_key, "")
        encrypted, signature = crypto.encrypt(plain, nonce, timestamp)
        return {
            "msg_signature": signature,
            "timestamp": timestamp,
            "nonce": nonce,
            "encrypted": encrypted,
        }

    async def _request(
        self, method: str, url: str, params: Mapping[str, str], data: bytes | None, limit_s: float
    ) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        timeout = aiohttp.ClientTimeout(total=limit_s)
        try:
            async with self._session.request(
                method, url, params=params, data=data, headers=headers, timeout=timeout
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError):
            return 0, b""


def _opened(answer: bytes, crypto: CallbackCrypto) -> object:
    """Decrypt a response, whose signature is checked like any other."""
    envelope = json.loads(answer)
    encrypted, timestamp = str(envelope["encrypt"]), str(envelope["timestamp"])
    crypto.verify(str(envelope["msgsignature"]), timestamp, str(envelope["nonce"]), encrypted)
    return json.loads(crypto.decrypt(encrypted))


async def _response(world: World, call: Call) -> Answer:
    told = world.aibots.spend_code(call.param("response_code", code=60140))
    aibot_say.respond(world, told, call)
    return {}


APIS: tuple[Api, ...] = (Api("POST", "aibot/response", _response, token=False),)
