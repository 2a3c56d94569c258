"""获客助手 and 聊天敏感词: links that cost quota, rules that stop a member's words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.clock import FakeClock
from bot.emulator import contact, groups
from bot.emulator.days import stamp
from bot.emulator.wire import ApiError
from bot.emulator.world import World

from .conftest import KF, LI, MANAGER, OTHER, WANG, Api, Receiver

PATH = "externalcontact/customer_acquisition"


async def changes(world: World, receiver: Receiver) -> list[dict[str, Any]]:
    await world.callbacks.flush()
    return [item for item in receiver.take() if item["Event"] == "customer_acquisition"]


async def test_a_link_makes_friends_as_long_as_there_is_quota(
    api: Api, world: World, receiver: Receiver, clock: FakeClock
) -> None:
    body = {"link_name": "国债海报", "range": {"user_list": [MANAGER]}}
    link = (await api.post(f"{PATH}/create_link", body))["link"]
    opened = {"url": f"{link['url']}?customer_channel=poster", "external_userid": LI}
    assert (await api.steer("acquisition/open", opened))["userid"] == ""
    await api.steer("acquisition/buy", {"count": 1, "days": 5})
    await api.steer("acquisition/expiring", {})
    assert (await api.steer("acquisition/open", opened))["userid"] == MANAGER
    says = {"userid": MANAGER, "external_userid": LI, "text": "您好", "by": "customer"}
    await api.steer("contacts/say", says)
    asked = {"link_id": link["link_id"], "external_userid": LI}
    key = (await api.steer("acquisition/chat_key", asked))["chat_key"]
    events = await changes(world, receiver)
    assert [item["ChangeType"] for item in events] == [
        "link_unavailable",
        "balance_increased",
        "quota_expire_soon",
        "balance_exhausted",
        "customer_start_chat",
        "multi_receive",
    ]
    assert (events[4]["State"], events[4]["LinkId"]) == ("poster", link["link_id"])
    listed = await api.post(f"{PATH}/customer", {"link_id": link["link_id"]})
    assert listed["customer_list"] == [
        {"external_userid": LI, "userid": MANAGER, "chat_status": 1, "state": "poster"}
    ]
    info = await api.post(f"{PATH}/get_chat_info", {"chat_key": key})
    assert info["chat_info"]["recv_msg_cnt"] == 1
    clock.advance(minutes=31)
    assert await api.code(f"{PATH}/get_chat_info", {"chat_key": key}) == 40058
    quota = await api.get("externalcontact/customer_acquisition_quota")
    assert (quota["total"], quota["balance"]) == (1, 0)
    shown = await api.get("externalcontact/get", external_userid=LI)
    assert shown["follow_user"][0]["add_way"] == 16


async def test_links_are_kept_counted_and_deleted(
    api: Api, world: World, receiver: Receiver, clock: FakeClock
) -> None:
    body = {"link_name": "网点", "range": {"user_list": [MANAGER]}, "skip_verify": False}
    link = (await api.post(f"{PATH}/create_link", body))["link"]
    one = {"link_id": link["link_id"]}
    await api.steer("acquisition/buy", {"count": 30})
    await api.steer("acquisition/open", {"url": link["url"], "external_userid": WANG})
    assert (await changes(world, receiver))[-1]["ChangeType"] == "friend_request"
    who = {**one, "userid": MANAGER, "external_userid": WANG, "state": "desk"}
    await api.steer("acquisition/accept", who)
    assert world.contacts.need(MANAGER, WANG).state == "desk"
    day = stamp((clock.now() + timedelta(hours=8)).date())
    update = {**one, "range": {"user_list": [OTHER]}, "link_name": "大堂"}
    assert await api.code(f"{PATH}/update_link", update) == 0
    shown = await api.post(f"{PATH}/get", one)
    assert (shown["range"]["user_list"], shown["link"]["link_name"]) == ([OTHER], "大堂")
    assert (await api.post(f"{PATH}/list_link", {}))["link_id_list"] == [link["link_id"]]
    clock.advance(days=1)
    await api.gettoken()
    counted = await api.post(f"{PATH}/statistic", {**one, "start_time": day, "end_time": day})
    assert (counted["click_link_customer_cnt"], counted["new_customer_cnt"]) == (1, 1)
    assert await api.code(f"{PATH}/delete_link", one) == 0
    assert (await changes(world, receiver))[-1]["ChangeType"] == "delete_link"
    assert await api.code(f"{PATH}/get", one) == 40058
    world.assumed.acquisition_links = 0
    assert await api.code(f"{PATH}/create_link", body) == 41095
    assert await api.code(f"{PATH}/create_link", {"link_name": "空", "range": {}}) == 41095


async def test_a_rule_stops_what_members_write_to_customers(api: Api, world: World) -> None:
    contact.befriend(world, MANAGER, LI, quiet=True)
    group = groups.create(world, MANAGER, "群", [LI], quiet=True)
    rule = {
        "rule_name": "承诺收益",
        "word_list": ["保本"],
        "semantics_list": [1],
        "intercept_type": 1,
        "applicable_range": {"user_list": [MANAGER]},
    }
    made = await api.post("externalcontact/add_intercept_rule", rule)
    says = {"userid": MANAGER, "external_userid": LI, "by": "member"}
    stopped = await api.control("contacts/say", {**says, "text": "这款保本"})
    assert stopped["errcode"] == 40201
    for words in ("我的电话 13800001111", "绝对保本"):
        with pytest.raises(ApiError, match="40201"):
            groups.owner_says(world, group.chat_id, words)
    world.kf.customer_says(KF, LI, "您好")
    trans = {"open_kfid": KF, "external_userid": LI, "service_state": 3, "servicer_userid": MANAGER}
    await api.post("kf/service_state/trans", trans)
    with pytest.raises(ApiError, match="40201"):
        world.kf.servicer_says(KF, LI, MANAGER, "保本")
    assert len(world.deliveries) == 0
    warn = {**made, "intercept_type": 2, "extra_rule": {"semantics_list": []}}
    assert await api.code("externalcontact/update_intercept_rule", warn) == 0
    groups.owner_says(world, group.chat_id, "保本吗？不保本")
    stops = (await api.control("intercept/stops"))["stops"]
    assert [stop["blocked"] for stop in stops] == [True] * 4 + [False]
    assert await api.code("externalcontact/del_intercept_rule", made) == 0
    assert await api.code("externalcontact/get_intercept_rule", made) == 41070


async def test_rules_are_checked_and_listed(api: Api, world: World) -> None:
    rule = {
        "rule_name": "承诺",
        "word_list": ["保本"],
        "intercept_type": 2,
        "applicable_range": {"user_list": [MANAGER]},
    }
    path = "externalcontact/add_intercept_rule"
    made = await api.post(path, rule)
    for more, code in (
        ({}, 41077),
        ({"rule_name": "二", "word_list": []}, 41068),
        ({"rule_name": "二", "word_list": ["长" * 33]}, 41083),
        ({"rule_name": "二", "semantics_list": [4]}, 41084),
        ({"rule_name": "长" * 21}, 40058),
        ({"rule_name": "二", "applicable_range": {"user_list": ["x"] * 1001}}, 41076),
    ):
        assert await api.code(path, {**rule, **more}) == code
    listed = (await api.get("externalcontact/get_intercept_rule_list"))["rule_list"]
    assert [item["rule_name"] for item in listed] == ["承诺"]
    change = {**made, "add_applicable_range": {"user_list": [OTHER]}}
    change["remove_applicable_range"] = {"user_list": [MANAGER]}
    assert await api.code("externalcontact/update_intercept_rule", change) == 0
    shown = (await api.post("externalcontact/get_intercept_rule", made))["rule"]
    assert shown["applicable_range"] == {"user_list": [OTHER], "department_list": []}
