"""The page of the demo: three phones on one stage, served beside the local WeCom.

Everything here is a hand or an eye of people: the stage only calls what players may do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from bot import page_files
from bot.emulator import page_customer, page_group, page_hands, page_staff
from bot.emulator.client import client_routes
from bot.emulator.page_group import GroupPosts
from bot.emulator.page_watch import Watch
from bot.emulator.page_words import Refused, local, reason
from bot.emulator.wire import ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

_STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
_HEADERS = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
_NEWEST = {"Cache-Control": "no-cache"}

Act = Callable[["World", Call], None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ACTS: dict[str, Act] = {
    "kf/say": page_customer.say,
    "kf/enter": page_customer.enter,
    "kf/click": page_customer.click,
    "group/say": page_group.say,
    "group/owner_says": page_group.owner_speaks,
    "staff/press": page_hands.press,
    "staff/confirm": page_hands.confirm,
    "staff/send_draft": page_hands.send_draft,
    "staff/take": page_staff.take,
    "staff/reply": page_hands.reply,
    "staff/end": page_staff.end,
}


def page_routes(world: World, *, desk: bool) -> list[web.RouteDef]:
    """Return the routes of the page: itself, its files, and the stage's JSON below ``/stage/``.

    With ``desk`` the page also shows the director's desk, whose ``/desk/`` routes another
    part serves on the same address.
    """
    stage = _Stage(world)
    return [
        web.get("/", _page(world, desk)),
        web.get("/static/{name}", _static),
        web.get("/stage/state", stage.state),
        web.get("/stage/media/{media_id}", stage.media),
        *(web.post(f"/stage/{path}", stage.act(act)) for path, act in _ACTS.items()),
        *client_routes(world, stage.watch, _template("client.html").render),
    ]


class _Stage:
    """The world as the page sees and moves it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.watch = Watch(world)
        self._posts = GroupPosts(world)

    async def state(self, request: web.Request) -> web.StreamResponse:
        """Answer with the three phones; wait for news while ``version`` is the newest."""
        query = request.query
        known = int(query["version"]) if query.get("version", "").isdecimal() else -1
        version = await self.watch.later_than(known, lambda: _is_gone(request))
        world = self._world
        return web.json_response(
            {
                "version": version,
                "now": local(world.now()),
                "kf": page_customer.view(world, query.get("customer", "")),
                "groups": page_group.view(world, self._posts, query.get("chat", "")),
                "staff": page_staff.view(world, query.get("staff", "")),
            },
            headers={"Cache-Control": "no-store"},
        )

    async def media(self, request: web.Request) -> web.StreamResponse:
        """Answer with a picture that the bank's side sent."""
        try:
            media = self._world.media.get(request.match_info["media_id"])
        except ApiError:
            raise web.HTTPNotFound from None
        kind = "image/png" if media.data.startswith(b"\x89PNG") else "image/jpeg"
        if media.kind != "image":
            raise web.HTTPNotFound
        return web.Response(body=media.data, content_type=kind, headers=_HEADERS)

    def act(self, act: Act) -> Handler:
        """Return the handler by which somebody on the stage does something."""

        async def handle(request: web.Request) -> web.StreamResponse:
            # Another site's page can post a form here, but not JSON.
            if request.content_type != "application/json":
                raise web.HTTPUnsupportedMediaType
            try:
                act(self._world, await _call(request, self._world))
            except Refused as refused:
                return _problem(refused.words)
            except ApiError as error:
                return _problem(reason(error))
            return web.json_response({"version": self.watch.version()})

        return handle


async def _call(request: web.Request, world: World) -> Call:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused("这个请求读不懂，请刷新页面再试一次")
    return Call(body, request.query, world.corp_id, 0, request)


def _problem(words: str) -> web.Response:
    return web.json_response({"problem": words}, status=400)


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("bot.emulator"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(name)


def _page(world: World, desk: bool) -> Handler:
    text = _template("page.html").render(desk=desk)

    async def handle(request: web.Request) -> web.StreamResponse:
        own = urlsplit(world.base_url)
        if request.url.host == "localhost" and own.hostname == "127.0.0.1":
            # Two names of one machine are two sites: a sign-in at one is none at the other.
            raise web.HTTPFound(f"{world.base_url}/")
        return web.Response(text=text, content_type="text/html", headers=_HEADERS | _NEWEST)

    return handle


async def _static(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    found = (folder / name for folder in (_STATIC, page_files.FOLDER))
    file = next((path for path in found if path.is_file()), None)
    if Path(name).name != name or file is None or file.suffix not in _TYPES:
        raise web.HTTPNotFound
    headers = {**_HEADERS, **_NEWEST, "Content-Type": f"{_TYPES[file.suffix]}; charset=utf-8"}
    return web.FileResponse(file, headers=headers)
