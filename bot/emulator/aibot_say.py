"""What a bot may say in its three ways to speak, with WeCom's limits on each."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.emulator import cards
from bot.emulator.aibot import (
    BAD_CHAT,
    INVALID_REQ_ID,
    STREAM_EXPIRED,
    STREAM_LIFE,
    BotCallback,
    Mode,
    Shown,
)
from bot.emulator.wire import ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

IN_TIME = timedelta(seconds=5)
CONTENT_BYTES = 20_480
_FEEDBACK_BYTES = 256
_MEDIA = frozenset({"image", "voice", "video", "file"})
_PICTURES, _PICTURE_BYTES = 10, 10 * 1024 * 1024
_SINGLE, _GROUP = 1, 2


def reply(world: World, told: BotCallback, call: Call, mode: Mode) -> dict[str, object]:
    """Answer a member's message: a stream, a card, or a file; over the WebSocket not mixed."""
    msgtype = call.text("msgtype", code=40008)
    if msgtype == "stream":
        _stream(world, told, call.inside("stream"), mode)
    elif msgtype == "stream_with_template_card" and mode == "webhook":
        _stream(world, told, call.inside("stream"), mode)
        if "template_card" in call.body:
            _reply_card(world, told, call.inside("template_card"), "aibot_reply")
    elif msgtype == "template_card":
        world.aibots.count(told.bot_id, told.chat)
        _reply_card(world, told, call.inside("template_card"), "aibot_reply")
    elif msgtype in _MEDIA and mode == "websocket":
        world.aibots.count(told.bot_id, told.chat)
        _media(world, told.bot_id, told.chat, msgtype, call, "aibot_reply")
    else:
        raise ApiError(40008)
    return {}


def welcome(world: World, told: BotCallback, call: Call) -> dict[str, object]:
    """Greet whoever entered the chat: once, within five seconds."""
    _once_in_time(world, told)
    msgtype = call.text("msgtype", code=40008)
    if msgtype == "text":
        text = call.inside("text").text("content", max_bytes=CONTENT_BYTES, code=44004)
        told.answered = True
        _show(world, told.bot_id, told.chat, "text", text, "aibot_welcome")
    elif msgtype == "template_card":
        card = call.inside("template_card")
        _check(world, told.bot_id, card)
        told.answered = True
        _show_card(world, told.bot_id, told.chat, card, "aibot_welcome")
    else:
        raise ApiError(40008)
    return {}


def update(world: World, told: BotCallback, call: Call) -> dict[str, object]:
    """Replace the card that was pressed: once, within five seconds, under the same task_id."""
    _once_in_time(world, told)
    if call.text("response_type") != "update_template_card":
        raise ApiError(40008)
    call.strings("userids")
    card = call.inside("template_card")
    cards.check_card(card, ask_bot=True)
    item = told.card
    if item is None or card.text("task_id") != item.task_id:
        raise ApiError(42016)
    told.answered = True
    item.content, item.text = card.body, cards.card_text(card)
    item.buttons = {} if card.text("replace_text", required=False) else cards.buttons(card)
    item.updated += 1
    return {}


def push(world: World, bot_id: str, call: Call) -> dict[str, object]:
    """Speak unasked, to whoever has talked to the bot before."""
    chat = call.text("chatid")
    kind = call.integer("chat_type", 0, low=0, high=2)
    is_group = chat in world.aibots.groups
    if (kind == _SINGLE and is_group) or (kind == _GROUP and not is_group):
        raise ApiError(BAD_CHAT, "chat_type does not fit chatid")
    if not world.aibots.talked(bot_id, chat):
        raise ApiError(BAD_CHAT, "they have not talked to this bot")
    say(world, bot_id, chat, call, "aibot_send_msg", files=True)
    return {}


def respond(world: World, told: BotCallback, call: Call) -> dict[str, object]:
    """Speak through a response_url."""
    if call.text("msgtype", code=40008) == "template_card" and told.chatid:
        raise ApiError(40008, "a card through response_url is for single chats")
    say(world, told.bot_id, told.chat, call, "aibot_response", files=False)
    return {}


def say(world: World, bot_id: str, chat: str, call: Call, source: str, *, files: bool) -> None:
    """Show a message of its own: Markdown, a card, or where allowed a file."""
    msgtype = call.text("msgtype", code=40008)
    if msgtype == "markdown":
        content = call.inside("markdown").text("content", max_bytes=CONTENT_BYTES, code=45002)
        world.aibots.count(bot_id, chat)
        _show(world, bot_id, chat, "markdown", content, source)
    elif msgtype == "template_card":
        card = call.inside("template_card")
        _check(world, bot_id, card)
        world.aibots.count(bot_id, chat)
        _show_card(world, bot_id, chat, card, source)
    elif msgtype in _MEDIA and files:
        world.aibots.count(bot_id, chat)
        _media(world, bot_id, chat, msgtype, call, source)
    else:
        raise ApiError(40008)


def _once_in_time(world: World, told: BotCallback) -> None:
    if told.answered:
        raise ApiError(INVALID_REQ_ID, "it was answered already")
    if told.at + IN_TIME < world.now():
        raise ApiError(INVALID_REQ_ID, "more than 5 seconds ago")


def _stream(world: World, told: BotCallback, stream: Call, mode: Mode) -> None:
    stream_id = stream.text("id", max_bytes=256)
    content = stream.text("content", required=False, max_bytes=CONTENT_BYTES, code=45002)
    finish = stream.flag("finish")
    _pictures(stream, finish, mode)
    feedback = stream.inside("feedback", required=False)
    item = world.aibots.stream(told.bot_id, stream_id)
    if item is None:
        world.aibots.count(told.bot_id, told.chat)
        item = Shown(
            msgid=world.new_id("bot"),
            bot_id=told.bot_id,
            chat=told.chat,
            kind="stream",
            source="aibot_stream",
            at=world.now() if mode == "websocket" else told.at,
            text=content,
            stream_id=stream_id,
            req_id=told.req_id,
            finished=False,
        )
        if feedback.body:
            item.feedback_id = feedback.text("id", max_bytes=_FEEDBACK_BYTES)
        world.aibots.show(item)
    elif item.req_id != told.req_id:
        raise ApiError(INVALID_REQ_ID, "the stream belongs to another message")
    elif item.finished or item.expired or item.at + STREAM_LIFE[mode] <= world.now():
        item.expired = item.expired or not item.finished
        raise ApiError(STREAM_EXPIRED)
    elif world.aibots.refreshes_count:
        world.aibots.count(told.bot_id, told.chat)
    item.text, item.finished = content, finish
    item.frames.append(content)
    if finish:
        world.aibots.deliver(item)


def _pictures(stream: Call, finish: bool, mode: Mode) -> None:
    items = stream.objects("msg_item", _PICTURES)
    if items and (mode == "websocket" or not finish):
        raise ApiError(40058, "msg_item is not for this place")
    for item in map(stream.of, items):
        if item.text("msgtype") != "image":
            raise ApiError(40008)
        image = item.inside("image")
        try:
            data = base64.b64decode(image.text("base64"), validate=True)
        except (ValueError, binascii.Error):
            raise ApiError(40058, "the image is not base64") from None
        if len(data) > _PICTURE_BYTES:
            raise ApiError(45001)
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != image.text("md5"):
            raise ApiError(40058, "md5 is wrong")


def _reply_card(world: World, told: BotCallback, card: Call, source: str) -> None:
    if told.answered:
        raise ApiError(40058, "one card for each message")
    _check(world, told.bot_id, card)
    told.answered = True
    _show_card(world, told.bot_id, told.chat, card, source)


def _check(world: World, bot_id: str, card: Call) -> None:
    cards.check_card(card, ask_bot=True)
    world.aibots.claim_task(bot_id, card.text("task_id", required=False))


def _show(world: World, bot_id: str, chat: str, kind: str, text: str, source: str) -> None:
    msgid = world.new_id("bot")
    world.aibots.show(Shown(msgid, bot_id, chat, kind, source, world.now(), text, frames=[text]))


def _show_card(world: World, bot_id: str, chat: str, card: Call, source: str) -> None:
    world.aibots.show(
        Shown(
            msgid=world.new_id("bot"),
            bot_id=bot_id,
            chat=chat,
            kind="template_card",
            source=source,
            at=world.now(),
            text=cards.card_text(card),
            content=card.body,
            task_id=card.text("task_id", required=False),
            buttons={**cards.buttons(card), **cards.menu_actions(card)},
        )
    )


def _media(world: World, bot_id: str, chat: str, kind: str, call: Call, source: str) -> None:
    media = world.media.get(call.inside(kind).text("media_id", code=41006))
    if media.kind != kind:
        raise ApiError(40007)
    _show(world, bot_id, chat, kind, f"[{kind}] {media.filename}", source)
