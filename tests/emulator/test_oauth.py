"""Who is at the browser, and the tickets of the JS-SDK."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from bot.clock import FakeClock
from bot.emulator.jsapi import sign
from bot.emulator.world import World

from .conftest import AGENT, CORP, LI, MANAGER, OTHER, SECRET, Api

BACK = "http://127.0.0.1:8080/console/callback?next=leads"
CLIENT = {
    "appid": CORP,
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "snsapi_base",
    "state": "abc123",
}
LOGIN = {
    "login_type": "CorpApp",
    "appid": CORP,
    "agentid": str(AGENT),
    "redirect_uri": BACK,
    "state": "abc123",
}


async def visit(api: Api, path: str, query: dict[str, str]) -> tuple[int, str]:
    """Return the status, and where the browser is sent or what it shows."""
    url = f"{api.base_url}{path}"
    async with api.session.get(url, params=query, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location") or await answer.text()


async def code_of(api: Api, **more: str) -> str:
    status, address = await visit(api, "/connect/oauth2/authorize", {**CLIENT, **more})
    assert status == 302, address
    back = parse_qs(urlsplit(address).query)
    assert (back["next"], back["state"]) == (["leads"], ["abc123"])
    return back["code"][0]


async def test_a_code_tells_who_it_is_once_and_for_five_minutes(api: Api, clock: FakeClock) -> None:
    await api.steer("oauth/sign_in", {"who": MANAGER})
    code = await code_of(api)
    assert (await api.get("auth/getuserinfo", code=code))["userid"] == MANAGER
    assert (await api.get("auth/getuserinfo", code=code))["errcode"] == 42022
    assert (await api.get("auth/getuserinfo", code="made-up"))["errcode"] == 40029
    old = await code_of(api)
    clock.advance(minutes=5)
    assert (await api.get("auth/getuserinfo", code=old))["errcode"] == 42003


async def test_private_fields_come_by_a_ticket_and_customers_by_their_id(
    api: Api, world: World, clock: FakeClock
) -> None:
    await api.steer("oauth/sign_in", {"who": MANAGER})
    code = await code_of(api, scope="snsapi_privateinfo", agentid=str(AGENT))
    ticket = (await api.get("auth/getuserinfo", code=code))["user_ticket"]
    shown = await api.post("auth/getuserdetail", {"user_ticket": ticket})
    assert (shown["userid"], shown["email"]) == (MANAGER, "zhangsan@bank.example")
    clock.advance(minutes=30)
    assert await api.code("auth/getuserdetail", {"user_ticket": ticket}) == 84014
    assert await api.code("auth/getuserdetail", {"user_ticket": "x"}) == 84015
    await api.steer("oauth/sign_in", {"who": LI})
    who = await api.get("auth/getuserinfo", code=await code_of(api))
    assert who["external_userid"] == LI
    await api.steer("oauth/sign_in", {"who": OTHER})
    await api.steer("app/range", {"agent_id": AGENT, "userids": [MANAGER]})
    out = await api.get("auth/getuserinfo", code=await code_of(api))
    assert out["errcode"] == 50002


async def test_the_web_login_asks_who_is_there_and_may_be_refused(api: Api) -> None:
    for path in ("/wwlogin/sso/login", "/wwopen/sso/qrConnect"):
        status, page = await visit(api, path, LOGIN)
        assert status == 200
        assert "张三（客户经理）" in page
        assert "emulator_user=zhangsan" in page
        _, address = await visit(api, path, {**LOGIN, "emulator_user": MANAGER})
        code = parse_qs(urlsplit(address).query)["code"][0]
        assert (await api.get("auth/getuserinfo", code=code))["userid"] == MANAGER
        _, refused = await visit(api, path, {**LOGIN, "emulator_user": "-"})
        assert "code" not in parse_qs(urlsplit(refused).query)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"appid": "wwother"}, 40013),
        ({"response_type": "token"}, 40058),
        ({"scope": "everything"}, 40058),
        ({"scope": "snsapi_privateinfo"}, 41011),
        ({"state": "a-b"}, 40058),
        ({"agentid": "9"}, 40056),
        ({"redirect_uri": "http://evil.example/"}, 50001),
    ],
)
async def test_a_wrong_address_is_not_opened(api: Api, more: dict[str, str], code: int) -> None:
    await api.steer("app/console", {"agent_id": AGENT, "trusted_domains": ["127.0.0.1:8080"]})
    status, page = await visit(api, "/connect/oauth2/authorize", {**CLIENT, **more})
    assert status == 400
    assert str(code) in page


async def test_a_code_is_for_the_app_it_was_asked_by(api: Api, world: World) -> None:
    await api.steer("oauth/sign_in", {"who": MANAGER})
    code = await code_of(api, agentid=str(AGENT))
    world.settle_app(7, "another-secret")
    await api.gettoken(secret="another-secret")
    assert (await api.get("auth/getuserinfo", code=code))["errcode"] == 40029
    await api.gettoken(secret=SECRET)
    assert (await api.get("user/getuserinfo", code=code))["UserId"] == MANAGER


async def test_a_page_is_signed_with_the_right_ticket(api: Api, clock: FakeClock) -> None:
    corp = await api.get("get_jsapi_ticket")
    app = await api.get("ticket/get", type="agent_config")
    assert corp["expires_in"] == 7200
    assert (await api.get("get_jsapi_ticket"))["ticket"] == corp["ticket"] != app["ticket"]
    page = {"nonceStr": "n", "timestamp": "1", "url": "https://b.example/side?a=1#top"}
    signed = sign(app["ticket"], "n", "1", "https://b.example/side?a=1")
    asked = {**page, "signature": signed, "agent_id": AGENT}
    await api.steer("jsapi/check", asked)
    assert (await api.control("jsapi/check", {**page, "signature": signed}))["errcode"] == 42012
    assert (await api.control("jsapi/check", {**asked, "url": "https://b.example/"}))[
        "errcode"
    ] == 40093
    clock.advance(hours=2)
    assert (await api.control("jsapi/check", asked))["errcode"] == 40093


async def test_tickets_are_limited_by_the_hour(api: Api, world: World) -> None:
    world.limits.app_tickets_per_hour = 2
    codes = [(await api.get("get_jsapi_ticket"))["errcode"] for _ in range(3)]
    assert codes == [0, 0, 45009]
    assert (await api.get("ticket/get", type="wx_card"))["errcode"] == 40058
