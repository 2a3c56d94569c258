"""What a kf message may hold: types, required fields, and lengths in bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.emulator.wire import ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_MAX_MENU = 10


def check_content(world: World, call: Call) -> tuple[str, dict[str, object]]:
    """Return the type and the payload of a message to be sent; refuse what is not allowed."""
    msgtype = call.text("msgtype", code=40008)
    check = _CHECKS.get(msgtype)
    if check is None:
        raise ApiError(40008)
    inner = call.inside(msgtype)
    check(world, inner)
    return msgtype, inner.body


def _text(world: World, call: Call) -> None:
    call.text("content", max_bytes=2048, code=40058)


def _media(kind: str) -> Callable[[World, Call], None]:
    def check(world: World, call: Call) -> None:
        _file(world, call.text("media_id", code=41006), kind)

    return check


def _thumb(world: World, call: Call) -> None:
    _file(world, call.text("thumb_media_id", code=41006), "image")


def _file(world: World, media_id: str, kind: str) -> None:
    if world.media.get(media_id).kind != kind:
        raise ApiError(world.assumed.kf_wrong_media_code, f"{media_id} is no {kind}")


def _link(world: World, call: Call) -> None:
    call.text("title", max_bytes=128, code=40058)
    call.text("desc", required=False, max_bytes=512)
    _url(call)
    _thumb(world, call)


def _url(call: Call) -> None:
    url = call.text("url", max_bytes=2048, code=40058)
    if not url.startswith(("http://", "https://")):
        raise ApiError(45034)


def _miniprogram(world: World, call: Call) -> None:
    call.text("appid")
    call.text("title", required=False, max_bytes=64)
    call.text("pagepath")
    _thumb(world, call)


def _location(world: World, call: Call) -> None:
    for key, limit in (("latitude", 90), ("longitude", 180)):
        value = call.body.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > limit:
            raise ApiError(95022)
    call.text("name", required=False)
    call.text("address", required=False)


def _ca_link(world: World, call: Call) -> None:
    url = call.text("link_url", max_bytes=2048)
    if not url.startswith(("http://", "https://")):
        raise ApiError(45034)


def _menu(world: World, call: Call) -> None:
    head = call.text("head_content", required=False, max_bytes=1024)
    tail = call.text("tail_content", required=False, max_bytes=1024)
    items = call.objects("list", _MAX_MENU, code=95008)
    if not (head or tail or items):
        raise ApiError(40058, "the menu is empty")
    for item in items:
        entry = call.of(item)
        kind = entry.text("type", code=95009)
        check = _ITEMS.get(kind)
        if check is None:
            raise ApiError(95009)
        check(entry.inside(kind))


def _click(item: Call) -> None:
    item.text("id", required=False, max_bytes=128)
    item.text("content", max_bytes=128)


def _view(item: Call) -> None:
    _url(item)
    item.text("content", max_bytes=1024)


def _menu_miniprogram(item: Call) -> None:
    for key in ("appid", "pagepath", "content"):
        item.text(key, max_bytes=1024)


def _menu_text(item: Call) -> None:
    item.text("content", max_bytes=1024)
    item.flag("no_newline")


_ITEMS: dict[str, Callable[[Call], None]] = {
    "click": _click,
    "view": _view,
    "miniprogram": _menu_miniprogram,
    "text": _menu_text,
}

_CHECKS: dict[str, Callable[[World, Call], None]] = {
    "text": _text,
    "image": _media("image"),
    "voice": _media("voice"),
    "video": _media("video"),
    "file": _media("file"),
    "link": _link,
    "miniprogram": _miniprogram,
    "msgmenu": _menu,
    "location": _location,
    "ca_link": _ca_link,
}
