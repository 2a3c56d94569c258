"""Friends, remarks, tags, contact ways and the one welcome."""

import pytest

from bot.clock import FakeClock
from bot.emulator import contact, tags
from bot.emulator.server import EmulatorServer
from bot.emulator.wire import ApiError
from bot.emulator.world import App, Customer, Member, World

from .conftest import AGENT, LI, MANAGER, OTHER, SECRET, WANG, Api, Receiver

EC = "externalcontact"


async def events(world: World, receiver: Receiver) -> list[dict[str, object]]:
    await world.callbacks.flush()
    await world.callbacks.close()
    return receiver.take()


async def test_a_new_friend_is_told_with_state_and_a_welcome_code(
    api: Api, world: World, receiver: Receiver
) -> None:
    contact.befriend(world, MANAGER, LI, add_way=1, state="lobby")
    (event,) = await events(world, receiver)
    assert event["Event"] == "change_external_contact"
    assert event["ChangeType"] == "add_external_contact"
    assert (event["UserID"], event["ExternalUserID"], event["State"]) == (MANAGER, LI, "lobby")
    body = {"welcome_code": event["WelcomeCode"], "text": {"content": "您好"}}
    assert await api.code(f"{EC}/send_welcome_msg", body) == 0
    (delivery,) = world.deliveries.select("welcome", to=LI)
    assert (delivery.text, delivery.sender) == ("您好", MANAGER)
    assert await api.code(f"{EC}/send_welcome_msg", body) == 41051
    assert len(world.deliveries) == 1


async def test_a_welcome_code_is_good_for_twenty_seconds(
    api: Api, world: World, clock: FakeClock
) -> None:
    contact.befriend(world, MANAGER, LI)
    contact.befriend(world, MANAGER, WANG)
    first, second = world.contacts.welcomes.codes
    text = {"text": {"content": "您好"}}
    clock.advance(seconds=20)
    assert await api.code(f"{EC}/send_welcome_msg", {"welcome_code": first, **text}) == 0
    clock.advance(seconds=1)
    assert await api.code(f"{EC}/send_welcome_msg", {"welcome_code": second, **text}) == 41050
    assert await api.code(f"{EC}/send_welcome_msg", {"welcome_code": "no", **text}) == 41050
    assert await api.code(f"{EC}/send_welcome_msg", text) == 41049
    assert [item.to for item in world.deliveries] == [LI]


async def test_no_welcome_once_the_two_have_written(api: Api, world: World) -> None:
    contact.befriend(world, MANAGER, LI)
    contact.says(world, MANAGER, LI, "您好,我是李女士", by="customer")
    (code,) = world.contacts.welcomes.codes
    body = {"welcome_code": code, "text": {"content": "您好"}}
    assert await api.code(f"{EC}/send_welcome_msg", body) == 41051


async def test_no_welcome_code_where_the_console_welcomes(world: World, receiver: Receiver) -> None:
    world.contacts.welcomes.by_console.add(MANAGER)
    contact.befriend(world, MANAGER, LI)
    (event,) = await events(world, receiver)
    assert "WelcomeCode" not in event


async def test_a_bad_welcome_does_not_use_the_code_up(api: Api, world: World) -> None:
    contact.befriend(world, MANAGER, LI)
    (code,) = world.contacts.welcomes.codes
    path = f"{EC}/send_welcome_msg"
    assert await api.code(path, {"welcome_code": code}) == 41089
    long = {"content": "安" * 1334}
    assert await api.code(path, {"welcome_code": code, "text": long}) == 40058
    wrong = [{"msgtype": "image", "image": {"media_id": "unknown"}}]
    assert await api.code(path, {"welcome_code": code, "attachments": wrong}) == 40007
    assert await api.code(path, {"welcome_code": code, "text": {"content": "安" * 1333}}) == 0


@pytest.mark.parametrize(
    ("attachment", "code"),
    [
        ({"msgtype": "voice", "voice": {}}, 41065),
        ({"msgtype": "link", "image": {}}, 41065),
        ({"msgtype": "link", "link": {"url": "https://bank.example"}}, 41016),
        ({"msgtype": "link", "link": {"title": "活动"}}, 41010),
        ({"msgtype": "link", "link": {"title": "活" * 43, "url": "https://bank.example"}}, 40058),
        ({"msgtype": "image", "image": {}}, 41006),
        ({"msgtype": "image", "image": {"pic_url": "https://elsewhere.example/a.png"}}, 40058),
        ({"msgtype": "file", "file": {}}, 41006),
    ],
)
async def test_attachments_are_checked(
    api: Api, world: World, attachment: dict[str, object], code: int
) -> None:
    contact.befriend(world, MANAGER, LI)
    (welcome,) = world.contacts.welcomes.codes
    body = {"welcome_code": welcome, "attachments": [attachment]}
    assert await api.code(f"{EC}/send_welcome_msg", body) == code


async def test_text_and_attachments_arrive_as_separate_messages(api: Api, world: World) -> None:
    contact.befriend(world, MANAGER, LI)
    (code,) = world.contacts.welcomes.codes
    picture = world.media.put("image", "a.png", b"\x89PNG\r\n\x1a\n0000").media_id
    link = {"title": "防骗课", "url": "https://bank.example/class"}
    body = {
        "welcome_code": code,
        "text": {"content": "您好"},
        "attachments": [
            {"msgtype": "image", "image": {"media_id": picture}},
            {"msgtype": "link", "link": link},
        ],
    }
    assert await api.code(f"{EC}/send_welcome_msg", body) == 0
    assert [item.text for item in world.deliveries] == ["您好", "[图片]", "[链接]防骗课"]


async def test_lists_and_details_of_customers(api: Api, world: World) -> None:
    contact.befriend(world, MANAGER, LI, add_way=3, state="card")
    contact.befriend(world, OTHER, LI)
    contact.befriend(world, MANAGER, WANG)
    assert (await api.get(f"{EC}/get_follow_user_list"))["follow_user"] == [MANAGER, OTHER]
    assert (await api.get(f"{EC}/list", userid=MANAGER))["external_userid"] == [LI, WANG]
    answer = await api.get(f"{EC}/get", external_userid=LI)
    assert answer["external_contact"]["name"] == "李女士"
    assert answer["external_contact"]["unionid"] == "union-li"
    first, second = answer["follow_user"]
    assert (first["userid"], first["add_way"], first["state"]) == (MANAGER, 3, "card")
    assert first["createtime"] == world.timestamp()
    assert second["userid"] == OTHER
    assert "next_cursor" not in answer


async def test_unknown_and_unrelated_people_have_their_codes(api: Api, world: World) -> None:
    async def code(path: str, **params: str) -> int:
        return int((await api.get(f"{EC}/{path}", **params))["errcode"])

    assert await code("list", userid=MANAGER) == 84061
    assert await code("list", userid="nobody") == 60111
    assert await code("list") == 41009
    assert await code("get") == 41035
    assert await code("get", external_userid="wmNOBODY") == 40096
    assert await code("get", external_userid=LI) == 84061
    contact.befriend(world, MANAGER, LI)
    assert await code("get", external_userid=LI, cursor="%%%") == 50100
    world.contacts.without_function.add(MANAGER)
    assert await code("list", userid=MANAGER) == 84074
    world.add_app(App(AGENT, SECRET, visible_to=frozenset({OTHER})))
    assert await code("list", userid=MANAGER) == 60011
    assert (await api.get(f"{EC}/get_follow_user_list"))["follow_user"] == [OTHER]


async def test_more_than_500_followers_come_in_pages(api: Api, world: World) -> None:
    for number in range(501):
        world.add_member(Member(f"m{number}", f"员工{number}"))
        contact.befriend(world, f"m{number}", LI, quiet=True)
    first = await api.get(f"{EC}/get", external_userid=LI)
    assert len(first["follow_user"]) == 500
    second = await api.get(f"{EC}/get", external_userid=LI, cursor=first["next_cursor"])
    assert [item["userid"] for item in second["follow_user"]] == ["m500"]
    assert "next_cursor" not in second


async def test_batches_are_read_page_by_page(api: Api, world: World) -> None:
    for number in range(5):
        world.add_customer(Customer(f"wm{number}", f"客户{number}"))
        contact.befriend(world, MANAGER, f"wm{number}", quiet=True)
    contact.befriend(world, OTHER, "wm0", quiet=True)
    body: dict[str, object] = {"userid_list": [MANAGER, OTHER], "limit": 4}
    seen, cursor = [], ""
    while True:
        answer = await api.post(f"{EC}/batch/get_by_user", {**body, "cursor": cursor})
        seen += [
            (item["follow_info"]["userid"], item["external_contact"]["external_userid"])
            for item in answer["external_contact_list"]
        ]
        cursor = answer["next_cursor"]
        if not cursor:
            break
    assert seen == [(MANAGER, f"wm{number}") for number in range(5)] + [(OTHER, "wm0")]
    too_many = {"userid_list": [MANAGER] * 101}
    assert await api.code(f"{EC}/batch/get_by_user", too_many) == 40058


async def test_remarks_are_kept_and_told(api: Api, world: World, receiver: Receiver) -> None:
    contact.befriend(world, MANAGER, LI, quiet=True)
    who = {"userid": MANAGER, "external_userid": LI}
    path = f"{EC}/remark"
    assert await api.code(path, who) == 40058
    assert await api.code(path, {**who, "remark": "李" * 21}) == 40058
    assert await api.code(path, {**who, "external_userid": WANG, "remark": "王"}) == 84061
    change = {"remark": "李阿姨", "remark_mobiles": ["13900000000"]}
    assert await api.code(path, {**who, **change}) == 0
    (event,) = await events(world, receiver)
    assert event["ChangeType"] == "edit_external_contact"
    assert await api.code(path, {**who, "remark_mobiles": [""]}) == 0
    (follow,) = (await api.get(f"{EC}/get", external_userid=LI))["follow_user"]
    assert (follow["remark"], follow["remark_mobiles"]) == ("李阿姨", [])


async def test_who_deleted_whom_decides_the_event_and_what_is_left(
    api: Api, world: World, receiver: Receiver
) -> None:
    contact.befriend(world, MANAGER, LI, quiet=True)
    contact.befriend(world, MANAGER, WANG, quiet=True)
    contact.unfriend(world, MANAGER, LI, by="customer")
    contact.unfriend(world, MANAGER, WANG, by="member")
    told = [
        (event["ChangeType"], event["ExternalUserID"]) for event in await events(world, receiver)
    ]
    assert told == [("del_follow_user", LI), ("del_external_contact", WANG)]
    assert (await api.get(f"{EC}/list", userid=MANAGER))["external_userid"] == [LI]


async def test_a_customer_who_comes_back_is_a_new_friend_for_the_bot(
    world: World, receiver: Receiver
) -> None:
    contact.befriend(world, MANAGER, LI, quiet=True)
    contact.unfriend(world, MANAGER, LI, by="customer")
    with pytest.raises(ApiError):
        contact.says(world, MANAGER, LI, "在吗", by="member")
    contact.befriend(world, MANAGER, LI)
    contact.befriend(world, MANAGER, LI)
    told = [event["ChangeType"] for event in await events(world, receiver)]
    assert told == ["del_follow_user", "add_external_contact"]
    assert len(world.deliveries) == 0


async def test_corp_tags_are_added_listed_edited_and_deleted(
    api: Api, world: World, receiver: Receiver
) -> None:
    body = {"group_name": "关注", "tag": [{"name": "存款"}, {"name": "国债", "order": 2}]}
    group = (await api.post(f"{EC}/add_corp_tag", body))["tag_group"]
    deposit, bond = (tag["id"] for tag in group["tag"])
    assert await api.code(f"{EC}/add_corp_tag", body) == 40071
    more = {"group_id": group["group_id"], "tag": [{"name": "养老"}]}
    assert await api.code(f"{EC}/add_corp_tag", more) == 0
    (listed,) = (await api.post(f"{EC}/get_corp_tag_list", {}))["tag_group"]
    assert [tag["name"] for tag in listed["tag"]] == ["存款", "国债", "养老"]
    (one,) = (await api.post(f"{EC}/get_corp_tag_list", {"tag_id": [bond]}))["tag_group"]
    assert [tag["id"] for tag in one["tag"]] == [bond]
    await events(world, receiver)
    assert await api.code(f"{EC}/edit_corp_tag", {"id": bond, "name": "存款"}) == 40071
    assert await api.code(f"{EC}/edit_corp_tag", {"id": "none", "name": "x"}) == 40068
    assert await api.code(f"{EC}/edit_corp_tag", {"id": bond, "name": "储蓄国债"}) == 0
    assert await api.code(f"{EC}/del_corp_tag", {"tag_id": ["none"]}) == 40070
    assert await api.code(f"{EC}/del_corp_tag", {"tag_id": [deposit, bond]}) == 0
    assert await api.code(f"{EC}/del_corp_tag", {"group_id": [group["group_id"]]}) == 0
    assert (await api.post(f"{EC}/get_corp_tag_list", {}))["tag_group"] == []
    told = [(event["ChangeType"], event["TagType"]) for event in await events(world, receiver)]
    assert told == [("update", "tag"), *[("delete", "tag")] * 3, ("delete", "tag_group")]


async def test_marking_a_customer(api: Api, world: World, receiver: Receiver) -> None:
    contact.befriend(world, MANAGER, LI, quiet=True)
    deposit, bond = tags.add_tags(world, "关注", ["存款", "国债"])
    await events(world, receiver)
    who = {"userid": MANAGER, "external_userid": LI}
    assert await api.code(f"{EC}/mark_tag", who) == 40058
    assert await api.code(f"{EC}/mark_tag", {**who, "add_tag": ["none"]}) == 40068
    other = {**who, "external_userid": WANG, "add_tag": [bond]}
    assert await api.code(f"{EC}/mark_tag", other) == 84061
    assert await api.code(f"{EC}/mark_tag", {**who, "add_tag": [deposit, bond]}) == 0
    assert await api.code(f"{EC}/mark_tag", {**who, "add_tag": [bond]}) == 0
    assert await api.code(f"{EC}/mark_tag", {**who, "remove_tag": [deposit]}) == 0
    (follow,) = (await api.get(f"{EC}/get", external_userid=LI))["follow_user"]
    assert follow["tags"] == [{"group_name": "关注", "tag_name": "国债", "type": 1, "tag_id": bond}]
    # Marking again what is marked changes nothing, so nothing is told.
    assert len(await events(world, receiver)) == 2


async def test_a_contact_way_brings_its_state(api: Api, world: World, receiver: Receiver) -> None:
    base = {"type": 2, "scene": 2, "state": "lobby-east"}
    path = f"{EC}/add_contact_way"
    assert await api.code(path, {**base, "type": 3, "user": [MANAGER]}) == 41039
    assert await api.code(path, {**base, "scene": 9, "user": [MANAGER]}) == 41040
    assert await api.code(path, {**base, "user": [MANAGER] * 101}) == 41041
    assert await api.code(path, {**base, "user": ["nobody"]}) == 60111
    made = await api.post(path, {**base, "user": [OTHER]})
    config_id = made["config_id"]
    got = (await api.post(f"{EC}/get_contact_way", {"config_id": config_id}))["contact_way"]
    assert (got["state"], got["user"], got["qr_code"]) == ("lobby-east", [OTHER], made["qr_code"])
    assert (await api.control("contacts/scan", {"config_id": config_id, "external_userid": LI}))[
        "userid"
    ] == OTHER
    (event,) = await events(world, receiver)
    assert (event["UserID"], event["State"]) == (OTHER, "lobby-east")
    change = {"config_id": config_id, "state": "lobby-west"}
    assert await api.code(f"{EC}/update_contact_way", change) == 0
    (listed,) = (await api.post(f"{EC}/list_contact_way", {}))["contact_way"]
    assert listed == {"config_id": config_id}
    assert await api.code(f"{EC}/del_contact_way", {"config_id": config_id}) == 0
    assert await api.code(f"{EC}/get_contact_way", {"config_id": config_id}) == 41044
    assert await api.code(f"{EC}/get_contact_way", {}) == 41043


async def test_other_processes_can_play_friends(
    api: Api, world: World, server: EmulatorServer
) -> None:
    pair = {"userid": MANAGER, "external_userid": LI}
    assert (await api.control("contacts/add", {**pair, "state": "x"}))["errcode"] == 0
    said = {**pair, "text": "在吗", "by": "customer"}
    assert (await api.control("contacts/say", said))["errcode"] == 0
    assert (await api.control("contacts/say", {**pair, "text": "在的", "by": "member"}))[
        "errcode"
    ] == 0
    assert [line.text for line in world.contacts.talk(MANAGER, LI)] == ["在吗", "在的"]
    assert [item.source for item in world.deliveries] == ["person"]
    assert (await api.control("contacts/delete", {**pair, "by": "god"}))["errcode"] == 40058
    assert (await api.control("contacts/delete", {**pair, "by": "member"}))["errcode"] == 0
    assert world.contacts.find(MANAGER, LI) is None
