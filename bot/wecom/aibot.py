"""The AI bot's words on the wire: what its callbacks say, and the bodies of its answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.errors import CallbackRejected
from bot.wecom.cards import Button, button_card, replaced

CONTENT_BYTES = 20_480  # wecom_protocol §6.3, §6.4
INVALID_REQ_ID, STREAM_EXPIRED = 846605, 846608
# The message is closed for us, whatever the reason: 846609 is seen where another connection or a
# restart lies between question and answer.
CLOSED = frozenset({INVALID_REQ_ID, STREAM_EXPIRED, 846609})
_SINGLE, _GROUP = 1, 2
_CHOSEN = "已选"
_KEPT_FIELDS = ("text", "voice", "mixed")


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of one of the bot's own cards."""

    key: str
    task: str
    chosen: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Told:
    """A callback, read: a member's message, an event, or the question how far a stream is."""

    msgid: str
    userid: str
    chatid: str
    msgtype: str
    event: str
    text: str
    at: datetime
    response_url: str
    req_id: str
    stream: str
    pressed: Pressed | None = None
    rated: Mapping[str, object] | None = None


def read_told(plain: str) -> Told:
    """Read a callback: the decrypted body of a POST, or a whole frame of the WebSocket.

    Raise ``CallbackRejected`` for what is no callback of an AI bot.
    """
    try:
        found = json.loads(plain)
    except (ValueError, RecursionError):
        raise CallbackRejected("json", 400) from None
    framed = _object(found)
    body = _object(framed.get("body")) if "cmd" in framed else framed
    msgtype = str(body.get("msgtype", ""))
    if not msgtype:
        raise CallbackRejected("msgtype", 400)
    event = _object(body.get("event"))
    created_at = body.get("create_time", 0)
    seconds = created_at if isinstance(created_at, int) else 0
    return Told(
        msgid=str(body.get("msgid", "")) or hashlib.sha256(plain.encode()).hexdigest()[:32],
        userid=str(_object(body.get("from")).get("userid", "")),
        chatid=str(body.get("chatid", "")) if body.get("chattype") == "group" else "",
        msgtype=msgtype,
        event=str(event.get("eventtype", "")),
        text=_text(body, msgtype),
        at=datetime.fromtimestamp(seconds, UTC),
        response_url=str(body.get("response_url", "")),
        req_id=str(_object(framed.get("headers")).get("req_id", "")),
        stream=str(_object(body.get("stream")).get("id", "")),
        pressed=_pressed(event),
        rated=_object(event.get("feedback_event")) or None,
    )


def stream_id(msgid: str) -> str:
    """Name the stream that answers a message; the same message always has the same."""
    return "s" + hashlib.sha256(msgid.encode()).hexdigest()[:40]


def stream_body(id: str, content: str, *, finish: bool, first: bool = False) -> dict[str, object]:
    """Return one frame of a stream: all that is written so far."""
    stream: dict[str, object] = {"id": id, "finish": finish, "content": clip(content)}
    if first:
        stream["feedback"] = {"id": id}
    return {"msgtype": "stream", "stream": stream}


def markdown_body(content: str) -> dict[str, object]:
    """Return words of their own."""
    return {"msgtype": "markdown", "markdown": {"content": clip(content)}}


def push_body(userid: str, chatid: str, content: str) -> dict[str, object]:
    """Return words to a member, or to a group, who did not ask for them this moment."""
    kind = _GROUP if chatid else _SINGLE  # left out, a userid may be taken for a group (§6.5)
    return {"chatid": chatid or userid, "chat_type": kind, **markdown_body(content)}


def push_card_body(userid: str, card: Mapping[str, object]) -> dict[str, object]:
    """Return a card to a member, one to one."""
    return {"chatid": userid, "chat_type": _SINGLE, **card_body(card)}


def card_body(card: Mapping[str, object]) -> dict[str, object]:
    """Return a card of its own."""
    return {"msgtype": "template_card", "template_card": dict(card)}


def chosen_body(task: str, title: str) -> dict[str, object]:
    """Return the greyed card that takes the place of one whose button was pressed."""
    card = button_card(task_id=task, title=title, buttons=[Button(_CHOSEN, "chosen")])
    return {
        "response_type": "update_template_card",
        "template_card": replaced(card, _CHOSEN),
    }


def welcome_body(content: str) -> dict[str, object]:
    """Return the words for somebody who opens the chat."""
    return {"msgtype": "text", "text": {"content": clip(content)}}


def clip(content: str, most: int = CONTENT_BYTES) -> str:
    """Cut a text at a character's end where it has more bytes than WeCom takes."""
    data = content.encode()
    return content if len(data) <= most else data[: most - 3].decode(errors="ignore") + "…"


def _object(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(body: Mapping[str, object], msgtype: str) -> str:
    """Return a member's words: typed, spoken (as WeCom heard them), or beside pictures."""
    if msgtype == "mixed":
        items = _object(body.get("mixed")).get("msg_item")
        parts = [_object(item) for item in items] if isinstance(items, list) else []
        return "\n".join(_text(part, "text") for part in parts if part.get("msgtype") == "text")
    return str(_object(body.get(msgtype)).get("content", "")) if msgtype in _KEPT_FIELDS else ""


def _pressed(event: Mapping[str, object]) -> Pressed | None:
    if event.get("eventtype") != "template_card_event":
        return None
    # The page nests the press, WeCom's own types of it do not (§6.2).
    inner = _object(event.get("template_card_event")) or dict(event)
    items = _object(inner.get("selected_items")).get("selected_item")
    chosen = {}
    for item in map(_object, items if isinstance(items, list) else []):
        options = _object(item.get("option_ids")).get("option_id")
        ids = options if isinstance(options, list) else [options] if options else []
        chosen[str(item.get("question_key", ""))] = tuple(str(one) for one in ids)
    return Pressed(str(inner.get("event_key", "")), str(inner.get("task_id", "")), chosen)
