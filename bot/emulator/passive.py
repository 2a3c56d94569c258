"""Passive replies (§3.3): what a callback's answer says to the member, or does to his card."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bot.emulator import cards
from bot.emulator.app import InboxItem
from bot.emulator.app_send import replace_card
from bot.emulator.wire import ApiError, Call, inner_call
from bot.wecom.crypto import CallbackCrypto, listed, parse_xml

if TYPE_CHECKING:
    from bot.emulator.world import World

_LISTS = frozenset(
    {
        "horizontal_content_list",
        "vertical_content_list",
        "jump_list",
        "button_list",
        "select_list",
        "option_list",
        "action_list",
    }
)
_WHOLE = re.compile(r"type|.*_type|style|mode|desc_color|aspect_ratio|is_checked")
_WORDS = {"KeyName": "keyname", "Userid": "userid", "UserID": "userid", "MediaID": "media_id"}
MAX_ARTICLES = 8


def take(world: World, crypto: CallbackCrypto, asked: str, body: bytes) -> None:
    """Check, open and carry out the answer to a callback; refuse one that WeCom would ignore.

    Raises ``CallbackRejected`` for a bad envelope and ``ApiError`` for bad contents.
    """
    envelope = parse_xml(body.decode(errors="replace"))
    signature, timestamp, nonce, encrypted = (
        str(envelope.get(key, "")) for key in ("MsgSignature", "TimeStamp", "Nonce", "Encrypt")
    )
    crypto.verify(signature, timestamp, nonce, encrypted)
    reply, question = parse_xml(crypto.decrypt(encrypted)), parse_xml(asked)
    userid, agent = str(question.get("FromUserName", "")), str(question.get("AgentID", ""))
    kind = str(reply.get("MsgType", ""))
    if userid not in world.members or not agent.isdecimal() or int(agent) not in world.apps:
        raise ApiError(40008, "nobody to reply to")
    if kind in ("update_button", "update_template_card"):
        _update(world, question, reply, kind)
        return
    render = _WORDS_OF.get(kind)
    if render is None:
        raise ApiError(40008, f"no passive reply of type {kind}")
    content, text = render(world, reply)
    item = InboxItem(world.new_id(""), int(agent), userid, kind, content, text, world.now())
    world.app_messages.deliver(item, source="passive_reply")


def _text(world: World, reply: Mapping[str, object]) -> tuple[dict[str, object], str]:
    content = str(reply.get("Content", ""))
    if not content:
        raise ApiError(44004)
    return {"content": content}, content


def _media(world: World, reply: Mapping[str, object]) -> tuple[dict[str, object], str]:
    inner = reply.get(str(reply["MsgType"]).capitalize())
    media = world.media.get(str(inner.get("MediaId", "")) if isinstance(inner, dict) else "")
    if media.kind != reply["MsgType"]:
        raise ApiError(40007, f"{media.media_id} is no {reply['MsgType']}")
    return {"media_id": media.media_id}, f"[{media.kind}] {media.filename}"


def _news(world: World, reply: Mapping[str, object]) -> tuple[dict[str, object], str]:
    inner = reply.get("Articles")
    items = listed(inner.get("item")) if isinstance(inner, dict) else []
    articles = [_snake(item) for item in items if isinstance(item, dict)]
    if not 1 <= len(articles) <= MAX_ARTICLES or str(reply.get("ArticleCount")) != str(len(items)):
        raise ApiError(45008)
    return {"articles": articles}, "\n".join(str(item.get("title", "")) for item in articles)


_WORDS_OF: dict[str, Callable[[World, Mapping[str, object]], tuple[dict[str, object], str]]] = {
    "text": _text,
    "image": _media,
    "voice": _media,
    "video": _media,
    "news": _news,
}


def _update(
    world: World, question: Mapping[str, object], reply: Mapping[str, object], kind: str
) -> None:
    """Change the card whose button was pressed, for the one who pressed it."""
    code, agent_id = str(question.get("ResponseCode", "")), int(str(question["AgentID"]))
    msgid = world.app_messages.use_code(agent_id, code)
    copies = world.app_messages.copies(msgid, [str(question["FromUserName"])])
    if kind == "update_button":
        button = reply.get("Button")
        name = str(button.get("ReplaceName", "")) if isinstance(button, dict) else ""
        if not name:
            raise ApiError(40058, "missing Button/ReplaceName")
        for copy in copies:
            copy.replaced, copy.buttons, copy.menu = name, {}, {}
        return
    given = reply.get("TemplateCard")
    card = _call(_snake(given) if isinstance(given, dict) else {})
    cards.check_card(card)
    for copy in copies:
        replace_card(copy, card)


def _call(body: dict[str, object]) -> Call:
    return inner_call(body)


def _snake(fields: Mapping[str, object]) -> dict[str, object]:
    """Return a card's XML fields by their JSON names: lists as lists, numbers as numbers."""
    return {key: _value(key, value) for key, value in _named(fields)}


def _named(fields: Mapping[str, object]) -> list[tuple[str, object]]:
    return [
        (_WORDS.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower(), value)
        for name, value in fields.items()
    ]


def _value(key: str, value: object) -> object:
    if key in _LISTS:
        return [_snake(item) for item in listed(value) if isinstance(item, dict)]
    if isinstance(value, dict):
        return _snake(value)
    if _WHOLE.fullmatch(key) and str(value).isdecimal():
        return int(str(value))
    return value
