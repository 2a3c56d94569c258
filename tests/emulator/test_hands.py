"""The hands of people over HTTP, from the first word to the end; and what holds for every API."""

from __future__ import annotations

from typing import Any

from bot.emulator.server import APIS
from bot.emulator.world import World

from .conftest import AGENT, KF, LI, MANAGER, OTHER, WANG, Api, Receiver

WHO = {"open_kfid": KF, "external_userid": LI}


async def told(world: World, receiver: Receiver) -> list[dict[str, Any]]:
    await world.callbacks.flush()
    return receiver.take()


async def test_every_api_wants_its_method_and_a_token(api: Api) -> None:
    api.token = ""
    for one in APIS:
        call = api.get if one.method == "GET" else api.post
        errcode = (await call(one.path))["errcode"]
        if one.token:
            assert errcode == 41001, one.path
        other = [item for item in APIS if item.path == one.path and item.method != one.method]
        wrong = api.post if one.method == "GET" else api.get
        if not other:
            assert (await wrong(one.path))["errcode"] == 40063, one.path


async def test_addresses_are_listed_for_the_firewall(api: Api) -> None:
    for path in ("get_api_domain_ip", "getcallbackip"):
        assert (await api.get(path))["ip_list"] == ["127.0.0.1"]


async def test_a_talk_by_every_hand(api: Api, world: World) -> None:
    menu = {"list": [{"type": "click", "click": {"id": "p", "content": "转人工"}}]}
    said = await api.steer("kf/say", {**WHO, "text": "在吗"})
    body = {"touser": LI, "open_kfid": KF, "msgtype": "msgmenu", "msgmenu": menu}
    assert await api.code("kf/send_msg", body) == 0
    await api.steer("kf/click", {**WHO, "item_id": "p"})
    await api.steer("kf/recall", {**WHO, "msgid": said["msgid"]})
    assert await api.code("kf/service_state/trans", {**WHO, "service_state": 2}) == 0
    code = (await api.steer("kf/take", {**WHO, "userid": MANAGER}))["msg_code"]
    hint = {"code": code, "msgtype": "text", "text": {"content": "已接入"}}
    assert await api.code("kf/send_msg_on_event", hint) == 0
    await api.steer("kf/transfer", {**WHO, "userid": OTHER})
    await api.steer("kf/reply", {**WHO, "userid": OTHER, "text": "我是李四"})
    code = (await api.steer("kf/end", WHO))["msg_code"]
    assert await api.code("kf/send_msg_on_event", {**hint, "code": code}) == 0
    await api.steer("kf/reply", {**WHO, "userid": OTHER, "text": "补充一句"})
    pulled = (await api.post("kf/sync_msg", {"open_kfid": KF}))["msg_list"]
    assert [item.get("event", {}).get("event_type", item["msgtype"]) for item in pulled] == [
        "text",
        "text",
        "user_recall_msg",
        "session_status_change",
        "session_status_change",
        "text",
        "session_status_change",
        "session_status_change",
        "text",
    ]
    changes = [item["event"]["change_type"] for item in pulled if "change_type" in str(item)]
    assert changes == [1, 2, 3, 4]
    assert pulled[1]["text"] == {"content": "转人工", "menu_id": "p"}


async def test_a_customer_refuses_and_is_led_on(api: Api, world: World) -> None:
    await api.steer("kf/say", {**WHO, "text": "在吗"})
    offered = {"userids": [MANAGER], "department_ids": [7], "chat_ids": []}
    await api.steer("kf/upgrade", offered)
    shown = await api.get("kf/customer/get_upgrade_service_config")
    assert shown["member_range"] == {"userid_list": [MANAGER], "department_id_list": [7]}
    world.app_messages.parties["7"] = {OTHER}
    lead = {**WHO, "type": 1, "member": {"userid": OTHER, "wording": "由李四为您服务"}}
    assert await api.code("kf/customer/upgrade_service", lead) == 0
    assert (await api.steer("kf/accept_upgrade", WHO))["target"] == OTHER
    assert world.contacts.need(OTHER, LI).add_way == 0
    lead["member"] = {"userid": "nobody", "wording": ""}
    assert await api.code("kf/customer/upgrade_service", lead) == 60021
    assert await api.code("kf/customer/cancel_upgrade_service", WHO) == 0
    assert (await api.control("kf/accept_upgrade", WHO))["errcode"] == 60136
    await api.steer("kf/refuse", WHO)
    body = {"touser": LI, "open_kfid": KF, "msgtype": "text", "text": {"content": "好"}}
    assert await api.code("kf/send_msg", body) == 0
    pulled = (await api.post("kf/sync_msg", {"open_kfid": KF}))["msg_list"]
    assert pulled[-1]["event"]["fail_type"] == 10


async def test_departments_are_servicers_and_receivers(api: Api, world: World) -> None:
    world.settle_member("wangwu", "王五")
    made = {"departments": {"7": ["wangwu"]}, "tags": {"3": [OTHER]}}
    await api.steer("departments", made)
    await api.steer("kf/say", {**WHO, "text": "在吗"})
    trans = {**WHO, "service_state": 3, "servicer_userid": "wangwu"}
    assert await api.code("kf/service_state/trans", trans) == 95014
    joined = {"open_kfid": KF, "department_id_list": [7]}
    assert await api.code("kf/servicer/add", joined) == 0
    assert await api.code("kf/service_state/trans", trans) == 0
    text = {"msgtype": "text", "text": {"content": "好"}, "agentid": AGENT}
    sent = await api.post("message/send", {**text, "toparty": "7|8", "totag": "3"})
    assert (sent["errcode"], sent["invalidparty"]) == (0, "8")
    assert [item.to for item in world.deliveries.select("member")] == ["wangwu", OTHER]
    wrong = await api.control("departments", {"departments": {"7": ["nobody"]}})
    assert wrong["errcode"] == 60111


async def test_a_group_by_every_hand(api: Api, world: World, receiver: Receiver) -> None:
    material = {"text": {"content": "欢迎 %NICKNAME%"}}
    path = "externalcontact/group_welcome_template"
    template = {"template_id": (await api.post(f"{path}/add", material))["template_id"]}
    edited = {**template, "text": {"content": "欢迎您，%NICKNAME%"}}
    assert await api.code(f"{path}/edit", edited) == 0
    assert (await api.post(f"{path}/get", template))["text"] == edited["text"]
    made = {"owner": MANAGER, "name": "城东群", "people": [LI]}
    chat = {"chat_id": (await api.steer("groups/create", made))["chat_id"]}
    await api.steer("groups/welcome", {**chat, **template})
    await api.steer("groups/join", {**chat, "people": [WANG], "join_scene": 1})
    await api.steer("groups/owner_say", {**chat, "text": "大家好"})
    await api.steer("groups/rename", {**chat, "name": "城东客户群"})
    await api.steer("groups/notice", {**chat, "notice": "周三有课"})
    await api.steer("groups/leave", {**chat, "people": [WANG], "removed": True})
    await api.steer("groups/owner", {**chat, "owner": OTHER})
    events = await told(world, receiver)
    assert [item.get("UpdateDetail", item["ChangeType"]) for item in events] == [
        "create",
        "add_member",
        "change_name",
        "change_notice",
        "del_member",
        "add_member",
        "change_owner",
    ]
    assert [events[1]["JoinScene"], events[4]["QuitScene"]] == ["0", "1"]
    assert events[4]["LastMemVer"] == events[1]["CurMemVer"]
    spoken = (await api.control("groups/lines", chat_id=chat["chat_id"]))["lines"]
    assert [line["text"] for line in spoken] == ["欢迎您，王先生", "大家好"]
    assert await api.code(f"{path}/del", template) == 0
    assert await api.code(f"{path}/get", template) == 40058


async def test_a_console_welcome_leaves_no_code_and_the_app_hears_a_word(
    api: Api, world: World, receiver: Receiver
) -> None:
    await api.steer("contacts/console_welcome", {"userids": [MANAGER]})
    await api.steer("contacts/add", {"userid": MANAGER, "external_userid": LI})
    await api.steer("contacts/add", {"userid": OTHER, "external_userid": LI})
    await api.steer("app/say", {"userid": MANAGER, "agent_id": AGENT, "text": "在吗"})
    first, second, word = await told(world, receiver)
    assert "WelcomeCode" not in first
    assert "WelcomeCode" in second
    assert word["Content"] == "在吗"
