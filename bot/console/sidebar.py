"""The page inside WeCom's chat sidebar: sign-in, the page itself, its files and its calls."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bot import page_files
from bot.channels.client_page import ClientPage, Signed
from bot.console.refusal import Refusal, unreadable
from bot.console.room import Json, Room
from bot.console.session import Sessions, new_browser
from bot.console.sidebar_api import SidebarApi, who_am_i
from bot.console.static_files import StaticFiles
from bot.console.web import BROWSER_COOKIE, SESSION_COOKIE, Caller, Door, Place
from bot.errors import ConfigError, DatabaseFailed, Retryable
from bot.log import logger

log = logger(__name__)
JS_APIS = ("getContext", "getCurExternalContact", "getCurExternalChat", "sendChatMessage")
_BROWSER_FOR = timedelta(days=7)
_MOST_CHARS = 2000
_STATIC = Path(__file__).parent / "static"
_SPENT = ("没有认出您", "没能确认您是谁，多半是这一页放久了。请重新打开。")
_NOT_MATCHED = ("登录没有完成", "这次登录不是从这个窗口开始的，为了安全没有继续。请重新打开。")
_NOT_NOW = ("现在登录不了", "企业微信暂时没有回应，请过一会儿再打开。")


class Corp(NamedTuple):
    """Which application of which corp the page belongs to."""

    corp_id: str
    agent_id: int


class Sidebar:
    """Serves the sidebar in any process that has the database: nothing here needs an index."""

    def __init__(
        self, room: Room, page: ClientPage, sessions: Sessions, place: Place, corp: Corp
    ) -> None:
        self._room = room
        self._page = page
        self._sessions = sessions
        self._place = place
        self._corp = corp
        self._door = Door(room, sessions, place)
        self._files = StaticFiles(page_files.FOLDER, _STATIC)
        self._templates = Environment(
            loader=PackageLoader("bot.console"), autoescape=True, undefined=StrictUndefined
        )

    def routes(self) -> list[web.RouteDef]:
        """Return every route of the sidebar."""
        path, door = self._place.path, self._door
        return [
            web.get(path, self.page),
            web.get(f"{path}/", self.page),  # as an address with a slash at its end is opened
            web.get(f"{path}/login", self.login),
            web.get(f"{path}/callback", self.callback),
            web.post(f"{path}/logout", self.logout),
            web.get(f"{path}/config", door.api(self.config)),
            web.get(path + r"/static/{edition:[0-9a-f]{1,64}}/{file:[\w.-]{1,64}}", self.static),
            *SidebarApi(self._room).routes(door),
        ]

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Give the page to who is signed in; send everybody else to sign in."""
        userid = self._door.member(request)
        if userid is None:
            here = quote(request.path_qs, safe="")
            raise web.HTTPFound(f"{self._place.path}/login?next={here}", headers=self._headers)
        try:
            sight = self._door.sight(userid)
        except Refusal as refusal:
            return self._message(request, "看不了这一页", refusal.words, status=refusal.status)
        text = self._templates.get_template("sidebar.html").render(
            base=self._place.path,
            sdk_url=self._place.sdk_url,
            static=self._static_path,
            me=who_am_i(sight),
            corp_id=self._corp.corp_id,
            agent_id=self._corp.agent_id,
        )
        return web.Response(text=text, content_type="text/html", headers=self._headers)

    async def login(self, request: web.Request) -> web.StreamResponse:
        """Send somebody to WeCom to say who he is."""
        browser = request.cookies.get(BROWSER_COOKIE, "") or new_browser()
        state = self._sessions.state(browser, self._room.clock.now())
        back_to = f"{self._place.address(request)}/callback"
        if query := self._query_of(request.query.get("next", "")):
            back_to += f"?next={quote(query, safe='')}"
        answer = web.HTTPFound(self._page.login_address(back_to, state), headers=self._headers)
        self._set_cookie(request, answer, BROWSER_COOKIE, browser, _BROWSER_FOR)
        raise answer

    async def callback(self, request: web.Request) -> web.StreamResponse:
        """Sign in who comes back from WeCom with a code, in the browser that began it."""
        browser = request.cookies.get(BROWSER_COOKIE, "")
        now = self._room.clock.now()
        if not self._sessions.is_ours(request.query.get("state", ""), browser, now):
            return self._message(request, *_NOT_MATCHED, status=403)
        code = request.query.get("code", "")
        try:
            member = await self._page.member(code) if code else ""
        except (Retryable, DatabaseFailed) as error:
            log.warning("sidebar_login_failed", reason=str(error))
            return self._message(request, *_NOT_NOW, status=503)
        except ConfigError as error:
            return self._message(request, _NOT_NOW[0], str(error), status=503)
        if not member:
            return self._message(request, *_SPENT, status=403)
        query = request.query.get("next", "")
        answer = web.HTTPFound(self._place.path + query_part(query), headers=self._headers)
        token = self._sessions.open(member, now)
        self._set_cookie(request, answer, SESSION_COOKIE, token, self._sessions.lasts)
        log.info("sidebar_signed_in", member=member)
        raise answer

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """Forget who is signed in."""
        if not self._place.is_own(request):
            raise web.HTTPForbidden(headers=self._headers)
        answer = web.Response(status=204, headers=self._headers)
        answer.del_cookie(SESSION_COOKIE, path=self._place.path)
        return answer

    async def config(self, caller: Caller) -> Json:
        """Sign the page for its JS-SDK: only a page of our own, at our own address."""
        url = caller.query.get("url", "").partition("#")[0]
        if len(url) > _MOST_CHARS or not _is_page(url, caller.address):
            raise unreadable("这不是侧边栏的地址，没有签名。")
        corp, app = await self._page.signed(url)
        return {
            "corpId": self._corp.corp_id,
            "agentId": self._corp.agent_id,
            "jsApiList": list(JS_APIS),
            "config": _signature(corp),
            "agentConfig": _signature(app),
        }

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Give one of the page's own files."""
        return self._files.answer(request, self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        return self._place.headers

    @property
    def _static_path(self) -> str:
        return f"{self._place.path}/static/{self._files.edition}/"

    def _query_of(self, address: str) -> str:
        """Return the query of a way back, "" where it does not lead to the page itself."""
        parts = urlsplit(address)
        path = parts.path.rstrip("/")
        ours = not parts.scheme and not parts.netloc and path == self._place.path
        return f"?{parts.query}" if ours and parts.query and len(address) < _MOST_CHARS else ""

    def _set_cookie(
        self,
        request: web.Request,
        answer: web.StreamResponse,
        name: str,
        value: str,
        lasts: timedelta,
    ) -> None:
        answer.set_cookie(
            name,
            value,
            max_age=int(lasts.total_seconds()),
            path=self._place.path,
            secure=self._place.address(request).startswith("https://"),
            httponly=True,
            samesite="Lax",
        )

    def _message(self, request: web.Request, title: str, text: str, *, status: int) -> web.Response:
        page = self._templates.get_template("sidebar_message.html").render(
            title=title,
            text=text,
            again=self._place.path + query_part(request.query.get("next", "")),
            static=self._static_path,
        )
        headers = self._headers
        return web.Response(text=page, status=status, content_type="text/html", headers=headers)


def query_part(query: str) -> str:
    """Return what may stand behind the page's path on the way back: a query, or nothing."""
    good = query.startswith("?") and len(query) < _MOST_CHARS and query.isprintable()
    return "?" + quote(query[1:], safe="=&%+-._~") if good else ""


def _is_page(url: str, address: str) -> bool:
    """Tell whether an address is the page's own, whatever its query."""
    parts, own = urlsplit(url), urlsplit(address)
    same = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
    return same and parts.path.rstrip("/") == own.path.rstrip("/")


def _signature(signed: Signed) -> Json:
    return {
        "timestamp": signed.timestamp,
        "nonceStr": signed.nonce,
        "signature": signed.signature,
    }
