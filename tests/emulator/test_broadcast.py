"""Mass messages: tasks, the owner's hand, quota, results, reminders and cancel."""

from datetime import timedelta
from typing import Any

import pytest

from bot.clock import FakeClock
from bot.emulator import broadcast, contact, groups, tags
from bot.emulator.broadcast import Status
from bot.emulator.wire import ApiError
from bot.emulator.world import App, Customer, World

from .conftest import AGENT, LI, MANAGER, OTHER, SECRET, WANG, Api

EC = "externalcontact"
ADD = f"{EC}/add_msg_template"
TEXT = {"text": {"content": "今天说说防骗"}}


@pytest.fixture
def chats(world: World) -> list[str]:
    """Two groups of the manager, one of somebody else."""
    owners = (MANAGER, MANAGER, OTHER)
    return [
        groups.create(world, owner, f"群{number}", [LI], quiet=True).chat_id
        for number, owner in enumerate(owners)
    ]


async def send_to(api: Api, chat_ids: list[str], **more: object) -> dict[str, Any]:
    body = {"chat_type": "group", "sender": MANAGER, "chat_id_list": chat_ids, **TEXT, **more}
    return await api.post(ADD, body)


async def results(api: Api, msgid: str, userid: str = MANAGER) -> list[tuple[str, int]]:
    answer = await api.post(f"{EC}/get_groupmsg_send_result", {"msgid": msgid, "userid": userid})
    return [
        (item.get("chat_id") or item["external_userid"], item["status"])
        for item in answer["send_list"]
    ]


async def test_a_call_makes_a_task_and_sends_nothing(
    api: Api, world: World, chats: list[str], clock: FakeClock
) -> None:
    mine, second, _ = chats
    made = await send_to(api, [mine, second])
    assert (made["errcode"], made["fail_list"]) == (0, [])
    msgid = made["msgid"]
    assert len(world.deliveries) == 0
    assert [item.msgid for item in world.broadcasts.todo(MANAGER)] == [msgid]
    assert [note.kind for note in world.broadcasts.notices[MANAGER]] == ["broadcast"]
    task = {"task_list": [{"userid": MANAGER, "status": 0}], "next_cursor": ""}
    answer = await api.post(f"{EC}/get_groupmsg_task", {"msgid": msgid})
    assert answer == {"errcode": 0, "errmsg": "ok", **task}
    assert await results(api, msgid) == [(mine, 0), (second, 0)]

    clock.advance(minutes=90)
    assert set(broadcast.confirm(world, msgid, MANAGER).values()) == {Status.SENT}
    assert [(item.to, item.sender, item.text) for item in world.deliveries] == [
        (mine, MANAGER, "今天说说防骗"),
        (second, MANAGER, "今天说说防骗"),
    ]
    assert {item.source for item in world.deliveries} == {f"broadcast:{msgid}"}
    assert world.broadcasts.todo(MANAGER) == []
    (done,) = (await api.post(f"{EC}/get_groupmsg_task", {"msgid": msgid}))["task_list"]
    assert done == {"userid": MANAGER, "status": 2, "send_time": world.timestamp()}
    assert await results(api, msgid) == [(mine, 1), (second, 1)]
    assert broadcast.confirm(world, msgid, MANAGER) == {}
    assert len(world.deliveries) == 2


async def test_groups_that_are_not_the_senders_fail(api: Api, chats: list[str]) -> None:
    mine, _, foreign = chats
    made = await send_to(api, [mine, foreign, "wrNONE"])
    assert made["fail_list"] == [foreign, "wrNONE"]
    assert await results(api, made["msgid"]) == [(mine, 0)]
    assert (await send_to(api, [foreign]))["errcode"] == 41048


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"chat_type": "all"}, 40058),
        ({"sender": ""}, 40058),
        ({"sender": "nobody"}, 60111),
        ({"text": {}}, 41089),
        ({"text": {"content": "安" * 1334}}, 40058),
        ({"chat_id_list": ["wr"] * 2001}, 40058),
        ({"chat_id_list": "wr"}, 40058),
        ({"attachments": [{"msgtype": "link"}] * 10}, 41064),
        ({"attachments": [{"msgtype": "voice", "voice": {}}]}, 41065),
        ({"attachments": [{"msgtype": "file", "file": {"media_id": "none"}}]}, 40007),
    ],
)
async def test_bad_calls_have_their_codes(
    api: Api, chats: list[str], change: dict[str, object], code: int
) -> None:
    assert (await send_to(api, chats[:1], **change))["errcode"] == code


async def test_a_sender_out_of_range_or_without_customers(
    api: Api, world: World, chats: list[str]
) -> None:
    world.contacts.without_function.add(MANAGER)
    assert (await send_to(api, chats[:1]))["errcode"] == 84074
    world.add_app(App(AGENT, SECRET, visible_to=frozenset({OTHER})))
    assert (await send_to(api, chats[:1]))["errcode"] == 60011


async def test_the_days_quota_is_shared_with_the_owners_own_messages(
    api: Api, world: World, chats: list[str], clock: FakeClock
) -> None:
    mine, second, _ = chats
    own = broadcast.owner_broadcasts_himself(world, MANAGER, [mine], "我自己的话")
    msgid = (await send_to(api, [mine, second]))["msgid"]
    broadcast.confirm(world, msgid, MANAGER)
    assert await results(api, msgid) == [(mine, 3), (second, 1)]
    assert [item.source for item in world.deliveries.select(to=mine)] == [
        f"personal_broadcast:{own.msgid}"
    ]
    answer = await api.post(f"{EC}/get_groupmsg_send_result", {"msgid": msgid, "userid": MANAGER})
    assert "send_time" not in answer["send_list"][0]
    # The bank's day begins at 16:00 UTC.
    clock.advance(hours=15)
    await api.gettoken()
    tomorrow = (await send_to(api, [mine]))["msgid"]
    assert broadcast.confirm(world, tomorrow, MANAGER) == {mine: Status.SENT}


async def test_a_month_has_as_many_as_it_has_days(
    world: World, chats: list[str], clock: FakeClock
) -> None:
    world.broadcasts.quota.rules = ("days_in_month",)
    mine = chats[0]
    sent = [
        broadcast.owner_broadcasts_himself(world, MANAGER, [mine], "话").tasks[MANAGER]
        for _ in range(32)
    ]
    statuses = [task.outcomes[mine].status for task in sent]
    assert statuses == [Status.SENT] * 31 + [Status.OVER_QUOTA]
    clock.advance(days=20)
    november = broadcast.owner_broadcasts_himself(world, MANAGER, [mine], "话")
    assert november.tasks[MANAGER].outcomes[mine].status is Status.SENT


async def test_seven_a_week_when_the_bank_says_so(
    api: Api, world: World, chats: list[str], clock: FakeClock
) -> None:
    await api.control("broadcasts/quota", {"rules": ["7_per_week"]})
    body = {"userid": MANAGER, "chat_ids": chats[:1], "text": "话"}
    got = [await api.control("broadcasts/personal", body) for _ in range(8)]
    assert [item["results"][chats[0]] for item in got] == [1] * 7 + [3]
    clock.advance(days=7)
    assert (await api.control("broadcasts/personal", body))["results"] == {chats[0]: 1}
    assert (await api.control("broadcasts/quota", {"rules": ["100_per_day"]}))["errcode"] == 40058


async def test_a_member_mass_sends_to_his_own_customers_and_it_is_listed(
    api: Api, world: World, clock: FakeClock
) -> None:
    contact.befriend(world, MANAGER, LI)
    body = {"userid": MANAGER, "external_userids": [LI], "text": "降温了，多穿点"}
    made = await api.control("broadcasts/personal", body)
    assert made["results"] == {LI: 1}
    now = int(clock.now().timestamp())
    span = {"chat_type": "single", "start_time": now - 60, "end_time": now, "filter_type": 1}
    (listed,) = (await api.post(f"{EC}/get_groupmsg_list_v2", span))["group_msg_list"]
    assert (listed["msgid"], listed["creator"]) == (made["msgid"], MANAGER)
    assert await results(api, made["msgid"]) == [(LI, 1)]
    stranger = body | {"external_userids": [WANG]}
    assert (await api.control("broadcasts/personal", stranger))["errcode"] == 40096


async def test_cancel_stops_what_is_not_sent(api: Api, world: World, chats: list[str]) -> None:
    msgid = (await send_to(api, chats[:2]))["msgid"]
    cancel = f"{EC}/cancel_groupmsg_send"
    assert await api.code(cancel, {"msgid": msgid}) == 0
    assert await api.code(cancel, {"msgid": msgid}) == 41093
    assert broadcast.confirm(world, msgid, MANAGER) == {}
    assert len(world.deliveries) == 0
    assert world.broadcasts.todo(MANAGER) == []
    assert await results(api, msgid) == [(chats[0], 0), (chats[1], 0)]
    assert await api.code(f"{EC}/remind_groupmsg_send", {"msgid": msgid}) == 41093
    # The quota was not touched.
    again = (await send_to(api, chats[:1]))["msgid"]
    assert broadcast.confirm(world, again, MANAGER) == {chats[0]: Status.SENT}


async def test_cancel_leaves_what_one_member_has_sent(api: Api, world: World) -> None:
    contact.befriend(world, MANAGER, LI)
    contact.befriend(world, OTHER, WANG)
    made = await api.post(ADD, {"external_userid": [LI, WANG], **TEXT})
    broadcast.confirm(world, made["msgid"], MANAGER)
    assert await api.code(f"{EC}/cancel_groupmsg_send", {"msgid": made["msgid"]}) == 0
    assert broadcast.confirm(world, made["msgid"], OTHER) == {}
    assert await results(api, made["msgid"]) == [(LI, 1)]
    assert await results(api, made["msgid"], OTHER) == [(WANG, 0)]
    assert [item.to for item in world.deliveries] == [LI]


async def test_three_reminders_in_a_day(
    api: Api, world: World, chats: list[str], clock: FakeClock
) -> None:
    msgid = (await send_to(api, chats[:1]))["msgid"]
    remind = f"{EC}/remind_groupmsg_send"
    codes = []
    for _ in range(4):
        codes.append(await api.code(remind, {"msgid": msgid}))
        clock.advance(minutes=15)
    assert codes == [0, 0, 0, 41094]
    kinds = [note.kind for note in world.broadcasts.notices[MANAGER]]
    assert kinds == ["broadcast", "reminder", "reminder", "reminder"]
    clock.advance(hours=22, minutes=59)
    await api.gettoken()
    assert await api.code(remind, {"msgid": msgid}) == 41094
    clock.advance(minutes=1)
    assert await api.code(remind, {"msgid": msgid}) == 0


async def test_unknown_and_too_early_queries(
    api: Api, world: World, chats: list[str], clock: FakeClock
) -> None:
    task, result = f"{EC}/get_groupmsg_task", f"{EC}/get_groupmsg_send_result"
    for path in (task, f"{EC}/remind_groupmsg_send", f"{EC}/cancel_groupmsg_send"):
        assert await api.code(path, {}) == 41046
        assert await api.code(path, {"msgid": "none"}) == 41047
    world.broadcasts.dispatch_for = timedelta(seconds=10)
    msgid = (await send_to(api, chats[:1]))["msgid"]
    assert await api.code(task, {"msgid": msgid}) == 41063
    assert await api.code(result, {"msgid": msgid, "userid": MANAGER}) == 41063
    clock.advance(seconds=10)
    assert await api.code(task, {"msgid": msgid}) == 0
    assert await api.code(result, {"msgid": msgid}) == 41009
    assert await api.code(result, {"msgid": msgid, "userid": OTHER}) == 40003


async def test_results_and_lists_come_in_pages(api: Api, world: World, clock: FakeClock) -> None:
    chat_ids = [groups.create(world, MANAGER, f"群{n}", quiet=True).chat_id for n in range(5)]
    since = world.timestamp()
    made = [(await send_to(api, chat_ids))["msgid"] for _ in range(3)]
    personal = broadcast.owner_broadcasts_himself(world, MANAGER, chat_ids[:1], "话").msgid
    seen, cursor = [], ""
    body = {"msgid": made[0], "userid": MANAGER, "limit": 2}
    for _ in range(3):
        answer = await api.post(f"{EC}/get_groupmsg_send_result", {**body, "cursor": cursor})
        seen += [item["chat_id"] for item in answer["send_list"]]
        cursor = answer["next_cursor"]
    assert (seen, cursor) == (chat_ids, "")

    path = f"{EC}/get_groupmsg_list_v2"
    span = {"chat_type": "group", "start_time": since, "end_time": since + 60}
    first = await api.post(path, {**span, "limit": 2})
    second = await api.post(path, {**span, "limit": 2, "cursor": first["next_cursor"]})
    listed = first["group_msg_list"] + second["group_msg_list"]
    assert [item["msgid"] for item in listed] == [*made, personal]
    assert [item.get("creator") for item in listed] == [None, None, None, MANAGER]
    assert listed[0]["text"] == TEXT["text"]
    own = await api.post(path, {**span, "filter_type": 1})
    assert [item["msgid"] for item in own["group_msg_list"]] == [personal]
    by_creator = await api.post(path, {**span, "creator": MANAGER})
    assert [item["msgid"] for item in by_creator["group_msg_list"]] == [personal]
    assert (await api.post(path, {**span, "chat_type": "single"}))["group_msg_list"] == []
    assert await api.code(path, {**span, "end_time": since + 32 * 86400}) == 40058
    assert await api.code(path, {"chat_type": "group"}) == 40058


async def test_one_to_one_goes_by_who_last_spoke(api: Api, world: World, clock: FakeClock) -> None:
    contact.befriend(world, MANAGER, LI)
    contact.befriend(world, OTHER, LI)
    contact.befriend(world, OTHER, WANG)
    clock.advance(minutes=1)
    contact.says(world, MANAGER, LI, "在吗", by="customer")
    made = await api.post(ADD, {"external_userid": [LI, WANG, "wmNONE"], **TEXT})
    assert made["fail_list"] == ["wmNONE"]
    assert await results(api, made["msgid"]) == [(LI, 0)]
    assert await results(api, made["msgid"], OTHER) == [(WANG, 0)]
    by_sender = await api.post(ADD, {"sender": OTHER, "external_userid": [LI, WANG], **TEXT})
    assert await results(api, by_sender["msgid"], OTHER) == [(LI, 0), (WANG, 0)]
    everybody = await api.post(ADD, {"sender": MANAGER, **TEXT})
    assert await results(api, everybody["msgid"]) == [(LI, 0)]
    assert await api.code(ADD, TEXT) == 40058
    too_many = {"external_userid": ["wm"] * 10_001, **TEXT}
    assert await api.code(ADD, too_many) == 40058
    strangers = {"sender": MANAGER, "external_userid": [WANG], **TEXT}
    assert await api.code(ADD, strangers) == 41048


async def test_a_customer_who_deleted_the_member_is_status_2(api: Api, world: World) -> None:
    contact.befriend(world, MANAGER, LI)
    contact.befriend(world, MANAGER, WANG)
    contact.unfriend(world, MANAGER, LI, by="customer")
    made = await api.post(ADD, {"sender": MANAGER, **TEXT})
    broadcast.confirm(world, made["msgid"], MANAGER)
    assert await results(api, made["msgid"]) == [(LI, 2), (WANG, 1)]
    assert [(item.kind, item.to) for item in world.deliveries] == [("single", WANG)]


async def test_a_group_dismissed_meanwhile_is_status_2(
    api: Api, world: World, chats: list[str]
) -> None:
    msgid = (await send_to(api, chats[:2]))["msgid"]
    groups.dismiss(world, chats[0])
    broadcast.confirm(world, msgid, MANAGER)
    assert await results(api, msgid) == [(chats[0], 2), (chats[1], 1)]


async def test_tags_choose_any_within_and_all_between(api: Api, world: World) -> None:
    deposit, bond, senior = tags.add_tags(world, "关注", ["存款", "国债", "长者"])
    marks = {"wmA": [deposit, senior], "wmB": [bond, senior], "wmC": [bond], "wmD": [senior]}
    for customer, marked in marks.items():
        world.add_customer(Customer(customer, customer))
        contact.befriend(world, MANAGER, customer).tags = marked
    wanted = {"group_list": [{"tag_list": [deposit, bond]}, {"tag_list": [senior]}]}
    made = await api.post(ADD, {"tag_filter": wanted, **TEXT})
    assert await results(api, made["msgid"]) == [("wmA", 0), ("wmB", 0)]
    unknown = {"tag_filter": {"group_list": [{"tag_list": ["none"]}]}, **TEXT}
    assert await api.code(ADD, unknown) == 40068
    named = await api.post(ADD, {"tag_filter": wanted, "external_userid": ["wmC"], **TEXT})
    assert await results(api, named["msgid"]) == [("wmC", 0)]


async def test_owners_choose_only_where_they_may(api: Api, world: World, chats: list[str]) -> None:
    fixed = (await send_to(api, chats[:2]))["msgid"]
    with pytest.raises(ApiError):
        broadcast.confirm(world, fixed, MANAGER, chosen=chats[:1])
    free = (await api.post(ADD, {"chat_type": "group", "sender": MANAGER, **TEXT}))["msgid"]
    assert await results(api, free) == []
    with pytest.raises(ApiError):
        broadcast.confirm(world, free, MANAGER, chosen=chats[2:])
    assert broadcast.confirm(world, free, MANAGER, chosen=chats[1:2]) == {chats[1]: Status.SENT}
    assert await results(api, free) == [(chats[1], 1)]
    with pytest.raises(ApiError) as not_his:
        broadcast.confirm(world, free, OTHER)
    assert not_his.value.errcode == 40003


async def test_other_processes_can_press_send(api: Api, world: World, chats: list[str]) -> None:
    attachment = {"msgtype": "link", "link": {"title": "目录", "url": "https://bank.example/"}}
    msgid = (await send_to(api, chats[:1], attachments=[attachment]))["msgid"]
    (todo,) = (await api.control("broadcasts/todo", userid=MANAGER))["todo"]
    assert (todo["msgid"], todo["recipients"], todo["open"]) == (msgid, chats[:1], True)
    assert todo["text"] == TEXT["text"]
    assert todo["attachments"] == [attachment]
    press = {"msgid": msgid, "userid": MANAGER}
    assert (await api.control("broadcasts/confirm", press))["results"] == {chats[0]: 1}
    assert (await api.control("broadcasts/todo", userid=MANAGER))["todo"] == []
    (task,) = (await api.control("broadcasts/tasks", userid=MANAGER))["tasks"]
    assert (task["open"], task["results"]) == (False, {chats[0]: 1})
    (note,) = (await api.control("broadcasts/notices", userid=MANAGER))["notices"]
    assert (note["kind"], note["ref"]) == ("broadcast", msgid)
    assert [item.text for item in world.deliveries] == ["今天说说防骗", "[链接]目录"]
    assert [item.meta["part"] for item in world.deliveries] == [0, 1]
