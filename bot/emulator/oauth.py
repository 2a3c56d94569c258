"""Who is at the browser: OAuth in the client and the web login (§9.3, §9.4), by code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web

from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import App, World

CODE_LIFE, TICKET_LIFE = timedelta(minutes=5), timedelta(minutes=30)
BAD_CODE, OLD_CODE, USED_CODE, BAD_DOMAIN, OUT_OF_RANGE = 40029, 42003, 42022, 50001, 50002
TICKET_EXPIRED, TICKET_INVALID = 84014, 84015
NOBODY = "-"
CLIENT_COOKIE = "emulator_user"
"""Who sits before the client whose page this browser has open."""
PRIVATE = "snsapi_privateinfo"
_STATE = re.compile(r"[0-9a-zA-Z]{0,128}")


@dataclass
class LoginCode:
    """What a code stands for: a member (or a customer) before one app, once, for 5 minutes."""

    agent_id: int
    who: str
    private: bool
    expires_at: datetime
    used: bool = False


@dataclass
class OAuthBook:
    """The codes given out, and who sits at the browser."""

    signed_in: str = ""
    """The member (or customer) at the browser; "" lets the page ask, "-" is one who refuses."""
    codes: dict[str, LoginCode] = field(default_factory=dict)
    tickets: dict[str, tuple[str, datetime]] = field(default_factory=dict)


def routes(world: World) -> list[web.RouteDef]:
    """Return the pages a browser is sent to: in the client, the new web login, the old one."""

    async def authorize(request: web.Request) -> web.StreamResponse:
        return _page(world, request, in_client=True)

    async def login(request: web.Request) -> web.StreamResponse:
        return _page(world, request, in_client=False)

    return [
        web.get("/connect/oauth2/authorize", authorize),
        web.get("/wwlogin/sso/login", login),
        web.get("/wwopen/sso/qrConnect", login),
    ]


def _page(world: World, request: web.Request, *, in_client: bool) -> web.StreamResponse:
    query = request.query
    try:
        app, private = _check(world, query, in_client=in_client)
    except ApiError as error:
        text = f"<p>打不开这个页面：{error.errcode} {escape(error.note)}</p>"
        return web.Response(text=text, content_type="text/html", status=400)
    at_client = request.cookies.get(CLIENT_COOKIE, "") if in_client else ""
    who = query.get("emulator_user") or (at_client if at_client in world.members else "")
    who = who or world.oauth.signed_in
    if not who:
        return web.Response(text=_choice(world, request), content_type="text/html")
    fields = {"state": query["state"]} if query.get("state") else {}
    if who != NOBODY:
        if who not in world.members and who not in world.customers:
            raise web.HTTPBadRequest(text="no such member or customer")
        code = world.new_id("") + world.new_id("")
        ends_at = world.now() + CODE_LIFE
        world.oauth.codes[code] = LoginCode(app.agent_id, who, private, ends_at)
        fields = {"code": code, **fields}
    elif in_client:
        raise web.HTTPForbidden(text="the member refused")
    raise web.HTTPFound(_with(query["redirect_uri"], fields))


def _check(world: World, query: Mapping[str, str], *, in_client: bool) -> tuple[App, bool]:
    """Return the app a page is for, and whether it asks for private fields."""
    call = Call({}, query, world.corp_id, 0)
    if call.param("appid") != world.corp_id:
        raise ApiError(40013)
    scope, agent = call.param("scope", required=in_client), call.param("agentid", required=False)
    if in_client:
        if call.param("response_type") != "code" or scope not in ("snsapi_base", PRIVATE):
            raise ApiError(40058, "response_type is code, scope is snsapi_base or …_privateinfo")
    elif call.param("login_type", required=False) not in ("", "CorpApp"):
        raise ApiError(40058, "login_type")
    if not agent and (scope == PRIVATE or not in_client):
        raise ApiError(41011)
    if not _STATE.fullmatch(call.param("state", required=False)):
        raise ApiError(40058, "state has at most 128 of a-z A-Z 0-9")
    host = urlsplit(call.param("redirect_uri")).netloc
    for app in world.apps.values():
        trusted = app.trusted_domains is None or host in app.trusted_domains
        if agent == str(app.agent_id) and not trusted:
            raise ApiError(BAD_DOMAIN, host)
        if (agent in ("", str(app.agent_id))) and trusted and host:
            return app, scope == PRIVATE
    raise ApiError(40056 if agent else BAD_DOMAIN, host)


def _choice(world: World, request: web.Request) -> str:
    """Return a page on which a person says who he is."""
    people = [
        f'<li><a href="{escape(str(request.rel_url.update_query(emulator_user=userid)))}">'
        f"{escape(member.name)}（{escape(member.role)}）</a></li>"
        for userid, member in world.members.items()
        if member.active
    ]
    refuse = escape(str(request.rel_url.update_query(emulator_user=NOBODY)))
    return (
        '<!doctype html><meta charset="utf-8"><title>本机的企业微信</title>'
        f"<h1>您是哪一位？</h1><ul>{''.join(people)}"
        f'<li><a href="{refuse}">不登录</a></li></ul>'
    )


def _with(url: str, fields: dict[str, str]) -> str:
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *fields.items()])
    return urlunsplit(parts._replace(query=query))


async def _info(world: World, call: Call) -> Answer:
    code = _redeem(world, call)
    customer = world.customers.get(code.who)
    if customer is not None:
        openid = f"o{customer.external_userid[2:]}"
        return {"openid": openid, "external_userid": customer.external_userid}
    if not world.apps[call.agent_id].sees(code.who):
        raise ApiError(OUT_OF_RANGE)
    answer: dict[str, object] = {"userid": code.who}
    if code.private:
        ticket = world.new_id("") + world.new_id("")
        world.oauth.tickets[ticket] = (code.who, world.now() + TICKET_LIFE)
        answer |= {"user_ticket": ticket, "expires_in": int(TICKET_LIFE.total_seconds())}
    return answer


async def _old_info(world: World, call: Call) -> Answer:
    """Answer as the older user/getuserinfo did, by which older clients still ask."""
    answer = await _info(world, call)
    names = {"userid": "UserId", "openid": "OpenId"}
    fields = answer if isinstance(answer, dict) else {}
    return {names.get(key, key): value for key, value in fields.items()} | {"DeviceId": ""}


def _redeem(world: World, call: Call) -> LoginCode:
    code = world.oauth.codes.get(call.param("code", code=BAD_CODE))
    if code is None or code.agent_id != call.agent_id:
        raise ApiError(BAD_CODE)
    if code.used:
        raise ApiError(USED_CODE)
    if code.expires_at <= world.now():
        raise ApiError(OLD_CODE)
    code.used = True
    return code


async def _detail(world: World, call: Call) -> Answer:
    known = world.oauth.tickets.get(call.text("user_ticket", code=TICKET_INVALID))
    if known is None:
        raise ApiError(TICKET_INVALID)
    userid, ends_at = known
    if ends_at <= world.now():
        raise ApiError(TICKET_EXPIRED)
    return {
        "userid": userid,
        "gender": "0",
        "avatar": "",
        "qr_code": f"https://open.work.weixin.qq.com/wwopen/userQRCode?vcode={userid}",
        "mobile": "",
        "email": f"{userid}@bank.example",
        "biz_mail": f"{userid}@bank.example",
        "address": "",
    }


async def _sign_in(world: World, call: Call) -> Answer:
    """Say who sits at the browser: a userid, an external_userid, "-" to refuse, "" to be asked."""
    who = call.text("who", required=False)
    if who not in ("", NOBODY) and who not in world.members and who not in world.customers:
        raise ApiError(60111, who)
    world.oauth.signed_in = who
    return {}


APIS: tuple[Api, ...] = (
    Api("GET", "auth/getuserinfo", _info),
    Api("GET", "user/getuserinfo", _old_info),
    Api("POST", "auth/getuserdetail", _detail),
)
CONTROLS: tuple[Api, ...] = (Api("POST", "oauth/sign_in", _sign_in, token=False),)
