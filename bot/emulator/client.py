"""The page of a member's WeCom: a chat with an app's sidebar beside it, and the bridge to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from bot.emulator import client_talk
from bot.emulator.attachments import Part
from bot.emulator.client_sdk import Window, answer, origin_of
from bot.emulator.oauth import CLIENT_COOKIE
from bot.emulator.page_customer import words
from bot.emulator.page_words import Refused, local, name_of, reason
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.page_watch import Watch
    from bot.emulator.world import World

_LONGEST_TEXT = 2000
_POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-src {sidebar}; "
    "frame-ancestors 'self'; base-uri 'none'"
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Render = Callable[..., str]


def client_routes(world: World, watch: Watch, render: Render) -> list[web.RouteDef]:
    """Return the routes of the client's page: itself, its news, hands, and the SDK's calls.

    ``render`` fills in its template.
    """
    client = _Client(world, watch, render)
    return [
        web.get("/client", client.page),
        web.get("/client/state", client.state),
        web.post("/client/say", client.posted(client.say)),
        web.post("/client/sdk", client.posted(client.sdk)),
    ]


class _Client:
    """Members' clients in browsers: each open page is a window of one member's."""

    def __init__(self, world: World, watch: Watch, render: Render) -> None:
        self._world = world
        self._watch = watch
        self._render = render

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Open a member's chat (``kind`` and ``id``); without them the app alone.

        ``open`` is another page of the app's, as a tap on a card opens it.
        """
        world, query = self._world, request.query
        userid = query.get("user", "")
        if userid not in world.members:
            raise web.HTTPNotFound(text="没有这位同事")
        agent_id, address = next(iter(world.client.sidebars.items()), (0, ""))
        talk, page = None, query.get("open", "")
        if page and not world.client.is_of_an_app(page):
            raise web.HTTPNotFound(text="这不是聊天侧边栏里那个应用的网页")
        if query.get("kind") and not page:
            try:
                talk = client_talk.find_talk(world, userid, query["kind"], query.get("id", ""))
            except Refused as refused:
                raise web.HTTPNotFound(text=refused.words) from None
        window = world.client.open(world, userid, agent_id, talk)
        address = world.client.way_to(page or address)
        origin = origin_of(address)
        text = self._render(
            window=window.id,
            sidebar=address,
            origin=origin,
            me=name_of(world, userid),
            has_talk=talk is not None,
        )
        headers = {
            "Content-Security-Policy": _POLICY.format(sidebar=f"{origin} 'self'".strip()),
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }
        response = web.Response(text=text, content_type="text/html", headers=headers)
        # Who sits before this client is who signs in to a page in it.
        response.set_cookie(CLIENT_COOKIE, userid, httponly=True, samesite="Lax")
        return response

    async def state(self, request: web.Request) -> web.StreamResponse:
        """Answer with the chat; wait for news while ``version`` is the newest."""
        query = request.query
        known = int(query["version"]) if query.get("version", "").isdecimal() else -1
        try:
            window = self._window(query.get("window", ""))
            version = await self._watch.later_than(known, lambda: request.transport is None)
            shown = _shown(self._world, window)
        except Refused as refused:
            return _problem(refused.words)
        except ApiError as error:
            return _problem(reason(error))
        now = local(self._world.now())
        headers = {"Cache-Control": "no-store"}
        return web.json_response({"version": version, "now": now, **shown}, headers=headers)

    def posted(self, act: Callable[[Window, Call], dict[str, object]]) -> Handler:
        """Return the handler of something that the window asks for or its people do."""

        async def handle(request: web.Request) -> web.StreamResponse:
            # Another site's page can post a form here, but not JSON.
            if request.content_type != "application/json":
                raise web.HTTPUnsupportedMediaType
            try:
                body = await request.json()
                if not isinstance(body, dict):
                    raise ValueError("not an object")
                call = Call(body, request.query, self._world.corp_id, 0, request)
                return web.json_response(act(self._window(call.text("window")), call))
            except ValueError:
                return _problem("这个请求读不懂，请刷新页面再试一次")
            except Refused as refused:
                return _problem(refused.words)
            except ApiError as error:
                return _problem(reason(error))

        return handle

    def say(self, window: Window, call: Call) -> dict[str, object]:
        """Let somebody in the chat say something by hand: the member himself, or a customer."""
        if window.talk is None:
            raise Refused("这里没有打开聊天")
        text, speaker = words(call, _LONGEST_TEXT), call.text("speaker", required=False)
        if speaker in ("", window.userid):
            part = Part("text", {"content": text})
            client_talk.post(self._world, window.userid, window.talk, part, sidebar=False)
        else:
            client_talk.customer_says(self._world, window.userid, window.talk, speaker, text)
        return {"version": self._watch.version()}

    def sdk(self, window: Window, call: Call) -> dict[str, object]:
        """Answer a call of the page in the sidebar."""
        return answer(self._world, window, call.text("api"), call.inside("params", required=False))

    def _window(self, id: str) -> Window:
        window = self._world.client.windows.get(id)
        if window is None:
            raise Refused("这个窗口已经关了，请刷新页面")
        return window


def _shown(world: World, window: Window) -> dict[str, object]:
    talk, me = window.talk, window.userid
    shown: dict[str, object] = {
        "me": {"id": me, "name": name_of(world, me)},
        "talks": client_talk.listed(world, me),
        "talk": None,
    }
    if talk is None:
        return shown
    return shown | {
        "talk": {"kind": talk.kind, "id": talk.id, "name": client_talk.title(world, talk)},
        "lines": client_talk.lines(world, me, talk),
        "speakers": client_talk.speakers(world, talk),
    }


def _problem(words: str) -> web.Response:
    return web.json_response({"problem": words}, status=400)


async def _sidebar(world: World, call: Call) -> Answer:
    """Put an app's page into the chat's sidebar as the console does; "" takes it away."""
    agent_id, url = call.integer("agent_id"), call.text("url", required=False)
    app = world.apps.get(agent_id)
    if app is None:
        raise ApiError(40056)
    host = urlsplit(url).netloc
    if url and not host:
        raise ApiError(40058, "url is not an address")
    if url and app.trusted_domains is not None and host not in app.trusted_domains:
        raise ApiError(50001, host)
    world.client.sidebars.pop(agent_id, None)
    if url:
        world.client.sidebars[agent_id] = url
    return {}


CONTROLS: tuple[Api, ...] = (Api("POST", "client/sidebar", _sidebar, token=False),)
