"""The one live connection of the AI bot: whoever holds the lease has it, the others stand by."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from bot.channels.hiding import hide_in_json
from bot.domain.events import Notice
from bot.domain.ids import digest
from bot.errors import CallbackRejected, DatabaseFailed, Retryable, WeComError
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.notices import NoticeWriter
from bot.wecom.aibot import read_told, stream_body, stream_id
from bot.wecom.aibot_socket import BotSocket, Frame

LEASE = timedelta(seconds=10)
_RENEW_AFTER = timedelta(seconds=3)
_LOOK_AFTER = timedelta(seconds=2)
_LONGEST_PAUSE_S = 30.0
_PAUSE_WHEN_REPLACED_S = 10.0
FIRST_WORDS = "正在查…"
FIRST_WORDS_AFTER_S = 0.8
_FRAME_EVERY_S = 1.0
_MOST_FRAMES = 20  # with a question's answer well below 30 a minute (wecom_protocol §6.5)
_REMEMBERED = 2000
_STORE_AGAIN_S = 1.0
OpenSocket = Callable[[Callable[[Frame], Awaitable[None]]], BotSocket]
log = logger(__name__)


class AibotLine:
    """Keeps the connection, stores what comes over it, and sends what goes out by it.

    A worker that keeps time: ``step`` renews the lease, connects, and lets go.
    """

    watches: tuple[str, ...] = ()

    def __init__(
        self,
        open_socket: OpenSocket,
        bot_id: str,
        database: Database,
        clock: Clock,
        *,
        first_words_after_s: float = FIRST_WORDS_AFTER_S,
    ) -> None:
        self._open_socket = open_socket
        self._lease = f"aibot:{digest(bot_id, size=8)}"
        self._database = database
        self._writer = NoticeWriter(database, clock)
        self._clock = clock
        self._first_words_after_s = first_words_after_s
        self._socket: BotSocket | None = None
        self._held_until: datetime | None = None
        self._look_at: datetime | None = None
        self._try_at: datetime | None = None
        self._failures = 0
        self._answered: deque[str] = deque(maxlen=_REMEMBERED)
        self._begun: deque[str] = deque(maxlen=_REMEMBERED)
        self._so_far: dict[str, str] = {}
        self._waiting: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Tell whether this process has the bot's connection."""
        return self._socket is not None and self._socket.alive

    async def step(self) -> int:
        """Renew the lease or look whether it is free; connect, or hang up, accordingly."""
        now = self._clock.now()
        if self._socket is not None and not self._socket.alive:
            await self._lost(now)
        if self._look_at is None or now >= self._look_at:
            await self._look(now)
        held = self._held_until is not None and now < self._held_until
        if not held and self._socket is not None:
            log.warning("bot_lease_lost")
            await self._hang_up()
        if held and self._socket is None and (self._try_at is None or now >= self._try_at):
            await self._connect(now)
        return 0

    async def send(self, cmd: str, body: Mapping[str, object], *, req_id: str = "") -> None:
        """Send over this process's connection; raise ``Retryable`` where it has none."""
        if self._socket is None or not self._socket.alive:
            raise Retryable("bot_not_connected_here", 1.0)
        if req_id:
            self._answered.append(req_id)
        await self._socket.request(cmd, body, req_id=req_id)

    def begun(self, req_id: str) -> bool:
        """Tell whether a message's stream was begun over this connection already."""
        return req_id in self._begun

    def so_far(self, req_id: str, words: str) -> None:
        """Let what is written so far be shown, at most once a second, if the answer takes long."""
        if self.connected and req_id not in self._answered:
            self._so_far[req_id] = words

    async def close(self) -> None:
        """Hang up and give the lease up, so that a standby need not wait for its end."""
        for task in self._waiting:
            task.cancel()
        await self._hang_up()
        if self._held_until is not None:
            self._held_until = None
            async with self._database.begin() as tx:
                await tx.leases.release(self._lease, self._database.instance)

    async def _look(self, now: datetime) -> None:
        self._look_at = now + _LOOK_AFTER
        try:
            async with self._database.begin() as tx:
                held = await tx.leases.take(self._lease, self._database.instance, now, LEASE)
        except DatabaseFailed as error:
            # What is held stays held until its end; then the connection has to go.
            log.warning("bot_lease_not_renewed", reason=str(error))
            return
        if held:
            self._look_at = now + _RENEW_AFTER
            self._held_until = now + LEASE
        else:
            self._held_until = None

    async def _connect(self, now: datetime) -> None:
        socket = self._open_socket(self._arrived)
        try:
            await socket.connect()
        except (Retryable, WeComError) as error:
            self._failures += 1
            pause = min(_LONGEST_PAUSE_S, 2.0 ** (self._failures - 1))
            self._rest(now, pause)
            log.warning("bot_not_connected", reason=str(error), again_in_s=round(pause))
            return
        self._failures = 0
        self._socket = socket
        log.info("bot_connected")

    async def _lost(self, now: datetime) -> None:
        replaced = self._socket is not None and self._socket.replaced
        await self._hang_up()
        # Who took over may be a colleague that holds the lease by now: that is asked first.
        self._look_at = now
        self._rest(now, _PAUSE_WHEN_REPLACED_S if replaced else 1.0)
        log.warning("bot_connection_lost", replaced=replaced)

    def _rest(self, now: datetime, seconds: float) -> None:
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - so that many do not knock together
        self._try_at = now + timedelta(seconds=seconds * jitter)

    async def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    async def _arrived(self, frame: Frame) -> None:
        """Store a callback; a message that is not answered soon shows that it was heard."""
        text = json.dumps(frame, ensure_ascii=False)
        try:
            told = read_told(text)
        except CallbackRejected as error:
            log.warning("bot_callback_rejected", reason=error.reason)
            return
        key = digest("aibot", "message", told.msgid)
        body = hide_in_json(text)
        await self._store(Notice(key=key, channel="aibot", body=body, lane=f"bot:{told.userid}"))
        if told.msgtype not in ("event", "stream"):
            task = asyncio.create_task(self._signs_of_life(told.req_id, stream_id(told.msgid)))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)

    async def _store(self, notice: Notice) -> None:
        """Store a callback, however long that takes: WeCom will not tell it again."""
        while True:
            try:
                await self._writer.add(notice)
            except DatabaseFailed as error:
                log.warning("bot_callback_not_stored", reason=str(error))
                await asyncio.sleep(_STORE_AGAIN_S)
            else:
                return

    async def _signs_of_life(self, req_id: str, stream: str) -> None:
        """Until the answer is there, show that the question was heard and what is written so far.

        All of it is only on the way: the answer itself is in the outbox.
        """
        await asyncio.sleep(self._first_words_after_s)
        shown = ""
        for _ in range(_MOST_FRAMES):
            words = self._so_far.get(req_id, shown or FIRST_WORDS)
            if req_id in self._answered or self._socket is None:
                break
            if words != shown:
                body = stream_body(stream, words, finish=False, first=not shown)
                self._begun.append(req_id)
                with contextlib.suppress(Retryable, WeComError):
                    await self._socket.request(
                        "aibot_respond_msg",
                        body,
                        req_id=req_id,
                        unless=lambda: req_id in self._answered,
                    )
                shown = words
            await asyncio.sleep(_FRAME_EVERY_S)
        self._so_far.pop(req_id, None)
