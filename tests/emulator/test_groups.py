"""Customer groups: reading them, the events of their changes, and the attached welcome."""

from typing import Any

import pytest

from bot.clock import FakeClock
from bot.emulator import groups
from bot.emulator.wire import ApiError
from bot.emulator.world import App, Customer, Member, World

from .conftest import AGENT, LI, MANAGER, OTHER, SECRET, WANG, Api, Receiver

EC = "externalcontact"


async def events(world: World, receiver: Receiver) -> list[dict[str, Any]]:
    await world.callbacks.flush()
    await world.callbacks.close()
    return receiver.take()


async def group_of(api: Api, chat_id: str, **body: object) -> dict[str, Any]:
    answer = await api.post(f"{EC}/groupchat/get", {"chat_id": chat_id, **body})
    chat: dict[str, Any] = answer["group_chat"]
    return chat


async def test_a_group_is_read_with_its_members(api: Api, world: World, clock: FakeClock) -> None:
    group = groups.create(world, MANAGER, "银龄安心群", [LI], admins=[OTHER])
    assert group.chat_id.startswith("wr")
    clock.advance(minutes=5)
    groups.join(world, group.chat_id, [WANG], join_scene=3, state="poster")
    chat = await group_of(api, group.chat_id, need_name=1)
    assert (chat["name"], chat["owner"], chat["admin_list"]) == (
        "银龄安心群",
        MANAGER,
        [{"userid": OTHER}],
    )
    assert [(item["userid"], item["type"]) for item in chat["member_list"]] == [
        (MANAGER, 1),
        (OTHER, 1),
        (LI, 2),
        (WANG, 2),
    ]
    wang = chat["member_list"][-1]
    assert (wang["name"], wang["join_scene"], wang["state"]) == ("王先生", 3, "poster")
    assert wang["join_time"] == chat["create_time"] + 300
    assert chat["member_list"][2]["unionid"] == "union-li"
    assert "name" not in (await group_of(api, group.chat_id))["member_list"][0]


async def test_unknown_dismissed_and_hidden_groups_have_their_codes(api: Api, world: World) -> None:
    group = groups.create(world, MANAGER, "群")
    path = f"{EC}/groupchat/get"
    assert await api.code(path, {"chat_id": "wrNONE"}) == 40050
    assert await api.code(path, {}) == 40058
    world.add_app(App(AGENT, SECRET, visible_to=frozenset({OTHER})))
    assert await api.code(path, {"chat_id": group.chat_id}) == 60011
    world.add_app(App(AGENT, SECRET))
    groups.dismiss(world, group.chat_id)
    assert await api.code(path, {"chat_id": group.chat_id}) == 90501


async def test_lists_filter_and_page(api: Api, world: World) -> None:
    mine = [groups.create(world, MANAGER, f"群{number}").chat_id for number in range(3)]
    inherited = groups.create(world, OTHER, "别人的群")
    inherited.status = 3
    path = f"{EC}/groupchat/list"
    assert await api.code(path, {}) == 40058
    assert await api.code(path, {"limit": 1001}) == 40058
    everything = (await api.post(path, {"limit": 1000}))["group_chat_list"]
    assert everything == [{"chat_id": chat_id, "status": 0} for chat_id in mine] + [
        {"chat_id": inherited.chat_id, "status": 3}
    ]
    own = {"owner_filter": {"userid_list": [MANAGER]}, "limit": 2}
    first = await api.post(path, own)
    second = await api.post(path, {**own, "cursor": first["next_cursor"]})
    seen = [item["chat_id"] for item in first["group_chat_list"] + second["group_chat_list"]]
    assert seen == mine
    assert "next_cursor" not in second
    by_status = await api.post(path, {"status_filter": 3, "limit": 10})
    assert [item["chat_id"] for item in by_status["group_chat_list"]] == [inherited.chat_id]
    assert await api.code(path, {"owner_filter": {"userid_list": ["nobody"]}, "limit": 1}) == 60111
    for number in range(999):
        world.add_member(Member(f"m{number}", "员工"))
    assert await api.code(path, {"limit": 10}) == 81017
    assert await api.code(path, own) == 0


async def test_every_change_rings_with_versions_that_chain(
    api: Api, world: World, receiver: Receiver
) -> None:
    group = groups.create(world, MANAGER, "群")
    before = (await group_of(api, group.chat_id))["member_version"]
    groups.join(world, group.chat_id, [LI, WANG], join_scene=3)
    groups.leave(world, group.chat_id, [LI])
    groups.leave(world, group.chat_id, [WANG], quit_scene=1)
    groups.rename(world, group.chat_id, "新名字")
    groups.set_notice(world, group.chat_id, "公告")
    groups.change_owner(world, group.chat_id, OTHER)
    groups.dismiss(world, group.chat_id)
    told = await events(world, receiver)
    assert {event["Event"] for event in told} == {"change_external_chat"}
    assert {event["ChatId"] for event in told} == {group.chat_id}
    assert [(event["ChangeType"], event.get("UpdateDetail")) for event in told] == [
        ("create", None),
        ("update", "add_member"),
        ("update", "del_member"),
        ("update", "del_member"),
        ("update", "change_name"),
        ("update", "change_notice"),
        ("update", "add_member"),
        ("update", "change_owner"),
        ("dismiss", None),
    ]
    _, added, left, removed, *_ = told
    assert added["MemChangeList"]["Item"] == [LI, WANG]
    assert (added["MemChangeCnt"], added["JoinScene"]) == ("2", "3")
    assert (left["QuitScene"], removed["QuitScene"]) == ("0", "1")
    assert added["LastMemVer"] == before
    assert added["CurMemVer"] == left["LastMemVer"]
    assert len(before) == 32
    assert group.owner == OTHER


async def test_joining_twice_changes_nothing(world: World, receiver: Receiver) -> None:
    group = groups.create(world, MANAGER, "群", [LI], quiet=True)
    version = group.member_version
    groups.join(world, group.chat_id, [LI])
    groups.leave(world, group.chat_id, [WANG])
    assert await events(world, receiver) == []
    assert group.member_version == version


async def test_who_is_not_in_cannot_speak_and_the_owner_cannot_leave(world: World) -> None:
    group = groups.create(world, MANAGER, "群", [LI])
    with pytest.raises(ApiError) as stranger:
        groups.says(world, group.chat_id, WANG, "你好")
    with pytest.raises(ApiError) as owner:
        groups.leave(world, group.chat_id, [MANAGER])
    assert (stranger.value.errcode, owner.value.errcode) == (93008, 40058)


async def test_a_group_holds_500_people(world: World) -> None:
    for number in range(500):
        world.add_customer(Customer(f"wm{number}", "客户"))
    people = [f"wm{number}" for number in range(500)]
    with pytest.raises(ApiError) as created:
        groups.create(world, MANAGER, "群", people)
    group = groups.create(world, MANAGER, "群", people[:499])
    with pytest.raises(ApiError) as joined:
        groups.join(world, group.chat_id, people[499:])
    assert (created.value.errcode, joined.value.errcode) == (90503, 90503)
    with pytest.raises(ApiError) as twice:
        groups.create(world, MANAGER, "群", chat_id=group.chat_id)
    assert twice.value.errcode == 40058


async def test_nothing_said_in_a_group_reaches_a_callback(world: World, receiver: Receiver) -> None:
    group = groups.create(world, MANAGER, "群", [LI], quiet=True)
    groups.says(world, group.chat_id, LI, "收到")
    groups.owner_says(world, group.chat_id, "谢谢")
    groups.owner_says(world, group.chat_id, "小安拟的话", sidebar=True)
    assert await events(world, receiver) == []
    assert [(line.sender, line.text, line.source) for line in group.lines] == [
        (LI, "收到", ""),
        (MANAGER, "谢谢", "person"),
        (MANAGER, "小安拟的话", "sidebar"),
    ]
    assert [item.source for item in world.deliveries.select("group")] == ["person", "sidebar"]


async def test_an_attached_welcome_greets_who_joins(api: Api, world: World) -> None:
    group = groups.create(world, MANAGER, "群", quiet=True)
    body = {
        "text": {"content": "欢迎%NICKNAME%"},
        "link": {"title": "目录", "url": "https://bank.example/toc"},
    }
    path = f"{EC}/group_welcome_template"
    template_id = (await api.post(f"{path}/add", body))["template_id"]
    groups.join(world, group.chat_id, [LI])
    assert len(world.deliveries) == 0
    groups.attach_welcome(world, group.chat_id, template_id)
    world.add_customer(Customer("wmZHAO", "赵阿姨"))
    groups.join(world, group.chat_id, [WANG, "wmZHAO"])
    assert [item.text for item in world.deliveries] == ["欢迎王先生、赵阿姨", "[链接]目录"]
    welcome = world.deliveries.select("group", to=group.chat_id, source="group_welcome")[0]
    assert welcome.sender == MANAGER
    assert welcome.meta["joined"] == [WANG, "wmZHAO"]
    groups.join(world, group.chat_id, [OTHER])
    assert len(world.deliveries) == 2
    got = await api.post(f"{path}/get", {"template_id": template_id})
    assert (got["text"], got["link"]["title"]) == ({"content": "欢迎%NICKNAME%"}, "目录")


async def test_welcome_material_belongs_to_the_app_that_made_it(api: Api, world: World) -> None:
    group = groups.create(world, MANAGER, "群", quiet=True)
    path = f"{EC}/group_welcome_template"
    assert await api.code(f"{path}/add", {}) == 41089
    assert await api.code(f"{path}/add", {"text": {"content": "安" * 1001}}) == 40058
    made = await api.post(f"{path}/add", {"text": {"content": "欢迎"}})
    who = {"template_id": made["template_id"]}
    groups.attach_welcome(world, group.chat_id, who["template_id"])
    assert [note.kind for note in world.broadcasts.notices[MANAGER]] == ["group_welcome"]
    world.add_app(App(7, "another"))
    await api.gettoken(secret="another")
    edited = {**who, "text": {"content": "改"}}
    assert await api.code(f"{path}/edit", edited) == 41058
    assert await api.code(f"{path}/del", who) == 41058
    await api.gettoken(secret=SECRET)
    assert await api.code(f"{path}/edit", edited) == 0
    groups.join(world, group.chat_id, [LI])
    assert [item.text for item in world.deliveries] == ["改"]
    assert await api.code(f"{path}/del", who) == 0
    groups.join(world, group.chat_id, [WANG])
    assert len(world.deliveries) == 1
    assert await api.code(f"{path}/get", who) == 40058


async def test_at_most_a_hundred_templates(api: Api) -> None:
    path, body = f"{EC}/group_welcome_template/add", {"text": {"content": "好"}, "notify": 0}
    codes = [await api.code(path, body) for _ in range(101)]
    assert codes == [0] * 100 + [41055]


async def test_other_processes_can_play_groups(api: Api, world: World) -> None:
    made = await api.control("groups/create", {"owner": MANAGER, "name": "群", "people": [LI]})
    chat = {"chat_id": made["chat_id"]}
    group = world.groups.need(made["chat_id"])
    for path, body in (
        ("join", {"people": [WANG]}),
        ("say", {"sender": LI, "text": "大字"}),
        ("owner_say", {"text": "好的", "sidebar": 1}),
        ("leave", {"people": [WANG], "removed": 1}),
        ("rename", {"name": "新群"}),
        ("notice", {"notice": "公告"}),
        ("owner", {"owner": OTHER}),
    ):
        assert (await api.control(f"groups/{path}", {**chat, **body}))["errcode"] == 0, path
    lines = (await api.control("groups/lines", chat_id=made["chat_id"]))["lines"]
    assert [line["text"] for line in lines] == ["大字", "好的"]
    (listed,) = (await api.control("groups/list"))["groups"]
    assert (listed["name"], listed["owner"]) == ("新群", OTHER)
    assert listed["people"] == [MANAGER, LI, OTHER]
    assert (await api.control("groups/dismiss", chat))["errcode"] == 0
    assert group.dismissed
    assert (await api.control("groups/say", {**chat, "sender": LI, "text": "?"}))[
        "errcode"
    ] == 90501
