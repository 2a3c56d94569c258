"""The AI bot's WebSocket: one connection, replies in turn, each waited for until it is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex

import aiohttp

from bot.errors import Retryable, WeComError
from bot.log import logger
from bot.wecom.errcodes import wecom_error
from bot.wecom.transport import Unanswered

PING_EVERY_S = 30.0
ACK_WITHIN_S = 5.0
CONNECT_WITHIN_S = 5.0
MISSED_PINGS = 2
_MAX_FRAME_BYTES = 4 * 1024 * 1024
_CALLBACKS = frozenset({"aibot_msg_callback", "aibot_event_callback"})
_CLOSING = frozenset({aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR})
Frame = dict[str, object]
log = logger(__name__)


@dataclass
class _Lane:
    """Whoever answers the same callback waits here; dropped when nobody does."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class BotSocket:
    """One live connection of one bot; make another for the next.

    Callbacks are given to ``on_callback`` one after the other, each as WeCom's whole frame.
    """

    def __init__(
        self,
        url: str,
        bot_id: str,
        secret: str,
        on_callback: Callable[[Frame], Awaitable[None]],
        *,
        proxy: str = "",
        ssl_context: ssl.SSLContext | None = None,
        ping_every_s: float = PING_EVERY_S,
        ack_within_s: float = ACK_WITHIN_S,
    ) -> None:
        self._url = url
        self._bot_id = bot_id
        self._secret = secret
        self._on_callback = on_callback
        self._proxy = proxy or None
        self._ssl = ssl_context
        self._ping_every_s = ping_every_s
        self._ack_within_s = ack_within_s
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._acks: dict[str, asyncio.Future[Frame]] = {}
        self._lanes: dict[str, _Lane] = {}
        self._callbacks: asyncio.Queue[Frame] = asyncio.Queue()
        self._missed = 0
        self.replaced = False
        """Another connection of this bot took over; this one has been closed for good."""

    @property
    def alive(self) -> bool:
        """Tell whether frames can be exchanged."""
        return self._socket is not None and not self._socket.closed

    async def connect(self) -> None:
        """Connect and subscribe.

        Raise ``Retryable`` where nobody answers and ``WeComError`` where the bot is refused.
        """
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                self._socket = await self._session.ws_connect(
                    self._url,
                    proxy=self._proxy,
                    ssl=self._ssl if self._ssl is not None else True,
                    max_msg_size=_MAX_FRAME_BYTES,
                    heartbeat=None,
                )
            self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._deliver())]
            subscribe = {"bot_id": self._bot_id, "secret": self._secret}
            await self.request("aibot_subscribe", subscribe)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            await self.close()
            raise Retryable(f"no connection for the AI bot: {type(error).__name__}") from None
        except BaseException:
            await self.close()
            raise
        self._tasks.append(asyncio.create_task(self._ping()))

    async def request(
        self,
        cmd: str,
        body: Mapping[str, object] | None = None,
        *,
        req_id: str = "",
        unless: Callable[[], bool] | None = None,
    ) -> Frame:
        """Send one command and return the body of its acknowledgement.

        Frames of one ``req_id`` go one after the other; one without an acknowledgement within 5 s
        raises ``Unanswered``. ``unless`` is asked when its turn has come: where it says yes,
        nothing is sent.
        """
        own = req_id or f"{cmd}_{token_hex(8)}"
        lane = self._lanes.setdefault(own, _Lane())
        lane.waiting += 1
        try:
            async with lane.lock:
                if unless is not None and unless():
                    return {}
                return await self._exchange(cmd, body, own)
        finally:
            lane.waiting -= 1
            if not lane.waiting:
                self._lanes.pop(own, None)

    async def close(self) -> None:
        """Hang up; who still waits for an acknowledgement is told that none came."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        await self._hang_up()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, cmd: str, body: Mapping[str, object] | None, req_id: str) -> Frame:
        frame: Frame = {"cmd": cmd, "headers": {"req_id": req_id}}
        if body is not None:
            frame["body"] = dict(body)
        text = json.dumps(frame, ensure_ascii=False)
        ack = asyncio.get_running_loop().create_future()
        self._acks[req_id] = ack
        try:
            await self._send(text)
            async with asyncio.timeout(self._ack_within_s):
                return _checked(await ack)
        except TimeoutError:
            raise Unanswered("the AI bot's frame was not acknowledged") from None
        finally:
            self._acks.pop(req_id, None)

    async def _send(self, text: str) -> None:
        if self._socket is None or self._socket.closed:
            raise Retryable("the AI bot is not connected")
        try:
            await self._socket.send_str(text)
        except (ConnectionError, aiohttp.ClientError) as error:
            raise Unanswered(f"the AI bot's connection broke: {type(error).__name__}") from None

    async def _read(self) -> None:
        """Sort what comes: acknowledgements to who waits, callbacks into their queue."""
        socket = self._socket
        if socket is None:
            return
        try:
            while (message := await socket.receive()).type not in _CLOSING:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            await self._hang_up()

    def _take(self, text: str) -> None:
        try:
            frame = json.loads(text)
            req_id = str(frame["headers"]["req_id"])
        except (ValueError, KeyError, TypeError):
            log.warning("bot_frame_not_read")
            return
        if frame.get("cmd") in _CALLBACKS:
            if _event(frame) == "disconnected_event":
                self.replaced = True
            else:
                self._callbacks.put_nowait(frame)
        elif (ack := self._acks.get(req_id)) is not None and not ack.done():
            ack.set_result(frame)

    async def _deliver(self) -> None:
        while True:
            frame = await self._callbacks.get()
            try:
                await self._on_callback(frame)
            except Exception:
                log.exception("bot_callback_failed")

    async def _ping(self) -> None:
        """Ask every half minute whether somebody is there; twice no answer ends the connection."""
        while True:
            await asyncio.sleep(self._ping_every_s)
            try:
                await self.request("ping")
                self._missed = 0
            except (Retryable, WeComError):
                self._missed += 1
            if self._missed >= MISSED_PINGS or not self.alive:
                log.warning("bot_connection_dead", missed=self._missed)
                break
        if self._socket is not None:
            await self._socket.close()

    async def _hang_up(self) -> None:
        for ack in self._acks.values():
            if not ack.done():
                ack.set_exception(Unanswered("the AI bot's connection ended"))
        if self._socket is not None and not self._socket.closed:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._socket.close()


def _checked(frame: Frame) -> Frame:
    errcode = frame.get("errcode", 0)
    if isinstance(errcode, int) and errcode != 0:
        raise wecom_error(errcode, str(frame.get("errmsg", "")))
    body = frame.get("body")
    return dict(body) if isinstance(body, Mapping) else {}


def _event(frame: Mapping[str, object]) -> str:
    body = frame.get("body")
    event = body.get("event") if isinstance(body, Mapping) else None
    return str(event.get("eventtype", "")) if isinstance(event, Mapping) else ""
