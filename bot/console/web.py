"""Requests and answers of the sidebar: who asks, from where, and in what form it is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from bot.console.refusal import (
    BUSY_WORDS,
    FORGED_WORDS,
    LOGIN_WORDS,
    NOT_STAFF_WORDS,
    Refusal,
    unreadable,
)
from bot.console.room import Json, Room, Sight
from bot.console.session import Sessions
from bot.domain.ids import RmId
from bot.errors import ConfigError, DatabaseFailed, Retryable

SESSION_COOKIE, BROWSER_COOKIE = "zhilin_sidebar", "zhilin_sidebar_browser"
PAGE_HEADER, PAGE_SAYS = "X-Zhilin", "sidebar"  # other sites' pages cannot send it unasked
_MOST_BYTES = 64 * 1024
_ID_CHARS = 64
_ORIGIN = re.compile(r"https?://[0-9A-Za-z.\-\[\]:]+")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Answer = Callable[["Caller"], Awaitable[Json]]


@dataclass(frozen=True)
class Place:
    """Where the sidebar stands: its path, its public address where that is set, its scripts."""

    path: str
    url: str
    sdk_url: str

    @property
    def headers(self) -> dict[str, str]:
        """Return what every answer carries: nobody's scripts but ours and the SDK's may run.

        Who gives the SDK may also show the page in a frame: that gives him nothing more.
        """
        sdk = origin_of(self.sdk_url)
        policy = (
            f"default-src 'self'; script-src 'self' {sdk}; style-src 'self'; "
            f"img-src 'self' data:; connect-src 'self'; frame-ancestors 'self' {sdk}; "
            "base-uri 'none'; form-action 'none'; object-src 'none'"
        )
        return {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
        }

    def address(self, request: web.Request) -> str:
        """Return the public address of the page, without a slash at its end."""
        return self.url or f"{_scheme(request)}://{request.host}{self.path}"

    def is_own(self, request: web.Request) -> bool:
        """Tell whether a request that changes something comes from our own page."""
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if site not in ("same-origin", "none"):
            return False
        return origin is None or origin == origin_of(self.address(request))


def _scheme(request: web.Request) -> str:
    """Return how the browser came: a proxy before us says so where it took off the TLS."""
    told = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip()
    return told if told in ("http", "https") else request.scheme


def origin_of(url: str) -> str:
    """Return an address's origin, such as https://host:port."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if not _ORIGIN.fullmatch(origin):
        raise ConfigError(f"[sidebar] 里的地址「{url}」看不懂，请写成 https://主机名/路径。")
    return origin


@dataclass(frozen=True)
class Caller:
    """A member with what they ask: the page's own request, read and believed."""

    sight: Sight
    query: dict[str, str]
    body: Json
    address: str = ""
    number: int = 0
    name: str = ""

    @property
    def id(self) -> str:
        """Return whom or what the query names, "" for what can be no id."""
        id = self.query.get("id", "")
        return id if id.isprintable() and len(id) <= _ID_CHARS else ""

    def text(self, name: str, most: int = 200) -> str:
        """Return a string of the body, "" where it is not there; raise ``Refusal`` for others."""
        value = self.body.get(name, "")
        if not isinstance(value, str) or len(value) > most or "\0" in value:
            raise unreadable()
        return value


class Door:
    """Lets in who is signed in and on the bank's staff; everything else is refused in words."""

    def __init__(self, room: Room, sessions: Sessions, place: Place) -> None:
        self._room = room
        self._sessions = sessions
        self.place = place

    def member(self, request: web.Request) -> RmId | None:
        """Return who is signed in; None for nobody."""
        return self._sessions.member(
            request.cookies.get(SESSION_COOKIE, ""), self._room.clock.now()
        )

    def sight(self, userid: RmId) -> Sight:
        """Return what a member sees now; raise ``Refusal`` for one who is not on the staff."""
        files = self._room.files()
        me = files.bank.member(userid)
        if me is None:
            raise Refusal(403, "not_staff", NOT_STAFF_WORDS)
        return Sight(files, me, self._room.clock.now(), self._room.kf_link)

    def api(self, answer: Answer, *, status: int = 200) -> Handler:
        """Return the handler of one call of the page's."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                told, code = await answer(await self._caller(request)), status
            except Refusal as refusal:
                told, code = refusal.body, refusal.status
            except (DatabaseFailed, Retryable):
                told, code = {"error": BUSY_WORDS, "code": "busy"}, 503
            except ConfigError as error:
                told, code = {"error": str(error), "code": "busy"}, 503
            return self._json(told, code)

        return handle

    async def _caller(self, request: web.Request) -> Caller:
        if request.headers.get(PAGE_HEADER) != PAGE_SAYS:
            raise Refusal(403, "forgery", FORGED_WORDS)
        changes = request.method != "GET"
        if changes and not self.place.is_own(request):
            raise Refusal(403, "forgery", FORGED_WORDS)
        userid = self.member(request)
        if userid is None:
            raise Refusal(401, "login", LOGIN_WORDS)
        body = await _body(request) if changes else {}
        number = request.match_info.get("number", "0")
        return Caller(
            sight=self.sight(userid),
            query=dict(request.query),
            body=body,
            address=self.place.address(request),
            number=int(number),
            name=request.match_info.get("name", ""),
        )

    def _json(self, told: Json, status: int) -> web.Response:
        text = json.dumps(told, ensure_ascii=False)
        return web.Response(
            text=text,
            status=status,
            content_type="application/json",
            headers=self.place.headers,
        )


async def _body(request: web.Request) -> Json:
    if request.content_type != "application/json":
        raise Refusal(403, "forgery", FORGED_WORDS)
    raw = await request.content.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise unreadable()
    try:
        body = json.loads(raw)
        json.dumps(body, ensure_ascii=False).encode()  # half a character cannot be stored
    except (ValueError, RecursionError):
        raise unreadable() from None
    if not isinstance(body, dict):
        raise unreadable()
    return body
