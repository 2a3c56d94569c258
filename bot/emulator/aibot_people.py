"""What members do with a bot in their clients: write, send files, press, rate, come in."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.emulator.aibot import AiBot, BotCallback
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

MEDIA_PATH = "/aibot/media"
MEDIA_LIFE = timedelta(minutes=5)
_BLOCK = 32
_MEDIA_KINDS = frozenset({"image", "file", "video"})


@dataclass(frozen=True)
class SentFile:
    """A file on its way to a bot: locked, and to be had for five minutes."""

    filename: str
    locked: bytes
    at: datetime


def says(world: World, bot_id: str, userid: str, text: str, *, chatid: str = "") -> BotCallback:
    """Let a member write to a bot, one to one or with an @ in an internal group."""
    content = f"@{world.aibots.need(bot_id).name} {text}" if chatid else text
    body = {"msgtype": "text", "text": {"content": content}}
    return world.aibots.tell(bot_id, "message", userid, body, chatid=chatid)


def speaks(world: World, bot_id: str, userid: str, text: str) -> BotCallback:
    """Let a member speak to a bot: voice comes as the words that WeCom heard."""
    body = {"msgtype": "voice", "voice": {"content": text}}
    return world.aibots.tell(bot_id, "message", userid, body)


def sends(
    world: World, bot_id: str, userid: str, kind: str, filename: str, data: bytes
) -> BotCallback:
    """Let a member send a picture, a file or a video one to one."""
    if kind not in _MEDIA_KINDS:
        raise ApiError(40008)
    bot = world.aibots.need(bot_id)
    key, named = _key(world, bot)
    number = world.new_id("m")
    world.aibot_files[number] = SentFile(filename, lock(data, key), world.now())
    url = f"{world.base_url}{MEDIA_PATH}?id={number}"
    return world.aibots.tell(
        bot_id, "message", userid, {"msgtype": kind, kind: {"url": url, **named}}
    )


def enters(world: World, bot_id: str, userid: str) -> BotCallback | None:
    """Let a member open the chat; only the first time of a day is told to the bot."""
    if not world.aibots.first_of_the_day(bot_id, userid):
        return None
    body = {"msgtype": "event", "event": {"eventtype": "enter_chat"}}
    return world.aibots.tell(bot_id, "enter_chat", userid, body)


def presses(
    world: World,
    userid: str,
    msgid: str,
    key: str,
    selected: Mapping[str, Sequence[str]] | None = None,
) -> BotCallback:
    """Let a member press a button of a bot's card; a greyed or unknown one is refused (42017)."""
    item = world.aibots.item(msgid)
    if key not in item.buttons:
        raise ApiError(42017, "the card has no such button now")
    items = [
        {"question_key": question, "option_ids": {"option_id": list(options)}}
        for question, options in (selected or {}).items()
    ]
    pressed: dict[str, object] = {
        "card_type": str(item.content.get("card_type", "")),
        "event_key": key,
        "task_id": item.task_id,
        "selected_items": {"selected_item": items},
    }
    event = {"eventtype": "template_card_event", "template_card_event": pressed}
    body = {"msgtype": "event", "event": event}
    chatid = item.chat if item.chat in world.aibots.groups else ""
    return world.aibots.tell(item.bot_id, "card", userid, body, chatid=chatid, card=item)


def rates(
    world: World,
    userid: str,
    msgid: str,
    verdict: int,
    *,
    content: str = "",
    reasons: Sequence[int] = (),
) -> BotCallback:
    """Let a member say whether an answer was right: 1 accurate, 2 inaccurate, 3 taken back."""
    item = world.aibots.item(msgid)
    if not item.feedback_id or verdict not in (1, 2, 3):
        raise ApiError(40058, "this message cannot be rated so")
    rated: dict[str, object] = {"id": item.feedback_id, "type": verdict}
    if verdict == 2:
        rated |= {"content": content, "inaccurate_reason_list": list(reasons)}
    event = {"eventtype": "feedback_event", "feedback_event": rated}
    chatid = item.chat if item.chat in world.aibots.groups else ""
    body = {"msgtype": "event", "event": event}
    return world.aibots.tell(item.bot_id, "feedback", userid, body, chatid=chatid)


def lock(data: bytes, key: bytes) -> bytes:
    """Lock a file as WeCom does: AES-256-CBC, PKCS#7 to 32 bytes, the key's head as IV."""
    size = _BLOCK - len(data) % _BLOCK
    padded = data + bytes([size]) * size
    locker = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return locker.update(padded) + locker.finalize()


def _key(world: World, bot: AiBot) -> tuple[bytes, dict[str, str]]:
    """Return the key a file is locked with, and what the message says of it."""
    if bot.mode == "webhook":
        return base64.b64decode(bot.aes_key + "="), {}
    key = world.rng.randbytes(32)
    return key, {"aeskey": base64.b64encode(key).decode()}


def media_routes(world: World) -> list[web.RouteDef]:
    """Return the route that gives out the locked files."""

    async def give(request: web.Request) -> web.Response:
        sent = world.aibot_files.get(request.query.get("id", ""))
        if sent is None or sent.at + MEDIA_LIFE <= world.now():
            raise web.HTTPForbidden(text="the address has expired")
        name = quote(sent.filename)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return web.Response(body=sent.locked, headers=headers)

    return [web.get(MEDIA_PATH, give)]
