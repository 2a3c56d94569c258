"""WeCom's client around a page: what ``ww.*`` of the JS-SDK is answered (§9.1, §9.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from bot.emulator import jsapi
from bot.emulator.attachments import Part
from bot.emulator.client_talk import Talk, post
from bot.emulator.page_words import Refused
from bot.emulator.wire import ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MOST_WINDOWS = 200
FAILED, NO_PERMISSION = 1, 10002
_ENTRIES = {
    "friend": "single_chat_tools",
    "group": "group_chat_tools",
    "kf": "single_kf_tools",
}
_MEDIA = ("image", "video", "file")


class Unanswered(Exception):
    """A call of the page's is refused; ``words`` stand behind the API's name in errMsg."""

    def __init__(self, words: str, code: int = FAILED) -> None:
        self.words = words
        self.code = code
        super().__init__(words)


@dataclass
class Window:
    """A page that is open in a member's client, beside a chat or (without one) on its own."""

    id: str
    userid: str
    agent_id: int
    talk: Talk | None
    config: frozenset[str] = frozenset()
    """The APIs for which the page was signed by the corp's ticket."""
    agent_config: frozenset[str] = frozenset()
    """The APIs for which it was signed by the app's."""


@dataclass
class ClientBook:
    """The pages that apps have put into the chat's sidebar, and those that are open.

    ``entrance`` is where the app's pages sign in and go on to the path in ``next``: the clients of
    several members share one browser here, and its cookies.
    """

    sidebars: dict[int, str] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=dict)
    entrance: str = ""

    def is_of_an_app(self, url: str) -> bool:
        """Tell whether a page is of an app that has one in the sidebar."""
        return url != "" and origin_of(url) in map(origin_of, self.sidebars.values())

    def way_to(self, url: str) -> str:
        """Return by which address a page is opened: through its sign-in, where that is known."""
        if not self.entrance or origin_of(url) != origin_of(self.entrance):
            return url
        parts = urlsplit(url)
        there = urlunsplit(("", "", parts.path, parts.query, ""))
        return f"{self.entrance}?next={quote(there, safe='')}"

    def open(self, world: World, userid: str, agent_id: int, talk: Talk | None) -> Window:
        """Open an app's page in a member's client; the oldest windows are closed."""
        window = Window(world.new_id("win"), userid, agent_id, talk)
        self.windows[window.id] = window
        for id in list(self.windows)[:-MOST_WINDOWS]:
            del self.windows[id]
        return window


def origin_of(url: str) -> str:
    """Return scheme and host of an address, "" for what is none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def answer(world: World, window: Window, name: str, call: Call) -> dict[str, object]:
    """Answer one call of a page's; errMsg is ``name:ok`` or says why not."""
    api = _APIS.get(name)
    try:
        if api is None:
            raise Unanswered("fail_nosupport")
        fields = api(world, window, call)
    except Unanswered as refused:
        return _told(name, refused.words, refused.code)
    except ApiError as error:
        return _told(name, f"fail {error}", error.errcode)
    except Refused:
        return _told(name, "fail", FAILED)
    return _told(name, "ok", 0) | fields


def _told(name: str, words: str, code: int) -> dict[str, object]:
    return {"errMsg": f"{name}:{words}", "err_msg": f"{name}:{words}", "errCode": code}


def _config(world: World, window: Window, call: Call) -> dict[str, object]:
    window.config = _signed(world, call, jsapi.CORP)
    return {}


def _agent_config(world: World, window: Window, call: Call) -> dict[str, object]:
    if call.text("corpid") != world.corp_id or call.text("agentid") != str(window.agent_id):
        raise Unanswered("fail corpid or agentid is not this page's", NO_PERMISSION)
    window.agent_config = _signed(world, call, window.agent_id)
    return {}


def _signed(world: World, call: Call, key: int) -> frozenset[str]:
    try:
        jsapi.check(world, call, key)
    except ApiError as error:
        raise Unanswered("fail invalid signature", error.errcode) from None
    return frozenset(call.strings("jsApiList", required=True))


def _context(world: World, window: Window, call: Call) -> dict[str, object]:
    _permitted(world, window, "getContext")
    return {"entry": _ENTRIES[window.talk.kind] if window.talk is not None else "normal"}


def _contact(world: World, window: Window, call: Call) -> dict[str, object]:
    _permitted(world, window, "getCurExternalContact")
    if window.talk is None or window.talk.kind == "group":
        raise Unanswered("fail without context of external contact")
    return {"userId": window.talk.id}


def _chat(world: World, window: Window, call: Call) -> dict[str, object]:
    _permitted(world, window, "getCurExternalChat")
    if window.talk is None or window.talk.kind != "group":
        raise Unanswered("fail without context of external chat")
    return {"chatId": window.talk.id}


def _send(world: World, window: Window, call: Call) -> dict[str, object]:
    """Put a message into the chat as the member's own; WeCom never lets a page choose the chat."""
    _permitted(world, window, "sendChatMessage")
    if window.talk is None:
        raise Unanswered("fail without context of external contact")
    fault = world.faults.take("sendChatMessage", "errcode")
    if fault is not None:
        raise ApiError(fault.errcode)
    post(world, window.userid, window.talk, _message(world, call), sidebar=True)
    return {}


def _permitted(world: World, window: Window, name: str) -> None:
    if name not in window.agent_config or name not in window.config:
        raise Unanswered("fail no permission", NO_PERMISSION)
    if not world.apps[window.agent_id].sees(window.userid):
        raise Unanswered("fail user not in allow list", NO_PERMISSION)


def _message(world: World, call: Call) -> Part:
    kind = call.text("msgtype")
    inner = call.inside(kind)
    if kind == "text":
        return Part("text", {"content": inner.text("content")})
    if kind in _MEDIA:
        media = world.media.get(inner.text("mediaid"))
        if media.kind != kind:
            raise Unanswered("fail mediaid is of another kind")
        return Part(kind, {"media_id": media.media_id})
    if kind == "news":
        fields = {"title": inner.text("title"), "url": inner.text("link")}
        fields["desc"] = inner.text("desc", required=False)
        return Part("link", {**fields, "picurl": inner.text("imgUrl", required=False)})
    if kind == "miniprogram":
        names = ("appid", "title", "imgUrl", "page")
        return Part("miniprogram", {name: inner.text(name) for name in names})
    raise Unanswered("fail_unsupported_msgtype")


_APIS: dict[str, Callable[[World, Window, Call], dict[str, object]]] = {
    "config": _config,
    "agentConfig": _agent_config,
    "getContext": _context,
    "getCurExternalContact": _contact,
    "getCurExternalChat": _chat,
    "sendChatMessage": _send,
}
