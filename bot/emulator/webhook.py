"""Message pushes (消息推送, once 群机器人) into internal groups: one way, 20 a minute."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.emulator import cards
from bot.emulator.limits import MINUTE
from bot.emulator.media import read_part
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

REMOVED, STOPPED, NOT_IN_GROUP = 93000, 93004, 93008
PER_MINUTE = 20
_TEXT_BYTES, _MARKDOWN_BYTES, _PICTURE_BYTES = 2048, 4096, 2 * 1024 * 1024
_UPLOAD_BYTES = {"file": 20 * 1024 * 1024, "voice": 2 * 1024 * 1024}
_PNG, _JPG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_CARDS = frozenset({"text_notice", "news_notice"})


@dataclass
class Webhook:
    """One robot of one internal group."""

    key: str
    group: str
    removed: bool = False
    stopped: bool = False
    expelled: bool = False
    media: set[str] = field(default_factory=set)


@dataclass
class WebhookBook:
    """The robots by their key."""

    world: World = field(repr=False)
    robots: dict[str, Webhook] = field(default_factory=dict)

    def add(self, key: str, group: str) -> Webhook:
        """Put a robot into an internal group."""
        self.robots[key] = Webhook(key, group)
        return self.robots[key]

    def open(self, key: str) -> Webhook:
        """Return a robot that may speak, or refuse as WeCom does."""
        robot = self.robots.get(key)
        if robot is None or robot.removed:
            raise ApiError(REMOVED)
        if robot.stopped:
            raise ApiError(STOPPED)
        if robot.expelled:
            raise ApiError(NOT_IN_GROUP)
        return robot

    def count(self, robot: Webhook) -> None:
        """Count a message; more than 20 in a minute block the robot for a minute."""
        self.world.limits.spend(f"webhook:{robot.key}", self.world.now(), (MINUTE, PER_MINUTE))


async def _send(world: World, call: Call) -> Answer:
    robot = world.webhooks.open(call.param("key", code=REMOVED))
    msgtype = call.text("msgtype", code=40008)
    render = _TYPES.get(msgtype)
    if render is None:
        raise ApiError(40008)
    world.webhooks.count(robot)
    text = render(world, robot, call.inside(msgtype))
    world.deliveries.add(
        "webhook",
        to=robot.group,
        sender=f"webhook:{robot.group}",
        text=text,
        at=world.now(),
        source="webhook_send",
        meta={"msgtype": msgtype},
    )
    return {}


def _text(world: World, robot: Webhook, content: Call) -> str:
    content.strings("mentioned_list")
    content.strings("mentioned_mobile_list")
    return content.text("content", max_bytes=_TEXT_BYTES, code=44004)


def _markdown(world: World, robot: Webhook, content: Call) -> str:
    return content.text("content", max_bytes=_MARKDOWN_BYTES, code=40058)


def _image(world: World, robot: Webhook, content: Call) -> str:
    try:
        data = base64.b64decode(content.text("base64"), validate=True)
    except (ValueError, binascii.Error):
        raise ApiError(40058, "base64 is not base64") from None
    if len(data) > _PICTURE_BYTES:
        raise ApiError(40009)
    if not data.startswith((_PNG, _JPG)):
        raise ApiError(40123)
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != content.text("md5"):
        raise ApiError(40058, "md5 is wrong")
    return "[image]"


def _news(world: World, robot: Webhook, content: Call) -> str:
    titles = []
    for article in map(content.of, content.objects("articles", 8, required=True, code=45008)):
        titles.append(article.text("title", max_bytes=128, code=41016))
        article.text("description", required=False, max_bytes=512)
        article.text("url", code=41010)
        article.text("picurl", required=False)
    return "\n".join(titles)


def _media(world: World, robot: Webhook, content: Call) -> str:
    media_id = content.text("media_id", code=41006)
    if media_id not in robot.media:
        raise ApiError(40007, "it was not uploaded for this webhook")
    media = world.media.get(media_id)
    return f"[{media.kind}] {media.filename}"


def _card(world: World, robot: Webhook, content: Call) -> str:
    if content.text("card_type", code=42031) not in _CARDS:
        raise ApiError(42031)
    cards.check_card(content)
    return cards.card_text(content)


_TYPES: dict[str, Callable[[World, Webhook, Call], str]] = {
    "text": _text,
    "markdown": _markdown,
    "markdown_v2": _markdown,
    "image": _image,
    "news": _news,
    "file": _media,
    "voice": _media,
    "template_card": _card,
}


async def _upload(world: World, call: Call) -> Answer:
    robot = world.webhooks.open(call.param("key", code=REMOVED))
    kind = call.param("type", code=40005)
    if kind not in _UPLOAD_BYTES:
        raise ApiError(40005)
    filename, content_type, data = await read_part(call, _UPLOAD_BYTES[kind])
    media = world.media.put(kind, filename, data, content_type)
    robot.media.add(media.media_id)
    created_at = str(int(media.created_at.timestamp()))
    return {"type": kind, "media_id": media.media_id, "created_at": created_at}


APIS: tuple[Api, ...] = (
    Api("POST", "webhook/send", _send, token=False),
    Api("POST", "webhook/upload_media", _upload, token=False),
)
