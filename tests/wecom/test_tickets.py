"""The tickets of the JS-SDK: asked for once by all processes, kept until they end."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.channels.client_page import ClientPage
from bot.emulator.jsapi import sign
from bot.errors import ConfigError, Retryable
from bot.wecom.login import LoginApi
from bot.wecom.tickets import JsapiTicket, signature
from tests.wecom.conftest import CORP, SECRET

CORP_TICKET, APP_TICKET = "get_jsapi_ticket", "ticket/get"
PAGE = "https://bot.bank.example/sidebar?customer=wm&x=天#top"


def given(wire, ticket: str = "T1") -> None:  # type: ignore[no-untyped-def]
    wire.put(CORP_TICKET, {"ticket": f"corp-{ticket}", "expires_in": 7200})
    wire.put(APP_TICKET, {"ticket": f"app-{ticket}", "expires_in": 7200})


@pytest.fixture
def page_of(client, tokens, clock):  # type: ignore[no-untyped-def]
    """Return what makes the page's half of a process on the shared store."""

    def make() -> ClientPage:
        login = LoginApi(client, "https://open.example/authorize", CORP, 7)
        corp = JsapiTicket(client, "config", CORP, SECRET, tokens, clock)
        app = JsapiTicket(client, "agent_config", CORP, SECRET, tokens, clock)
        return ClientPage(login, corp, app, clock)

    return make


async def test_many_pages_of_many_processes_ask_once_for_each_ticket(wire, page_of, clock):
    given(wire)
    pages = [page_of() for _ in range(4)]
    signed = await asyncio.gather(*(page.signed(PAGE) for page in pages for _ in range(5)))
    assert (wire.count(CORP_TICKET), wire.count(APP_TICKET)) == (1, 1)
    assert wire.queries(APP_TICKET)[0]["type"] == "agent_config"
    for corp, app in signed:
        for ticket, one in (("corp-T1", corp), ("app-T1", app)):
            assert one.signature == sign(ticket, one.nonce, str(one.timestamp), PAGE)
    assert len({one.nonce for pair in signed for one in pair}) == 40
    clock.advance(minutes=115)
    given(wire, "T2")
    corp, _ = await pages[0].signed(PAGE)
    assert corp.signature == sign("corp-T2", corp.nonce, str(corp.timestamp), PAGE)
    assert (wire.count(CORP_TICKET), wire.count(APP_TICKET)) == (2, 2)


async def test_a_ticket_is_no_token_and_a_token_no_ticket(wire, page_of, client, tokens):
    given(wire)
    await page_of().signed(PAGE)
    kept = {key: value[0] for key, value in tokens._tokens.items()}
    assert sorted(kept.values()) == ["app-T1", "corp-T1", "token1"]
    assert not any(SECRET in key for key in kept)


async def test_what_wecom_refuses_is_said_or_tried_again(wire, page_of):
    given(wire)
    page = page_of()
    wire.put(CORP_TICKET, {"errcode": 60020, "errmsg": "from ip: 203.0.113.7"})
    with pytest.raises(ConfigError, match="企业可信IP"):
        await page.signed(PAGE)
    wire.put("auth/getuserinfo", {"errcode": 45009})
    with pytest.raises(Retryable, match="45009"):
        await page.member("code")
    for errcode in (40029, 42003, 42022):
        wire.put("auth/getuserinfo", {"errcode": errcode})
        assert await page.member("code") == ""
    wire.put("auth/getuserinfo", {"openid": "o1", "external_userid": "wm1"})
    assert await page.member("code") == "", "a customer is no member"
    wire.put("auth/getuserinfo", {"userid": "li.min"})
    assert await page.member("code") == "li.min"


def test_the_signature_is_as_wecom_has_it() -> None:
    page = "http://mp.weixin.qq.com?params=value"
    made = signature("ticket", "Wm3WZYTPz0wzccnW", 1414587457, page + "#part")
    assert made == sign("ticket", "Wm3WZYTPz0wzccnW", "1414587457", page)
    assert len(made) == 40


async def test_a_member_is_sent_to_wecom_with_all_that_it_asks_for(page_of) -> None:
    address = page_of().login_address("https://bot.bank.example/sidebar/callback?next=a", "s1")
    parts = urlsplit(address)
    assert parts.fragment == "wechat_redirect"
    told = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert told == {
        "appid": CORP,
        "redirect_uri": "https://bot.bank.example/sidebar/callback?next=a",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s1",
        "agentid": "7",
    }
