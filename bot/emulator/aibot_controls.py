"""Routes below ``/emulator/`` for AI bots and group webhooks: settle them, play their people."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from bot.emulator import aibot_people
from bot.emulator.aibot import AiBot, BotCallback
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World


async def _settle(world: World, call: Call) -> Answer:
    """Put a bot into the world; one in webhook mode has its address verified unless told not to."""
    mode = call.text("mode", required=False) or "websocket"
    if mode not in ("websocket", "webhook"):
        raise ApiError(40058, "mode must be websocket or webhook")
    visible = call.strings("visible_to")
    bot = AiBot(
        bot_id=call.text("bot_id", max_bytes=64),
        secret=call.text("secret", required=mode == "websocket"),
        name=call.text("name", required=False) or AiBot.name,
        mode="webhook" if mode == "webhook" else "websocket",
        url=call.text("url", required=mode == "webhook"),
        token=call.text("token", required=mode == "webhook"),
        aes_key=call.text("aes_key", required=mode == "webhook"),
        visible_to=frozenset(visible) if visible else None,
    )
    world.aibots.add(bot)
    if mode == "webhook" and call.flag("verify", True):
        status = await world.bot_poster.verify(bot.bot_id)
        return {"verified": status == 200, "status": status}
    return {}


async def _group(world: World, call: Call) -> Answer:
    world.aibots.add_group(call.text("chatid"), set(call.strings("members", required=True)))
    return {}


async def _say(world: World, call: Call) -> Answer:
    chatid = call.text("chatid", required=False)
    told = aibot_people.says(world, *_whose(call), call.text("text"), chatid=chatid)
    return _told(told)


async def _speak(world: World, call: Call) -> Answer:
    return _told(aibot_people.speaks(world, *_whose(call), call.text("text")))


async def _send(world: World, call: Call) -> Answer:
    try:
        data = base64.b64decode(call.text("base64"), validate=True)
    except (ValueError, binascii.Error):
        raise ApiError(40058, "base64 is not base64") from None
    kind, filename = call.text("kind"), call.text("filename")
    return _told(aibot_people.sends(world, *_whose(call), kind, filename, data))


async def _enter(world: World, call: Call) -> Answer:
    told = aibot_people.enters(world, *_whose(call))
    return {} if told is None else _told(told)


async def _press(world: World, call: Call) -> Answer:
    chosen = call.inside("selected", required=False)
    selected = {question: chosen.strings(question) for question in chosen.body}
    userid, msgid = call.text("userid"), call.text("msgid")
    return _told(aibot_people.presses(world, userid, msgid, call.text("key"), selected))


async def _rate(world: World, call: Call) -> Answer:
    told = aibot_people.rates(
        world,
        call.text("userid"),
        call.text("msgid"),
        call.integer("type", low=1, high=3),
        content=call.text("content", required=False),
        reasons=call.numbers("reasons"),
    )
    return _told(told)


async def _again(world: World, call: Call) -> Answer:
    world.aibots.again(call.text("req_id"))
    return {}


async def _kick(world: World, call: Call) -> Answer:
    """Cut a bot's connection; with ``told`` 0 as a broken network does, without a word."""
    told = call.flag("told", True)
    return {"kicked": world.aibot_lines.kick(call.text("bot_id"), told=told)}


async def _expire(world: World, call: Call) -> Answer:
    return {"expired": world.aibots.expire_streams()}


async def _shown(world: World, call: Call) -> Answer:
    return {"messages": [item.as_json() for item in world.aibots.seen_by(call.param("chat"))]}


async def _state(world: World, call: Call) -> Answer:
    return {
        "bots": [
            {
                "bot_id": bot.bot_id,
                "name": bot.name,
                "mode": bot.mode,
                "connected": bot.bot_id in world.aibot_lines.live,
            }
            for bot in world.aibots.bots.values()
        ],
        "lost": world.aibots.lost,
        "answers": [list(pair) for pair in world.bot_poster.answers],
    }


async def _flush(world: World, call: Call) -> Answer:
    await world.bot_poster.flush()
    return {}


async def _webhook(world: World, call: Call) -> Answer:
    """Put a message push into an internal group, or take it away (``removed``, ``stopped``)."""
    robot = world.webhooks.add(call.text("key"), call.text("group"))
    robot.removed, robot.stopped = call.flag("removed"), call.flag("stopped")
    robot.expelled = call.flag("expelled")
    return {"url": f"{world.base_url}/cgi-bin/webhook/send?key={robot.key}"}


def _whose(call: Call) -> tuple[str, str]:
    return call.text("bot_id"), call.text("userid")


def _told(told: BotCallback) -> Answer:
    return {"msgid": told.body["msgid"], "req_id": told.req_id}


CONTROLS: tuple[Api, ...] = (
    Api("POST", "aibots", _settle, token=False),
    Api("GET", "aibots", _state, token=False),
    Api("POST", "aibots/groups", _group, token=False),
    Api("POST", "aibots/say", _say, token=False),
    Api("POST", "aibots/speak", _speak, token=False),
    Api("POST", "aibots/send", _send, token=False),
    Api("POST", "aibots/enter", _enter, token=False),
    Api("POST", "aibots/press", _press, token=False),
    Api("POST", "aibots/rate", _rate, token=False),
    Api("POST", "aibots/again", _again, token=False),
    Api("POST", "aibots/kick", _kick, token=False),
    Api("POST", "aibots/expire", _expire, token=False),
    Api("GET", "aibots/shown", _shown, token=False),
    Api("POST", "aibots/flush", _flush, token=False),
    Api("POST", "webhooks", _webhook, token=False),
)
