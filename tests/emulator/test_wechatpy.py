"""A client that nobody here wrote: wechatpy's synchronous one against the local WeCom.

What its methods send wrongly is written down as refusals: WeCom would refuse it too.
"""

from __future__ import annotations

import io
import time
from asyncio import to_thread
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from aiohttp import web
from wechatpy.exceptions import WeChatClientException
from wechatpy.work import WeChatClient, parse_message
from wechatpy.work.crypto import WeChatCrypto

from bot.clock import FakeClock
from bot.emulator.fixture import (
    AGENT_ID,
    CHAT_ID,
    COLLEAGUE,
    CORP_ID,
    CUSTOMER,
    MANAGER,
    OPEN_KFID,
    SECRET,
    START,
    a_small_bank,
)
from bot.emulator.friends import befriend
from bot.emulator.threaded import LocalWeCom

TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


@pytest.fixture(scope="module")
def running() -> Iterator[LocalWeCom]:
    with LocalWeCom(a_small_bank(FakeClock(START, running=True))) as wecom:
        yield wecom


@pytest.fixture(scope="module")
def client(running: LocalWeCom) -> Any:
    class Client(WeChatClient):  # type: ignore[misc]
        API_BASE_URL = f"{running.url}/cgi-bin/"

        def fetch_access_token(self) -> object:
            params = {"corpid": self.corp_id, "corpsecret": self.secret}
            return self._fetch_access_token(f"{self.API_BASE_URL}gettoken", params)

    client = Client(CORP_ID, SECRET)
    yield client
    client._http.close()


def refusal(call: Callable[[], object]) -> int:
    with pytest.raises(WeChatClientException) as refused:
        call()
    return int(refused.value.errcode)


def ask(running: LocalWeCom, words: str = "您好") -> None:
    running.do(lambda world: world.kf.customer_says(OPEN_KFID, CUSTOMER, words))


def test_its_token_is_renewed_when_ours_is_withdrawn(running: LocalWeCom, client: Any) -> None:
    old = client.access_token
    running.do(lambda world: world.tokens.withdraw_all(42001))
    assert client.kf.get_account_list()["account_list"][0]["open_kfid"] == OPEN_KFID
    assert client.access_token != old
    assert client.misc.get_wechat_ips() == ["127.0.0.1"]
    assert client.user.get(MANAGER)["name"] == "张三"


def test_its_app_messages_arrive(running: LocalWeCom, client: Any) -> None:
    picture = client.media.upload("image", ("图.png", io.BytesIO(PNG), "image/png"))
    assert client.get("media/get", params={"media_id": picture["media_id"]}).content == PNG
    assert client.media.upload_img(io.BytesIO(PNG))["url"].startswith("http")
    messages, media = client.message, picture["media_id"]
    messages.send_text(AGENT_ID, [MANAGER], "新线索")
    messages.send_image(AGENT_ID, MANAGER, media)
    messages.send_markdown(AGENT_ID, MANAGER, "**新线索**")
    messages.send_text_card(AGENT_ID, MANAGER, "日报", "今日 3 条", "https://b.example/")
    article = {"title": "周报", "description": "好", "url": "https://b.example/", "image": ""}
    messages.send_articles(AGENT_ID, MANAGER, [article])
    inbox = running.do(lambda world: [item.msgtype for item in world.app_messages.inbox(MANAGER)])
    assert inbox == ["text", "image", "markdown", "textcard", "news"]
    assert refusal(lambda: messages.send_text(AGENT_ID, "nobody", "好")) == 81013


def test_its_kf_talk_goes_both_ways(running: LocalWeCom, client: Any) -> None:
    seen = running.do(lambda world: len(world.deliveries))
    ask(running, "存单利率？")
    running.do(lambda world: setattr(world.assumed, "sync_needs_open_kfid", False))
    token = running.do(lambda world: next(iter(world.kf.accounts[OPEN_KFID].log._tokens), ""))
    pulled = client.kf.sync_msg(token)
    assert pulled["msg_list"][-1]["text"]["content"] == "存单利率？"
    sent = client.kf_message.send_text(CUSTOMER, OPEN_KFID, "请看利率表", msgid="w1")
    assert sent["msgid"] == "w1"
    items = [{"type": "click", "click": {"id": "1", "content": "转人工"}}]
    client.kf_message.send_msgmenu(CUSTOMER, OPEN_KFID, "还需要什么？", items, "")
    assert client.kf.get_service_state(OPEN_KFID, CUSTOMER)["service_state"] == 0
    moved = client.kf.trans_service_state(OPEN_KFID, CUSTOMER, 2)
    said = {"text": {"content": "正在为您转接"}}
    client.kf.send_msg_on_event(moved["msg_code"], "text", said)
    assert refusal(lambda: client.kf_message.send_text(CUSTOMER, OPEN_KFID, "好")) == 95018
    client.kf.trans_service_state(OPEN_KFID, CUSTOMER, 3, COLLEAGUE)
    shown = client.kf.get_service_state(OPEN_KFID, CUSTOMER)
    assert (shown["service_state"], shown["servicer_userid"]) == (3, COLLEAGUE)
    client.kf.trans_service_state(OPEN_KFID, CUSTOMER, 4)
    listed = running.do(lambda world: [item.text for item in world.deliveries.since(seen)])
    assert listed == ["请看利率表", "还需要什么？\n转人工", "正在为您转接"]


def test_its_servicers_links_and_upgrades_are_understood(running: LocalWeCom, client: Any) -> None:
    ask(running)
    assert len(client.kf.get_servicer_list(OPEN_KFID)["servicer_list"]) == 2
    gone = client.kf.del_servicer(OPEN_KFID, [COLLEAGUE])
    assert gone["result_list"][0]["errmsg"] == "success"
    client.kf.add_servicer(OPEN_KFID, COLLEAGUE)
    assert client.kf.add_contact_way(OPEN_KFID, "lobby")["url"].startswith("https://")
    named = client.kf.batchget_customer([CUSTOMER, "wmNOBODY"])
    assert named["customer_list"][0]["nickname"] == "王女士"
    running.do(lambda world: world.kf.upgrade_members.add(MANAGER))
    config = client.kf.get_upgrade_service_config()
    assert config["member_range"]["userid_list"] == [MANAGER]
    member = {"userid": MANAGER, "wording": "由张经理为您服务"}
    client.kf.upgrade_service(OPEN_KFID, CUSTOMER, 1, member=member)
    client.kf.cancel_upgrade_service(OPEN_KFID, CUSTOMER)


def test_what_it_sends_wrongly_is_refused(running: LocalWeCom, client: Any) -> None:
    """Its sync_msg names no account; link, location and mini program stand under wrong keys."""
    ask(running)
    running.do(lambda world: setattr(world.assumed, "sync_needs_open_kfid", True))
    assert refusal(lambda: client.kf.sync_msg("")) == 60251
    media = client.media.upload("image", ("图.png", io.BytesIO(PNG), "image/png"))["media_id"]
    messages = client.kf_message
    link = {"title": "表", "desc": "", "url": "https://b.example/", "thumb_media_id": media}
    assert refusal(lambda: messages.send_articles_link(CUSTOMER, OPEN_KFID, link)) == 40008
    place = ("城东支行", "城东路 1 号", 30.2, 120.1)
    assert refusal(lambda: messages.send_location(CUSTOMER, OPEN_KFID, *place)) == 40058
    program = ("wx1", "开户", media, "pages/index")
    assert refusal(lambda: messages.send_miniprogram(CUSTOMER, OPEN_KFID, *program)) == 40058


def test_its_contacts_tags_and_ways_are_ours(running: LocalWeCom, client: Any) -> None:
    contacts = client.external_contact
    assert contacts.get_follow_user_list()["follow_user"] == [MANAGER, COLLEAGUE]
    assert contacts.list(MANAGER)["external_userid"] == [CUSTOMER]
    assert contacts.get(CUSTOMER)["follow_user"][0]["userid"] == MANAGER
    tags = contacts.add_corp_tag(None, "意向", 1, [{"name": "国债"}])["tag_group"]
    tag_id = tags["tag"][0]["id"]
    contacts.mark_tag(MANAGER, CUSTOMER, [tag_id])
    assert contacts.get(CUSTOMER)["follow_user"][0]["tags"][0]["tag_name"] == "国债"
    contacts.edit_corp_tag(tag_id, "国债意向")
    assert contacts.get_corp_tag_list([tag_id])["tag_group"][0]["tag"][0]["name"] == "国债意向"
    contacts.del_corp_tag(tag_id=[tag_id])
    way = contacts.add_contact_way(1, 2, 1, "大堂", True, "lobby", [MANAGER], [])
    shown = contacts.get_contact_way(way["config_id"])["contact_way"]
    assert (shown["state"], shown["user"]) == ("lobby", [MANAGER])
    contacts.update_contact_way(way["config_id"], "柜台", True, 1, "desk", [COLLEAGUE], [])
    contacts.del_contact_way(way["config_id"])
    assert refusal(lambda: contacts.get_contact_way(way["config_id"])) == 41044


def test_its_welcome_mass_messages_and_groups_are_ours(running: LocalWeCom, client: Any) -> None:
    contacts = client.external_contact

    def come(world: Any) -> str:
        who = world.settle_customer("", "孙女士")
        befriend(world, COLLEAGUE, who)
        return next(reversed(world.contacts.welcomes.codes))

    welcome = {"welcome_code": running.do(come), "text": {"content": "您好"}}
    contacts.send_welcome_msg(welcome)
    assert refusal(lambda: contacts.send_welcome_msg(welcome)) == 41051
    task = {"chat_type": "group", "sender": MANAGER, "text": {"content": "国债发售"}}
    made = contacts.add_msg_template({**task, "chat_id_list": [CHAT_ID]})
    waiting = running.do(lambda world: [item.msgid for item in world.broadcasts.todo(MANAGER)])
    assert waiting == [made["msgid"]]
    groups = client.external_contact_group_chat
    assert groups.list_all() == [{"chat_id": CHAT_ID, "status": 0}]
    assert groups.get(CHAT_ID)["group_chat"]["owner"] == MANAGER
    yesterday = int(START.timestamp()) - 86400
    counted = groups.statistic(yesterday, owner_userid_list=[MANAGER])
    assert counted["items"][0]["data"]["chat_total"] == 0
    template = contacts.add_group_welcome_template({"text": {"content": "欢迎 %NICKNAME%"}})
    template_id = template["template_id"]
    assert contacts.get_group_welcome_template(template_id)["text"]["content"].startswith("欢迎")
    contacts.del_group_welcome_template(template_id)


def test_its_chats_menu_login_and_signatures_are_ours(running: LocalWeCom, client: Any) -> None:
    people = [MANAGER, COLLEAGUE]
    client.appchat.create("leads1", "线索群", MANAGER, people)
    assert client.appchat.get("leads1")["userlist"] == people
    client.appchat.send_text("leads1", "新线索")
    button = {"type": "click", "name": "今日线索", "key": "leads"}
    client.menu.create(AGENT_ID, {"button": [button]})
    assert client.menu.get(AGENT_ID)["button"] == [button]
    client.menu.delete(AGENT_ID)
    assert [item["name"] for item in client.department.list()] == ["总行", "城东支行"]
    assert client.agent.get(AGENT_ID)["name"] == "小安"
    page = ("n", client.jsapi.get_ticket()["ticket"], "1", "https://b.example/#top")
    signature = client.jsapi.get_jsapi_signature(*page)
    asked = {"nonceStr": "n", "timestamp": "1", "url": page[3], "signature": signature}
    # It signs what stands behind # too, and so makes a signature that no client accepts.
    assert check(running, asked) == 40093
    right = client.jsapi.get_jsapi_signature(*page[:3], "https://b.example/")
    assert check(running, {**asked, "signature": right}) == 0
    running.do(lambda world: setattr(world.oauth, "signed_in", MANAGER))
    query = "response_type=code&scope=snsapi_base&redirect_uri=http%3A%2F%2Fb.example%2F"
    address = f"{running.url}/connect/oauth2/authorize?appid={CORP_ID}&{query}"
    sent_to = client._http.get(address, allow_redirects=False).headers["Location"]
    code = sent_to.partition("code=")[2]
    assert client.oauth.get_user_info(code)["UserId"] == MANAGER


def check(running: LocalWeCom, asked: dict[str, str]) -> int:
    answer = requests.post(f"{running.url}/emulator/jsapi/check", json=asked, timeout=5)
    return int(answer.json()["errcode"])


async def test_its_crypto_opens_our_callbacks_and_ours_takes_its_reply(
    running: LocalWeCom,
) -> None:
    crypto, received = WeChatCrypto(TOKEN, AES_KEY, CORP_ID), []

    async def get(request: web.Request) -> web.Response:
        query = request.query
        signed = query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
        return web.Response(text=crypto.check_signature(*signed))

    async def post(request: web.Request) -> web.Response:
        query, body = request.query, await request.text()
        signed = query["msg_signature"], query["timestamp"], query["nonce"]
        message = parse_message(crypto.decrypt_message(body, *signed))
        received.append(message)
        reply = "<xml><MsgType>text</MsgType><Content>收到</Content></xml>"
        answer = crypto.encrypt_message(reply, query["nonce"], str(int(time.time())))
        return web.Response(text=answer)

    app = web.Application()
    app.router.add_get("/callback", get)
    app.router.add_post("/callback", post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    verified = await to_thread(
        lambda: running.point_callbacks_at(url, TOKEN, AES_KEY, agent_id=str(AGENT_ID), verify=True)
    )
    assert verified
    await to_thread(
        lambda: running.do(lambda world: world.app_messages.member_says(MANAGER, AGENT_ID, "在吗"))
    )
    results = await to_thread(running.settle)
    await runner.cleanup()
    assert [result.accepted for result in results[-1:]] == [True]
    assert (received[-1].type, received[-1].content) == ("text", "在吗")
    said = running.do(lambda world: world.deliveries.select("member", source="passive")[-1].text)
    assert said == "收到"
