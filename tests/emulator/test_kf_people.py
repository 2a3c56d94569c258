"""微信客服 beyond talk: links, files, refusals, who gets a customer, grants, and the numbers."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import FakeClock
from bot.emulator.days import stamp
from bot.emulator.world import World

from .conftest import KF, LI, MANAGER, OTHER, WANG, Api, Receiver

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
WHO = {"open_kfid": KF, "external_userid": LI}


def text(content: str = "您好", **more: object) -> dict[str, object]:
    body = {"touser": LI, "open_kfid": KF, "msgtype": "text", "text": {"content": content}}
    return {**body, **more}


async def lines(api: Api) -> list[dict[str, Any]]:
    page = await api.post("kf/sync_msg", {"open_kfid": KF})
    assert page["errcode"] == 0
    found: list[dict[str, Any]] = page["msg_list"]
    return found


async def events(api: Api) -> list[dict[str, Any]]:
    return [item["event"] for item in await lines(api) if item["msgtype"] == "event"]


async def test_an_unverified_corp_opens_ten_accounts(api: Api, world: World) -> None:
    media = world.media.put("image", "头像.png", PNG).media_id
    account = {"name": "小安", "media_id": media}
    world.verified = False
    for _ in range(9):
        assert await api.code("kf/account/add", account) == 0
    assert await api.code("kf/account/add", account) == 95027
    world.verified = True
    opened = await api.post("kf/account/add", account)
    assert opened["open_kfid"].startswith("wk")
    assert await api.code("kf/account/update", {**opened, "name": "一" * 17}) == 95006
    assert await api.code("kf/account/update", {**opened, "name": "理财小安"}) == 0
    assert await api.code("kf/account/del", opened) == 0
    assert await api.code("kf/account/del", opened) == 95004


async def test_a_link_brings_its_scene_and_the_callers_own_parameter(api: Api) -> None:
    way = {"open_kfid": KF, "scene": "lobby"}
    url = (await api.post("kf/add_contact_way", way))["url"]
    channels = {"nickname": "小安视频", "scene": 1}
    opened = {
        "url": f"{url}&scene_param=%E5%9F%8E%E4%B8%9C",
        "external_userid": LI,
        "wechat_channels": channels,
    }
    code = (await api.steer("kf/open", opened))["welcome_code"]
    entered = (await events(api))[0]
    assert (entered["scene"], entered["scene_param"], entered["welcome_code"]) == (
        "lobby",
        "城东",
        code,
    )
    assert entered["wechat_channels"] == channels
    wanted = {"external_userid_list": [LI, "wmNOBODY"], "need_enter_session_context": 1}
    found = await api.post("kf/customer/batchget", wanted)
    assert found["customer_list"][0]["enter_session_context"] == {
        "scene": "lobby",
        "scene_param": "城东",
        "wechat_channels": channels,
    }
    assert found["invalid_external_userid"] == ["wmNOBODY"]
    for bad in (f"{url}&scene_param={'x' * 129}", f"{url}&other=1", "https://work.weixin.qq.com/"):
        assert (await api.control("kf/open", {**opened, "url": bad}))["errcode"] == 40058
    assert await api.code("kf/add_contact_way", {"open_kfid": KF, "scene": "有空格"}) == 40058


async def test_what_customers_send_is_fetched_and_what_is_too_big_is_told_in_words(
    api: Api, world: World
) -> None:
    sent = {**WHO, "msgtype": "image", "filename": "截图.png"}
    picture = base64.b64encode(PNG).decode()
    await api.steer("kf/send_file", {**sent, "base64": picture})
    world.assumed.kf_image_bytes = 10
    await api.steer("kf/send_file", {**sent, "base64": picture})
    small, big = await lines(api)
    query = {"access_token": api.token, "media_id": small["image"]["media_id"]}
    async with api.session.get(f"{api.base_url}/cgi-bin/media/get", params=query) as answer:
        assert await answer.read() == PNG
    assert big["text"] == {"content": "［图片过大，无法接收］"}
    assert (await api.control("kf/send_file", {**sent, "base64": "?"}))["errcode"] == 40058


async def test_a_message_of_another_kind_than_its_file_is_refused(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    media = world.media.put("image", "图.png", PNG).media_id
    image = {"msgtype": "image", "image": {"media_id": media}}
    assert await api.code("kf/send_msg", text(msgtype="voice", voice={"media_id": media})) == 40007
    assert await api.code("kf/send_msg", text(**image)) == 0
    link = {"title": "利率表", "url": "bank.example", "thumb_media_id": media}
    assert await api.code("kf/send_msg", text(msgtype="link", link=link)) == 45034
    link["url"] = "https://bank.example/"
    assert await api.code("kf/send_msg", text(msgtype="link", link=link)) == 0
    ca_link = {"link_url": "https://work.weixin.qq.com/ca/x"}
    assert await api.code("kf/send_msg", text(msgtype="ca_link", ca_link=ca_link)) == 0
    for menu, code in (
        ({"list": [{"type": "click", "click": {"content": "好"}}] * 11}, 95008),
        ({"list": [{"type": "shout", "shout": {}}]}, 95009),
        ({"list": [{"type": "click", "click": {"content": "长" * 43}}]}, 40058),
    ):
        assert await api.code("kf/send_msg", text(msgtype="msgmenu", msgmenu=menu)) == code
    place = {"latitude": 91, "longitude": 0}
    assert await api.code("kf/send_msg", text(msgtype="location", location=place)) == 95022


async def test_a_servicer_may_refuse_a_customer_and_take_back_his_own_words(
    api: Api, world: World
) -> None:
    world.kf.customer_says(KF, LI, "您好")
    await api.post("kf/service_state/trans", {**WHO, "service_state": 3, "servicer_userid": OTHER})
    said = {**WHO, "userid": OTHER, "msgtype": "text", "text": {"content": "说错了"}}
    msgid = (await api.steer("kf/servicer_send", said))["msgid"]
    await api.steer("kf/servicer_recall", {**WHO, "msgid": msgid})
    await api.steer("kf/reject", {**WHO, "userid": OTHER})
    assert (await api.control("kf/say", {**WHO, "text": "在吗"}))["errcode"] == 40143
    await api.steer("kf/reject", {**WHO, "userid": OTHER, "rejecting": False})
    await api.steer("kf/say", {**WHO, "text": "在吗"})
    recalled, rejected, again = await events(api)
    assert recalled["event_type"] == "servicer_recall_msg"
    assert (recalled["recall_msgid"], recalled["servicer_userid"]) == (msgid, OTHER)
    assert [rejected["reject_switch"], again["reject_switch"]] == [1, 0]
    assert rejected["event_type"] == "reject_customer_msg_switch_change"


async def test_the_console_decides_who_gets_a_customer(api: Api, world: World) -> None:
    rule = {"open_kfid": KF, "first_state": 3, "assigns": "in_turn"}
    await api.steer("kf/reception", rule)
    got = []
    for customer in (LI, WANG):
        world.kf.customer_says(KF, customer, "您好")
        who = {"open_kfid": KF, "external_userid": customer}
        got.append((await api.post("kf/service_state/get", who))["servicer_userid"])
    assert got == [MANAGER, OTHER]
    await api.steer("kf/reception", {**rule, "assigns": "least_busy"})
    new = world.settle_customer("", "孙先生")
    world.kf.servicer_ends(KF, WANG)
    world.kf.customer_says(KF, new, "您好")
    assert world.kf.conversation(KF, new).servicer == OTHER
    for userid in (MANAGER, OTHER):
        await api.steer("kf/status", {"open_kfid": KF, "userid": userid, "receiving": 0})
    last = world.settle_customer("", "周先生")
    world.kf.customer_says(KF, last, "您好")
    who = {"open_kfid": KF, "external_userid": last}
    assert (await api.post("kf/service_state/get", who))["service_state"] == 2
    assert (await api.control("kf/reception", {**rule, "assigns": "dice"}))["errcode"] == 40058


async def test_an_account_taken_from_the_app_is_told_and_refused(
    api: Api, world: World, receiver: Receiver
) -> None:
    await api.steer("kf/grant", {"open_kfid": KF, "managed": False})
    await world.callbacks.flush()
    told = receiver.take()[0]
    assert (told["Event"], told["AuthDelOpenKfId"]) == ("kf_account_auth_change", KF)
    assert await api.code("kf/sync_msg", {"open_kfid": KF}) == 48007
    await api.steer("kf/grant", {"open_kfid": KF})
    assert await api.code("kf/sync_msg", {"open_kfid": KF}) == 0


@pytest.mark.parametrize("fail_type", [0, 1, 2, 4, 5, 6, 8, 10, 11, 12, 13])
async def test_every_way_to_fail_is_told_behind_a_good_answer(
    api: Api, world: World, fail_type: int
) -> None:
    world.kf.customer_says(KF, LI, "您好")
    order = {"api": "kf/send_msg", "kind": "send_fail", "fail_type": fail_type}
    await api.steer("faults", order)
    assert await api.code("kf/send_msg", text(msgid="m1")) == 0
    assert (await events(api))[0] == {
        "event_type": "msg_send_fail",
        "open_kfid": KF,
        "external_userid": LI,
        "fail_msgid": "m1",
        "fail_type": fail_type,
    }
    assert len(world.deliveries) == 0


async def test_what_is_not_published_is_a_setting(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    chosen = {"assumed.repeated_kf_msgid": 95018, "assumed.sync_needs_open_kfid": False}
    await api.steer("settings", {"settings": chosen})
    assert await api.code("kf/send_msg", text(msgid="once")) == 0
    assert await api.code("kf/send_msg", text(msgid="once")) == 95018
    assert len((await api.post("kf/sync_msg", {}))["msg_list"]) == 1
    await api.post("kf/service_state/trans", {**WHO, "service_state": 3, "servicer_userid": OTHER})
    back = {**WHO, "service_state": 2}
    assert await api.code("kf/service_state/trans", back) == 95016
    await api.steer("settings", {"settings": {"assumed.kf_human_to_pool": True}})
    assert await api.code("kf/service_state/trans", back) == 0
    for bad in ({"assumed.nothing": 1}, {"assumed.repeated_kf_msgid": "x"}):
        assert (await api.control("settings", {"settings": bad}))["errcode"] == 40058


async def test_a_lost_cursor_makes_the_bot_begin_again(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    page = await api.post("kf/sync_msg", {"open_kfid": KF})
    await api.steer("faults", {"api": "kf/sync_msg", "kind": "cursor_loss"})
    lost = {"open_kfid": KF, "cursor": page["next_cursor"]}
    assert await api.code("kf/sync_msg", lost) == 50100
    assert len(await lines(api)) == 1


async def test_statistics_count_what_happened_yesterday(
    api: Api, world: World, clock: FakeClock
) -> None:
    day = stamp((clock.now() + timedelta(hours=8)).date())
    world.kf.customer_says(KF, LI, "您好")
    world.kf.customer_says(KF, LI, "存单利率？")
    world.kf.customer_says(KF, WANG, "在吗")
    await api.post("kf/service_state/trans", {**WHO, "service_state": 1})
    await api.post("kf/send_msg", text())
    await api.post("kf/service_state/trans", {**WHO, "service_state": 3, "servicer_userid": OTHER})
    clock.advance(seconds=40)
    world.kf.servicer_says(KF, LI, OTHER, "我是李四")
    span = {"open_kfid": KF, "start_time": day, "end_time": day}
    assert await api.code("kf/get_corp_statistic", span) == 40058
    clock.advance(days=1)
    await api.gettoken()
    corp = (await api.post("kf/get_corp_statistic", span))["statistic_list"]
    assert [item["stat_time"] for item in corp] == [day]
    assert corp[0]["statistic"] == {
        "session_cnt": 2,
        "customer_cnt": 2,
        "customer_msg_cnt": 3,
        "upgrade_service_customer_cnt": 0,
        "ai_session_reply_cnt": 1,
        "ai_transfer_rate": 1.0,
        "ai_knowledge_hit_rate": 0.0,
        "msg_rejected_customer_cnt": 0,
    }
    one = await api.post("kf/get_servicer_statistic", {**span, "servicer_userid": OTHER})
    counted = one["statistic_list"][0]["statistic"]
    assert (counted["session_cnt"], counted["reply_rate"]) == (1, 1.0)
    assert counted["first_reply_average_sec"] == 40
    longer = {**span, "start_time": day - 40 * 86400}
    assert await api.code("kf/get_corp_statistic", longer) == 40058


async def test_the_native_robots_questions_are_kept(api: Api) -> None:
    group = await api.post("kf/knowledge/add_group", {"name": "存款"})
    assert await api.code("kf/knowledge/add_group", {"name": "一" * 13}) == 40058
    intent = {
        "group_id": group["group_id"],
        "question": {"text": {"content": "利率多少"}},
        "similar_questions": {"items": [{"text": {"content": "利息几厘"}}]},
        "answers": [{"text": {"content": "请看利率表"}, "attachments": []}],
    }
    added = await api.post("kf/knowledge/add_intent", intent)
    changed = {**added, "answers": [{"text": {"content": "长" * 501}}]}
    assert await api.code("kf/knowledge/mod_intent", changed) == 40058
    wanted = {"group_id": group["group_id"]}
    listed = await api.post("kf/knowledge/list_intent", wanted)
    assert listed["intent_list"][0]["question"] == {"text": {"content": "利率多少"}}
    names = (await api.post("kf/knowledge/list_group", {}))["group_list"]
    assert [item["name"] for item in names] == ["默认分组", "存款"]
    assert await api.code("kf/knowledge/mod_group", {**wanted, "name": "存款产品"}) == 0
    assert await api.code("kf/knowledge/del_group", wanted) == 0
    assert await api.code("kf/knowledge/del_intent", added) == 60136
