"""Callbacks as WeCom sends them: encrypted, signed, five seconds, three attempts in all."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp

from bot.emulator import passive
from bot.emulator.wire import ApiError
from bot.errors import CallbackRejected
from bot.wecom.crypto import CallbackCrypto

if TYPE_CHECKING:
    from bot.emulator.world import World

ATTEMPTS = 3
ANSWER_LIMIT_S = 5.0
VERIFY_LIMIT_S = 1.0
DEFAULT = "app"
KEPT_RESULTS = 10_000


@dataclass(frozen=True)
class CallbackConfig:
    """Where one configuration's events go; ``agent_id`` is empty for system modules."""

    name: str
    url: str
    token: str
    aes_key: str
    agent_id: str = ""


@dataclass(frozen=True)
class CallbackResult:
    """What became of one callback; ``elapsed_ms`` is the last attempt's wall time."""

    seq: int
    config: str
    plain: str
    attempts: int
    status: int
    """The last HTTP status; 0 when there was no answer."""
    elapsed_ms: float

    @property
    def accepted(self) -> bool:
        """Tell whether the receiver answered 200."""
        return self.status == 200


@dataclass(frozen=True)
class _Pending:
    seq: int
    config: CallbackConfig
    plain: str
    key: str


@dataclass
class CallbackSender:
    """A queue of callbacks and the rules by which they are posted."""

    world: World = field(repr=False)
    configs: dict[str, CallbackConfig] = field(default_factory=dict)
    results: deque[CallbackResult] = field(default_factory=lambda: deque(maxlen=KEPT_RESULTS))
    answer_limit_s: float = ANSWER_LIMIT_S
    verify_limit_s: float = VERIFY_LIMIT_S
    pause_s: float = 0.0
    """Wall seconds between two attempts."""
    parallel: int = 1
    """How many are posted at once; only with 1 do they arrive in order for certain."""
    duplicate_all: bool = False
    """Post every accepted callback once more."""
    shuffle: bool = False
    """Post what is queued in a random order."""
    lost: list[str] = field(default_factory=list)
    """The documents that a fault kept from being posted."""
    bad_replies: list[str] = field(default_factory=list)
    """Why passive replies were not taken."""
    _queue: deque[_Pending] = field(default_factory=deque)
    _held: list[_Pending] = field(default_factory=list)
    _seq: int = 0
    _queued: asyncio.Event = field(default_factory=asyncio.Event)
    _posting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _session: aiohttp.ClientSession | None = None
    _cryptos: dict[str, CallbackCrypto] = field(default_factory=dict)

    def configure(
        self, name: str, url: str, token: str, aes_key: str, agent_id: str = ""
    ) -> CallbackConfig:
        """Set a configuration's URL, Token and EncodingAESKey; raise ``ConfigError`` if bad."""
        config = CallbackConfig(name, url, token, aes_key, agent_id)
        self._cryptos[name] = CallbackCrypto(token, aes_key, self.world.corp_id)
        self.configs[name] = config
        return config

    def queue(self, config: str, fields: Mapping[str, object], *, key: str = "") -> None:
        """Queue a callback; one with the same ``key`` that still waits stands for this one too.

        Events of a module without a configuration of its own go to the app's, as they do when
        the app is the one that may call the module's APIs.
        """
        target = self.configs.get(config) or self.configs.get(DEFAULT)
        if target is None or (key and any(item.key == key for item in self._queue)):
            return
        self._seq += 1
        head = {"ToUserName": self.world.corp_id, "CreateTime": self.world.timestamp()}
        item = _Pending(self._seq, target, render_xml({**head, **fields}), key)
        faults = self.world.faults
        if faults.take(target.name, "lost") is not None:
            self.lost.append(item.plain)
        elif (late := faults.take(target.name, "late")) is not None:
            self.world.later.after(timedelta(seconds=late.seconds), lambda: self._put(item))
        elif faults.take(target.name, "reorder") is not None:
            self._held.append(item)
        else:
            self._put(item)

    def _put(self, item: _Pending) -> None:
        """Take a callback in, and behind it those held back until another one came."""
        self._queue.append(item)
        self._queue.extend(held for held in self._held if held.config.name == item.config.name)
        self._held = [held for held in self._held if held.config.name != item.config.name]
        self._queued.set()

    def repeat(self, result: CallbackResult) -> None:
        """Queue a callback that was posted before once more, the same to the letter."""
        self._seq += 1
        self._queue.append(_Pending(self._seq, self.configs[result.config], result.plain, ""))
        self._queued.set()

    def is_waiting(self, key: str) -> bool:
        """Tell whether a callback with this key is queued and not yet posted."""
        return any(item.key == key for item in self._queue)

    @property
    def waiting(self) -> int:
        """How many callbacks are queued and not yet posted."""
        return len(self._queue)

    async def flush(self) -> None:
        """Post everything queued, in order, and whatever is queued meanwhile."""
        self.world.later.run_due()
        async with self._posting:
            if self.shuffle:
                items = list(self._queue)
                self.world.rng.shuffle(items)
                self._queue = deque(items)
            while self._queue:
                count = min(self.parallel, len(self._queue))
                batch = [self._queue.popleft() for _ in range(count)]
                await asyncio.gather(*(self._post_and_repeat(item) for item in batch))

    async def run(self) -> None:
        """Flush whenever something is queued, until cancelled."""
        while True:
            await self._queued.wait()
            self._queued.clear()
            await self.flush()

    async def verify_url(self, name: str = DEFAULT) -> CallbackResult:
        """Check a configuration's URL as the console does when it is saved: status 200 is good.

        A 200 with anything but the decrypted echostr counts as status -1.
        """
        config = self.configs[name]
        echo = str(self.world.rng.getrandbits(63))
        params = self._signed(config, echo)
        params["echostr"] = params.pop("encrypted")
        status, body, elapsed_ms = await self._request("GET", config, params, self.verify_limit_s)
        if status == 200 and body != echo.encode():
            status = -1
        return CallbackResult(0, name, echo, 1, status, elapsed_ms)

    async def close(self) -> None:
        """Close the connections; the queue stays."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post_and_repeat(self, item: _Pending) -> None:
        await self._post(item)
        fault = self.world.faults.take(item.config.name, "duplicate")
        if self.duplicate_all or fault is not None:
            await self._post(item)

    async def _post(self, item: _Pending) -> None:
        status, elapsed_ms, attempt = 0, 0.0, 0
        for attempt in range(1, ATTEMPTS + 1):
            if attempt > 1 and self.pause_s:
                await asyncio.sleep(self.pause_s)
            params = self._signed(item.config, item.plain)
            envelope = render_xml(
                {
                    "ToUserName": self.world.corp_id,
                    "AgentID": item.config.agent_id,
                    "Encrypt": params.pop("encrypted"),
                }
            )
            status, body, elapsed_ms = await self._request(
                "POST", item.config, params, self.answer_limit_s, envelope.encode()
            )
            if status == 200:
                self._take_reply(item, body)
                break
        self.results.append(
            CallbackResult(item.seq, item.config.name, item.plain, attempt, status, elapsed_ms)
        )

    def _take_reply(self, item: _Pending, body: bytes) -> None:
        if body.strip() in (b"", b"success") or not item.config.agent_id:
            return
        try:
            passive.take(self.world, self._cryptos[item.config.name], item.plain, body)
        except (CallbackRejected, ApiError) as error:
            self.bad_replies.append(f"{item.config.name}: {error}")

    def _signed(self, config: CallbackConfig, plain: str) -> dict[str, str]:
        timestamp = str(self.world.timestamp())
        nonce = str(self.world.rng.randrange(10**9, 10**10))
        encrypted, signature = self._cryptos[config.name].encrypt(plain, nonce, timestamp)
        return {
            "msg_signature": signature,
            "timestamp": timestamp,
            "nonce": nonce,
            "encrypted": encrypted,
        }

    async def _request(
        self,
        method: str,
        config: CallbackConfig,
        params: Mapping[str, str],
        limit_s: float,
        data: bytes | None = None,
    ) -> tuple[int, bytes, float]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        headers = {"Content-Type": "text/xml"} if data is not None else {}
        began = time.perf_counter()
        try:
            async with self._session.request(
                method,
                config.url,
                params=params,
                data=data,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=limit_s),
            ) as response:
                body = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            status, body = 0, b""
        return status, body, (time.perf_counter() - began) * 1000


def render_xml(fields: Mapping[str, object]) -> str:
    """Return an XML document as WeCom writes it: strings in CDATA, numbers plain."""
    return f"<xml>{_elements(fields)}</xml>"


def _elements(fields: Mapping[str, object]) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    if isinstance(value, int):
        return f"<{name}>{int(value)}</{name}>"
    text = str(value).replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{text}]]></{name}>"
