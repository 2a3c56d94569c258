"""WeCom's client around a page: signatures, which chat it is, and what a page may post into it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from bot.emulator.friends import befriend, unfriend
from bot.emulator.groups import create
from bot.emulator.jsapi import CORP as CORP_TICKET
from bot.emulator.jsapi import sign
from bot.emulator.kf_state import State
from bot.emulator.page import page_routes
from bot.emulator.server import build_app, serve_emulator
from bot.emulator.world import World

from .conftest import AGENT, CORP, KF, LI, MANAGER, OTHER, WANG

CHAT, PAGE = "wrGROUP", "http://127.0.0.1:1/sidebar"
APIS = ["getContext", "getCurExternalContact", "getCurExternalChat", "sendChatMessage"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)
HELLO = {"msgtype": "text", "text": {"content": "您好"}, "enterChat": True}
Json = dict[str, Any]


@dataclass
class Client:
    """A browser with a member's client open, and a page in it that calls the SDK."""

    base_url: str
    world: World
    session: aiohttp.ClientSession
    window: str = ""

    async def open(self, kind: str = "", id: str = "", user: str = MANAGER) -> int:
        query = {"user": user} | ({"kind": kind, "id": id} if kind else {})
        async with self.session.get(f"{self.base_url}/client", params=query) as answer:
            found = re.search(r'data-window="(\w+)"', await answer.text())
            self.window = found[1] if found else ""
            return answer.status

    async def call(self, api: str, **params: object) -> Json:
        return await self.post("sdk", api=api, params=params)

    async def post(self, path: str, **body: object) -> Json:
        url, told = f"{self.base_url}/client/{path}", {"window": self.window, **body}
        async with self.session.post(url, json=told) as answer:
            found: Json = await answer.json()
            return found

    async def state(self) -> Json:
        query = {"window": self.window}
        async with self.session.get(f"{self.base_url}/client/state", params=query) as answer:
            found: Json = await answer.json()
            return found

    def signed(self, key: int, url: str = PAGE, apis: list[str] | None = None) -> Json:
        ticket = str(self.world.jsapi.give(self.world, key)["ticket"])
        made = {"timestamp": "1795000000", "nonceStr": "abc", "url": url}
        signature = sign(ticket, "abc", "1795000000", url)
        return {**made, "signature": signature, "jsApiList": APIS if apis is None else apis}

    async def register(self, apis: list[str] | None = None) -> None:
        assert await self.told("config", **self.signed(CORP_TICKET, apis=apis)) == "config:ok"
        fields = {"corpid": CORP, "agentid": str(AGENT), **self.signed(AGENT, apis=apis)}
        assert await self.told("agentConfig", **fields) == "agentConfig:ok"

    async def told(self, api: str, **params: object) -> str:
        return str((await self.call(api, **params))["errMsg"])


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    world.client.sidebars[AGENT] = PAGE
    befriend(world, MANAGER, LI, quiet=True)
    create(
        world, OTHER, "银龄安心群·梧桐街", [LI, WANG], admins=[MANAGER], chat_id=CHAT, quiet=True
    )
    app = build_app(world)
    app.router.add_routes(page_routes(world, desk=False))
    async with (
        serve_emulator(world, live=False, app=app) as server,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        yield Client(server.base_url, world, session)


async def test_a_page_that_is_not_signed_may_nothing(client: Client) -> None:
    await client.open("friend", LI)
    for api in APIS:
        assert await client.told(api, **HELLO) == f"{api}:fail no permission"
    bad = client.signed(CORP_TICKET) | {"signature": "0" * 40}
    assert await client.told("config", **bad) == "config:fail invalid signature"
    other = client.signed(CORP_TICKET) | {"url": "http://127.0.0.1:1/other"}
    assert (await client.call("config", **other))["errCode"] == 40093
    swapped = await client.call("config", **client.signed(AGENT))
    assert swapped["errCode"] == 42012, "the app's ticket is not the corp's"
    await client.told("config", **client.signed(CORP_TICKET))
    assert await client.told("getContext") == "getContext:fail no permission", "half is not enough"
    stranger = {"corpid": CORP, "agentid": "1", **client.signed(AGENT)}
    assert (await client.told("agentConfig", **stranger)).startswith("agentConfig:fail")
    assert client.world.deliveries.select("single") == []


async def test_an_api_is_open_if_the_page_asked_for_it_and_the_app_is_the_members(
    client: Client,
) -> None:
    await client.open("friend", LI)
    await client.register(["getContext"])
    assert await client.told("getContext") == "getContext:ok"
    assert await client.told("sendChatMessage", **HELLO) == "sendChatMessage:fail no permission"
    assert await client.told("openUserProfile") == "openUserProfile:fail_nosupport"
    app = client.world.apps[AGENT]
    client.world.apps[AGENT] = replace(app, visible_to=frozenset({OTHER}))
    assert "not in allow list" in await client.told("getContext")


@pytest.mark.parametrize(
    ("kind", "id", "entry", "known"),
    [
        ("friend", LI, "single_chat_tools", "getCurExternalContact"),
        ("kf", LI, "single_kf_tools", "getCurExternalContact"),
        ("group", CHAT, "group_chat_tools", "getCurExternalChat"),
        ("", "", "normal", ""),
    ],
)
async def test_a_page_learns_beside_whom_it_stands(
    client: Client, kind: str, id: str, entry: str, known: str
) -> None:
    client.world.kf.customer_says(KF, LI, "在吗")
    await client.open(kind, id)
    await client.register()
    assert (await client.call("getContext"))["entry"] == entry
    for api in ("getCurExternalContact", "getCurExternalChat"):
        answer = await client.call(api)
        if api == known:
            assert answer["errMsg"] == answer["err_msg"] == f"{api}:ok"
            assert id in (answer.get("userId"), answer.get("chatId"))
        else:
            assert "without context" in answer["errMsg"]


async def test_what_a_page_sends_is_the_members_own_word_in_the_open_chat(client: Client) -> None:
    world = client.world
    await client.open("friend", LI)
    await client.register()
    assert await client.told("sendChatMessage", **HELLO) == "sendChatMessage:ok"
    (line,) = (await client.state())["lines"]
    assert (line["who"], line["text"]) == ("me", "您好")
    (single,) = world.deliveries.select("single", LI)
    assert (single.sender, single.source) == (MANAGER, "sidebar")
    await client.open("group", CHAT)
    await client.register()
    assert await client.told("sendChatMessage", **HELLO) == "sendChatMessage:ok"
    (posted,) = world.deliveries.select("group", CHAT)
    assert (posted.sender, posted.source) == (MANAGER, "sidebar"), "not the owner's, his own"
    world.kf.customer_says(KF, LI, "在吗")
    conversation = world.kf.conversation(KF, LI)
    conversation.stored_state, conversation.servicer = State.HUMAN, MANAGER
    await client.open("kf", LI)
    await client.register()
    assert await client.told("sendChatMessage", **HELLO) == "sendChatMessage:ok"
    assert conversation.lines[-1].sender == MANAGER
    conversation.servicer = OTHER
    assert (await client.call("sendChatMessage", **HELLO))["errCode"] == 95018


async def test_other_kinds_of_messages_are_checked_and_sent(client: Client) -> None:
    client.world.archive.secret = "bought"
    await client.open("friend", LI)
    await client.register()
    picture = client.world.media.put("image", "steps.png", PNG, "image/png").media_id
    news = {"link": "https://bank.example/a", "title": "防骗", "desc": "", "imgUrl": ""}
    app = {"appid": "wx1", "title": "小程序", "imgUrl": "https://bank.example/i", "page": "p.html"}
    for message in (
        {"msgtype": "image", "image": {"mediaid": picture}},
        {"msgtype": "news", "news": news},
        {"msgtype": "miniprogram", "miniprogram": app},
    ):
        assert await client.told("sendChatMessage", **message) == "sendChatMessage:ok"
    texts = [line["text"] for line in (await client.state())["lines"]]
    assert texts == ["[图片]", "[链接]防骗", "[小程序]小程序"]
    for message in (
        {"msgtype": "text", "text": {"content": ""}},
        {"msgtype": "video", "video": {"mediaid": picture}},
        {"msgtype": "news", "news": {"title": "没有地址"}},
        {"msgtype": "voice", "voice": {"mediaid": picture}},
    ):
        assert (await client.told("sendChatMessage", **message)).startswith("sendChatMessage:fail")
    kinds = [entry.message["msgtype"] for entry in client.world.archive.entries]
    assert kinds == ["image", "link", "weapp"]


async def test_nothing_is_sent_where_wecom_would_not(client: Client) -> None:
    await client.open("friend", LI)
    await client.register()
    client.world.faults.plan("sendChatMessage", "errcode", errcode=40201)
    assert (await client.call("sendChatMessage", **HELLO))["errCode"] == 40201
    unfriend(client.world, MANAGER, LI, by="customer")
    assert (await client.call("sendChatMessage", **HELLO))["errCode"] == 84061
    await client.open()
    await client.register()
    assert "without context" in await client.told("sendChatMessage", **HELLO)
    assert client.world.deliveries.select("single") == []


async def test_people_in_the_chat_speak_by_hand(client: Client) -> None:
    await client.open("group", CHAT)
    await client.post("say", text="大家好", speaker=MANAGER)
    await client.post("say", text="你好", speaker=WANG)
    state = await client.state()
    assert [(line["who"], line["text"]) for line in state["lines"]] == [
        ("me", "大家好"),
        ("customer", "你好"),
    ]
    assert [one["id"] for one in state["speakers"]] == [LI, WANG]
    assert "不在群里" in (await client.post("say", text="在吗", speaker="wmX"))["problem"]
    assert "写一句" in (await client.post("say", text=" "))["problem"]
    assert [item.source for item in client.world.deliveries.select("group")] == ["person"]


async def test_a_client_opens_only_its_members_chats(client: Client) -> None:
    assert await client.open("friend", WANG) == 404
    assert await client.open("group", "wrX") == 404
    assert await client.open(user="nobody") == 404
    client.window = "gone"
    assert "已经关了" in (await client.post("sdk", api="getContext"))["problem"]
    url, body = f"{client.base_url}/client/sdk", json.dumps({"api": "getContext"})
    plain = {"Content-Type": "text/plain"}
    async with client.session.post(url, data=body, headers=plain) as answer:
        assert answer.status == 415, "another site's form moves nothing"


async def test_who_sits_before_the_client_signs_in_to_the_page(client: Client) -> None:
    await client.open("friend", LI)
    query = {
        "appid": CORP,
        "redirect_uri": PAGE,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s",
        "agentid": str(AGENT),
    }
    url = f"{client.base_url}/connect/oauth2/authorize"
    async with client.session.get(url, params=query, allow_redirects=False) as answer:
        assert answer.status == 302
    (code,) = client.world.oauth.codes.values()
    assert code.who == MANAGER


async def test_the_console_puts_a_page_into_the_sidebar(client: Client) -> None:
    url = f"{client.base_url}/emulator/client/sidebar"

    async def put(address: str, agent: int = AGENT) -> int:
        async with client.session.post(url, json={"agent_id": agent, "url": address}) as answer:
            return int((await answer.json())["errcode"])

    assert await put("https://bank.example/sidebar") == 0
    async with client.session.get(f"{client.base_url}/client?user={MANAGER}") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert 'src="https://bank.example/sidebar"' in await answer.text()
    assert "frame-src https://bank.example 'self';" in policy
    client.world.set_app(AGENT, enabled=True, trusted_domains=["bank.example"])
    assert await put("https://evil.example/sidebar") == 50001
    assert await put("no address") == 40058
    assert await put("https://bank.example", agent=7) == 40056
    assert await put("") == 0
    async with client.session.get(f"{client.base_url}/client?user={MANAGER}") as answer:
        assert "还没有应用" in await answer.text()


async def test_a_tap_on_a_card_opens_the_apps_own_page_and_no_other(client: Client) -> None:
    address = f"{client.base_url}/client"
    asked = {"user": MANAGER, "open": f"{PAGE}?lead=3"}
    async with client.session.get(address, params=asked) as answer:
        assert f'src="{PAGE}?lead=3"' in await answer.text()
    client.world.client.entrance = f"{PAGE}/login"
    async with client.session.get(address, params=asked) as answer:
        text = await answer.text()
        assert f'src="{PAGE}/login?next=%2Fsidebar%3Flead%3D3"' in text
        assert 'data-talk="no"' in text
    for elsewhere in ("https://evil.example/", "javascript:alert(1)", "/stage/state"):
        async with client.session.get(address, params=asked | {"open": elsewhere}) as answer:
            assert answer.status == 404, elsewhere
