"""The WebSocket side of AI bots: subscribe, be spoken to, answer; one live connection a bot."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from bot.emulator import aibot_say
from bot.emulator.aibot import AiBot, BotCallback
from bot.emulator.errcodes import text_of
from bot.emulator.limits import MINUTE
from bot.emulator.wire import ApiError, Call, inner_call

if TYPE_CHECKING:
    from bot.emulator.world import World

PATH = "/aibot/ws"
_REQ_ID_BYTES = 256
_MAX_FRAME_BYTES = 4 * 1024 * 1024
_NOT_SUBSCRIBED = 40001


@dataclass(eq=False)
class _Line:
    """One connection; ``bot_id`` is empty until it has subscribed."""

    socket: web.WebSocketResponse
    bot_id: str = ""
    out: asyncio.Queue[dict[str, object] | None] = field(default_factory=asyncio.Queue)

    def put(self, frame: dict[str, object]) -> None:
        """Send a frame after those that wait already."""
        self.out.put_nowait(frame)

    def hang_up(self) -> None:
        """Close once everything before has gone out."""
        self.out.put_nowait(None)

    async def write(self) -> None:
        """Send what is put, in order, until told to hang up."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            while (frame := await self.out.get()) is not None:
                await self.socket.send_str(json.dumps(frame, ensure_ascii=False))
        await self.socket.close()


@dataclass
class Lines:
    """The live connections, by bot."""

    world: World = field(repr=False)
    live: dict[str, _Line] = field(default_factory=dict)
    connected: int = 0
    """How often somebody subscribed with success."""
    commands: list[tuple[str, str]] = field(default_factory=list)
    """Every command as it came: (bot_id, cmd)."""

    def __post_init__(self) -> None:
        self.world.aibots.carry["websocket"] = self.carry

    def carry(self, bot: AiBot, told: BotCallback) -> None:
        """Give a callback to whoever is connected; nobody there means it is lost."""
        line = self.live.get(bot.bot_id)
        if line is None:
            self.world.aibots.lost += 1
            return
        cmd = "aibot_msg_callback" if told.kind == "message" else "aibot_event_callback"
        line.put({"cmd": cmd, "headers": {"req_id": told.req_id}, "body": told.body})

    def kick(self, bot_id: str, *, told: bool = True) -> bool:
        """Cut a bot's connection, with ``told`` as another connection would; False if none is."""
        line = self.live.pop(bot_id, None)
        if line is None:
            return False
        if told:
            event = {"eventtype": "disconnected_event"}
            body = {
                "msgid": self.world.new_id("CAIQ"),
                "aibotid": bot_id,
                "create_time": self.world.timestamp(),
                "msgtype": "event",
                "event": event,
            }
            headers = {"req_id": self.world.new_id("req")}
            line.put({"cmd": "aibot_event_callback", "headers": headers, "body": body})
        line.hang_up()
        return True

    def hang_up(self) -> None:
        """End every connection, as the server does when it stops."""
        for bot_id in list(self.live):
            self.kick(bot_id, told=False)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it ends."""
        socket = web.WebSocketResponse(max_msg_size=_MAX_FRAME_BYTES)
        await socket.prepare(request)
        line = _Line(socket)
        writing = asyncio.create_task(line.write())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._frame(line, message.data)
        finally:
            if self.live.get(line.bot_id) is line:
                del self.live[line.bot_id]
            line.hang_up()
            await writing
        return socket

    async def _frame(self, line: _Line, text: str) -> None:
        try:
            frame = json.loads(text)
            cmd, req_id = str(frame["cmd"]), str(frame["headers"]["req_id"])
            body = frame.get("body") or {}
        except (ValueError, KeyError, TypeError):
            line.hang_up()
            return
        self.commands.append((line.bot_id, cmd))
        fault = self.world.faults.take(cmd, "slow")
        if fault is not None:
            await asyncio.sleep(fault.seconds)
        try:
            answer = self._do(line, cmd, req_id, inner_call(body))
            ack: dict[str, object] = {"errcode": 0, "errmsg": "ok"}
            if answer:
                ack["body"] = answer
        except ApiError as error:
            note = f", {error.note}" if error.note else ""
            ack = {"errcode": error.errcode, "errmsg": text_of(error.errcode) + note}
        if self.world.faults.take(cmd, "lost_answer") is None:
            line.put({"headers": {"req_id": req_id}, **ack})

    def _do(self, line: _Line, cmd: str, req_id: str, call: Call) -> dict[str, object]:
        if not isinstance(call.body, dict):
            raise ApiError(40058, "body must be an object")
        if len(req_id.encode()) > _REQ_ID_BYTES:
            raise ApiError(40058, "req_id is longer than 256 bytes")
        fault = self.world.faults.take(cmd, "errcode")
        if fault is not None:
            raise ApiError(fault.errcode)
        if cmd == "aibot_subscribe":
            return self._subscribe(line, call)
        if self.live.get(line.bot_id) is not line:
            raise ApiError(_NOT_SUBSCRIBED, "subscribe first")
        if cmd == "ping":
            return {}
        do = _COMMANDS.get(cmd)
        if do is None:
            raise ApiError(40058, f"no such cmd: {cmd}")
        return do(self.world, line.bot_id, req_id, call)

    def _subscribe(self, line: _Line, call: Call) -> dict[str, object]:
        bot = self.world.aibots.bots.get(call.text("bot_id"))
        if bot is None:
            raise ApiError(40001, "no such bot")
        rule = MINUTE, self.world.aibots.subscribes_per_minute
        self.world.limits.spend(f"aibot-subscribe:{bot.bot_id}", self.world.now(), rule)
        if call.text("secret") != bot.secret or bot.mode != "websocket":
            raise ApiError(40001, "wrong secret, or the bot is not in WebSocket mode")
        if self.live.get(bot.bot_id) is not line:
            self.kick(bot.bot_id)
        line.bot_id = bot.bot_id
        self.live[bot.bot_id] = line
        self.connected += 1
        return {}


def _reply(world: World, bot_id: str, req_id: str, call: Call) -> dict[str, object]:
    told = world.aibots.answering(bot_id, req_id, "message")
    return aibot_say.reply(world, told, call, "websocket")


def _welcome(world: World, bot_id: str, req_id: str, call: Call) -> dict[str, object]:
    return aibot_say.welcome(world, world.aibots.answering(bot_id, req_id, "enter_chat"), call)


def _update(world: World, bot_id: str, req_id: str, call: Call) -> dict[str, object]:
    return aibot_say.update(world, world.aibots.answering(bot_id, req_id, "card"), call)


_COMMANDS: dict[str, Callable[[World, str, str, Call], dict[str, object]]] = {
    "aibot_respond_msg": _reply,
    "aibot_respond_welcome_msg": _welcome,
    "aibot_respond_update_msg": _update,
    "aibot_send_msg": lambda world, bot_id, _, call: aibot_say.push(world, bot_id, call),
    "aibot_upload_media_init": lambda world, bot_id, _, call: world.aibots.uploads.begin(
        bot_id, call
    ),
    "aibot_upload_media_chunk": lambda world, bot_id, _, call: world.aibots.uploads.chunk(
        bot_id, call
    ),
    "aibot_upload_media_finish": lambda world, bot_id, _, call: world.aibots.uploads.finish(
        bot_id, call
    ),
}


def routes(world: World) -> list[web.RouteDef]:
    """Return the address that bots connect to."""
    return [web.get(PATH, world.aibot_lines.serve)]
