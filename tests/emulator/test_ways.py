"""Ways in: contact ways with all their fields, temporary chats, group join ways, half friends."""

from __future__ import annotations

from typing import Any

from bot.clock import FakeClock
from bot.emulator import groups
from bot.emulator.world import World

from .conftest import LI, MANAGER, OTHER, WANG, Api, Receiver


async def told(world: World, receiver: Receiver) -> list[dict[str, Any]]:
    await world.callbacks.flush()
    return receiver.take()


async def test_a_contact_way_keeps_what_it_was_given(api: Api, world: World) -> None:
    world.app_messages.parties["7"] = {OTHER}
    way = {
        "type": 2,
        "scene": 2,
        "style": 1,
        "remark": "大堂",
        "skip_verify": False,
        "state": "lobby",
        "user": [MANAGER],
        "party": [7],
    }
    made = await api.post("externalcontact/add_contact_way", way)
    config = {"config_id": made["config_id"]}
    shown = (await api.post("externalcontact/get_contact_way", config))["contact_way"]
    assert {key: shown[key] for key in way} == way
    people = {
        (await api.steer("contacts/scan", {**config, "external_userid": who}))["userid"]
        for who in [world.settle_customer("", f"客户{number}") for number in range(12)]
    }
    assert people == {MANAGER, OTHER}
    updated = {**config, "user": [MANAGER], "party": [], "style": 2}
    assert await api.code("externalcontact/update_contact_way", updated) == 0
    shown = (await api.post("externalcontact/get_contact_way", config))["contact_way"]
    assert (shown["party"], shown["style"], shown["state"]) == ([], 2, "lobby")


async def test_wrong_contact_ways_have_their_codes(api: Api) -> None:
    way = {"type": 1, "scene": 2, "user": [MANAGER]}
    for more, code in (
        ({"type": 3}, 41039),
        ({"scene": 3}, 41040),
        ({"style": 9}, 41042),
        ({"user": [f"u{number}" for number in range(101)]}, 41041),
        ({"remark": "一" * 31}, 40058),
        ({"type": 2, "is_temp": True}, 41039),
        ({"is_temp": True, "expires_in": 15 * 86400}, 40058),
    ):
        assert await api.code("externalcontact/add_contact_way", {**way, **more}) == code
    assert await api.code("externalcontact/get_contact_way", {"config_id": "x"}) == 41044
    span = {"start_time": 1, "end_time": 91 * 86400}
    assert await api.code("externalcontact/list_contact_way", span) == 40058


async def test_a_temporary_chat_is_one_customers_and_ends_with_words(
    api: Api, world: World, clock: FakeClock
) -> None:
    way = {
        "type": 1,
        "scene": 2,
        "user": [MANAGER],
        "is_temp": True,
        "expires_in": 3600,
        "unionid": "union-li",
        "conclusions": {"text": {"content": "感谢咨询"}},
    }
    made = await api.post("externalcontact/add_contact_way", way)
    scan = {"config_id": made["config_id"], "external_userid": LI}
    assert (await api.control("contacts/scan", {**scan, "external_userid": WANG}))[
        "errcode"
    ] == 40096
    assert (await api.steer("contacts/scan", scan))["userid"] == MANAGER
    pair = {"userid": MANAGER, "external_userid": LI}
    assert await api.code("externalcontact/close_temp_chat", pair) == 0
    assert await api.code("externalcontact/close_temp_chat", pair) == 60136
    assert world.deliveries.select("single", LI)[0].text == "感谢咨询"
    assert world.contacts.of_customer(LI) == []
    clock.advance(hours=1)
    assert (await api.control("contacts/scan", scan))["errcode"] == 41044


async def test_a_join_way_fills_its_groups_and_opens_a_new_one(
    api: Api, world: World, receiver: Receiver
) -> None:
    world.assumed.group_people = 3
    first = groups.create(world, MANAGER, "城东一群", [LI], quiet=True)
    way = {
        "scene": 2,
        "chat_id_list": [first.chat_id],
        "state": "poster",
        "room_base_name": "城东客户群",
        "room_base_id": 2,
        "remark": "长" * 40,
    }
    config = {
        "config_id": (await api.post("externalcontact/groupchat/add_join_way", way))["config_id"]
    }
    scan = {**config, "external_userid": WANG}
    assert (await api.steer("groups/scan", scan))["chat_id"] == first.chat_id
    event = (await told(world, receiver))[0]
    assert (event["UpdateDetail"], event["JoinScene"]) == ("add_member", "3")
    member = first.members[WANG]
    assert (member.join_scene, member.state) == (3, "poster")
    late = {**config, "external_userid": world.settle_customer("", "孙女士")}
    opened = (await api.steer("groups/scan", late))["chat_id"]
    assert world.groups.need(opened).name == "城东客户群2"
    shown = (await api.post("externalcontact/groupchat/get_join_way", config))["join_way"]
    assert shown["chat_id_list"] == [first.chat_id, opened]
    assert (shown["room_base_id"], len(shown["remark"])) == (3, 30)
    closed = {**config, **way, "auto_create_room": 0}
    assert await api.code("externalcontact/groupchat/update_join_way", closed) == 0
    full = {**config, "external_userid": world.settle_customer("", "周女士")}
    assert (await api.control("groups/scan", full))["errcode"] == 90503
    assert await api.code("externalcontact/groupchat/del_join_way", config) == 0
    assert await api.code("externalcontact/groupchat/get_join_way", config) == 41044


async def test_a_join_way_leads_to_five_groups_at_most(api: Api, world: World) -> None:
    group = groups.create(world, MANAGER, "群", [LI], quiet=True)
    way = {"scene": 2, "chat_id_list": [group.chat_id] * 6}
    assert await api.code("externalcontact/groupchat/add_join_way", way) == 41091
    way = {"scene": 2, "chat_id_list": ["wrNONE"]}
    assert await api.code("externalcontact/groupchat/add_join_way", way) == 40050


async def test_a_group_event_may_have_its_older_form(
    api: Api, world: World, receiver: Receiver
) -> None:
    group = groups.create(world, MANAGER, "小群", [LI, WANG], quiet=True)
    await api.steer("settings", {"settings": {"assumed.members_as_commas": True}})
    groups.leave(world, group.chat_id, [LI, WANG])
    assert (await told(world, receiver))[0]["MemChangeList"] == f"{LI},{WANG}"


async def test_a_half_friend_is_welcomed_and_confirmed(
    api: Api, world: World, receiver: Receiver
) -> None:
    pair = {"userid": MANAGER, "external_userid": LI}
    code = (await api.steer("contacts/half", {**pair, "state": "lobby"}))["welcome_code"]
    welcome = {"welcome_code": code, "text": {"content": "您好"}}
    assert await api.code("externalcontact/send_welcome_msg", welcome) == 0
    assert await api.code("externalcontact/send_welcome_msg", welcome) == 41051
    await api.steer("contacts/confirm", pair)
    half, whole = await told(world, receiver)
    assert [half["ChangeType"], whole["ChangeType"]] == [
        "add_half_external_contact",
        "add_external_contact",
    ]
    assert (half["WelcomeCode"], whole["State"]) == (code, "lobby")


async def test_what_members_and_the_console_note_is_told(
    api: Api, world: World, receiver: Receiver
) -> None:
    await api.steer("contacts/add", {"userid": MANAGER, "external_userid": LI})
    added = {"group_name": "意向", "names": ["存单", "国债"]}
    ids = (await api.steer("tags/add", added))["tag_ids"]
    group_id = world.contacts.tags.tags[ids[0]].group_id
    await told(world, receiver)
    pair = {"userid": MANAGER, "external_userid": LI}
    await api.steer("contacts/note", {**pair, "remark": "李姐", "tags": [ids[1]]})
    await api.steer("tags/shuffle", {"group_id": group_id, "tag_ids": ids[::-1]})
    edited, shuffled = await told(world, receiver)
    assert (edited["ChangeType"], shuffled["ChangeType"]) == ("edit_external_contact", "shuffle")
    assert shuffled["Id"] == group_id
    shown = await api.get("externalcontact/get", external_userid=LI)
    assert shown["follow_user"][0]["remark"] == "李姐"
    assert shown["follow_user"][0]["tags"][0]["tag_name"] == "国债"
    orders = {tag.id: tag.order for tag in world.contacts.tags.in_group(group_id)}
    assert orders[ids[1]] > orders[ids[0]]
