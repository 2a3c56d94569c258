"""微信客服: the doorbell, the log, the states, the 48 hours, the five, and the one-time codes."""

from __future__ import annotations

from itertools import product
from typing import Any

import aiohttp
import pytest

from bot.clock import FakeClock
from bot.emulator.kf_state import TRANSITIONS, State
from bot.emulator.wire import ApiError
from bot.emulator.world import Customer, World

from .conftest import KF, LI, MANAGER, OTHER, WANG, Api, Receiver

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def text(content: str = "您好", **more: object) -> dict[str, object]:
    body = {"touser": LI, "open_kfid": KF, "msgtype": "text", "text": {"content": content}}
    return {**body, **more}


def trans(state: int, **more: object) -> dict[str, object]:
    return {"open_kfid": KF, "external_userid": LI, "service_state": state, **more}


async def pull(api: Api, **more: object) -> list[dict[str, Any]]:
    """Return every line from the cursor on."""
    lines: list[dict[str, Any]] = []
    body: dict[str, object] = {"open_kfid": KF, **more}
    while True:
        page = await api.post("kf/sync_msg", body)
        assert page["errcode"] == 0, page
        lines += page["msg_list"]
        body["cursor"] = page["next_cursor"]
        if not page["has_more"]:
            return lines


async def events(api: Api) -> list[dict[str, Any]]:
    return [item["event"] for item in await pull(api) if item["msgtype"] == "event"]


# The doorbell and the log.


async def test_a_customers_message_rings_and_is_pulled_with_the_token(
    api: Api, world: World, receiver: Receiver, clock: FakeClock
) -> None:
    msgid = world.kf.customer_says(KF, LI, "存款利率多少？")
    await world.callbacks.flush()
    bell = receiver.take()[0]
    assert (bell["Event"], bell["OpenKfId"]) == ("kf_msg_or_event", KF)
    page = await api.post("kf/sync_msg", {"open_kfid": KF, "token": bell["Token"]})
    assert page["has_more"] == 0
    assert page["msg_list"] == [
        {
            "msgid": msgid,
            "open_kfid": KF,
            "external_userid": LI,
            "send_time": int(clock.now().timestamp()),
            "origin": 3,
            "msgtype": "text",
            "text": {"content": "存款利率多少？"},
        }
    ]


async def test_a_doorbell_token_lives_ten_minutes_and_opens_one_account(
    api: Api, world: World, receiver: Receiver, clock: FakeClock
) -> None:
    world.kf.add_account("另一个", "wkBBBB")
    world.kf.customer_says(KF, LI, "在吗")
    await world.callbacks.flush()
    token = receiver.take()[0]["Token"]
    assert await api.code("kf/sync_msg", {"open_kfid": "wkBBBB", "token": token}) == 95007
    clock.advance(seconds=599)
    assert await api.code("kf/sync_msg", {"open_kfid": KF, "token": token}) == 0
    clock.advance(seconds=1)
    assert await api.code("kf/sync_msg", {"open_kfid": KF, "token": token}) == 95007


async def test_messages_before_the_doorbell_is_posted_ring_once(
    world: World, receiver: Receiver
) -> None:
    for number in range(5):
        world.kf.customer_says(KF, LI, f"第 {number} 句")
    await world.callbacks.flush()
    assert len(receiver.take()) == 1
    world.kf.customer_says(KF, WANG, "您好")
    await world.callbacks.flush()
    assert len(receiver.take()) == 1


async def test_pages_follow_the_cursor_and_say_when_there_is_more(api: Api, world: World) -> None:
    sent = [world.kf.customer_says(KF, LI, f"{number}") for number in range(5)]
    first = await api.post("kf/sync_msg", {"open_kfid": KF, "limit": 2})
    assert (first["has_more"], len(first["msg_list"])) == (1, 2)
    rest = await pull(api, cursor=first["next_cursor"], limit=2)
    assert [item["msgid"] for item in first["msg_list"] + rest] == sent
    end = await api.post("kf/sync_msg", {"open_kfid": KF, "cursor": first["next_cursor"]})
    again = await api.post("kf/sync_msg", {"open_kfid": KF, "cursor": end["next_cursor"]})
    assert (again["msg_list"], again["has_more"]) == ([], 0)
    assert again["next_cursor"] == end["next_cursor"]
    assert len(end["next_cursor"]) <= 64


async def test_a_page_may_be_empty_while_more_is_there(api: Api, world: World) -> None:
    sent = world.kf.customer_says(KF, LI, "您好")
    world.faults.plan("kf/sync_msg", "empty_page")
    page = await api.post("kf/sync_msg", {"open_kfid": KF})
    assert (page["msg_list"], page["has_more"]) == ([], 1)
    assert [item["msgid"] for item in await pull(api, cursor=page["next_cursor"])] == [sent]


async def test_the_log_goes_back_three_days(api: Api, world: World, clock: FakeClock) -> None:
    world.kf.customer_says(KF, LI, "旧")
    clock.advance(days=3, seconds=1)
    new = world.kf.customer_says(KF, LI, "新")
    await api.gettoken()
    assert [item["msgid"] for item in await pull(api)] == [new]


async def test_sync_refuses_bad_cursors_limits_and_too_much_without_a_token(
    api: Api, world: World
) -> None:
    assert await api.code("kf/sync_msg", {}) == 60251
    assert await api.code("kf/sync_msg", {"open_kfid": KF, "cursor": "nonsense"}) == 50100
    assert await api.code("kf/sync_msg", {"open_kfid": KF, "limit": 1001}) == 40058
    assert await api.code("kf/sync_msg", {"open_kfid": KF, "token": "ENCold"}) == 95007
    world.limits.sync_without_token_per_minute = 0
    assert await api.code("kf/sync_msg", {"open_kfid": KF}) == 45009


async def test_what_the_program_sends_is_not_in_the_log_but_a_humans_words_are(
    api: Api, world: World
) -> None:
    world.kf.customer_says(KF, LI, "您好")
    assert await api.code("kf/send_msg", text()) == 0
    assert await api.code("kf/service_state/trans", trans(3, servicer_userid=MANAGER)) == 0
    said = world.kf.servicer_says(KF, LI, MANAGER, "我是张三")
    lines = await pull(api)
    assert [item["origin"] for item in lines] == [3, 5]
    assert (lines[1]["msgid"], lines[1]["servicer_userid"]) == (said, MANAGER)
    assert [item.source for item in world.deliveries] == ["kf_send_msg", "person"]


# Sending.


async def test_an_answer_reaches_the_customer(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    answer = await api.post("kf/send_msg", text("李女士您好", msgid="reply_1"))
    assert answer["msgid"] == "reply_1"
    delivery = world.deliveries.select("kf", LI)[0]
    assert (delivery.text, delivery.source, delivery.sender) == ("李女士您好", "kf_send_msg", KF)
    shown = await api.control("kf/conversation", open_kfid=KF, external_userid=LI)
    assert [(line["side"], line["text"]) for line in shown["lines"]] == [
        ("customer", "您好"),
        ("bot", "李女士您好"),
    ]


async def test_five_messages_for_each_customer_message(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    codes = [await api.code("kf/send_msg", text()) for _ in range(6)]
    assert codes == [0, 0, 0, 0, 0, 95001]
    world.kf.customer_says(KF, LI, "还有呢")
    assert await api.code("kf/send_msg", text()) == 0


async def test_the_window_closes_after_48_hours(api: Api, world: World, clock: FakeClock) -> None:
    world.kf.customer_says(KF, LI, "您好")
    clock.advance(hours=48)
    await api.gettoken()
    assert await api.code("kf/send_msg", text()) == 0
    clock.advance(seconds=1)
    assert await api.code("kf/send_msg", text()) == 95002
    state = await api.post("kf/service_state/get", {"open_kfid": KF, "external_userid": LI})
    assert state["service_state"] == 4
    world.kf.customer_says(KF, LI, "又来了")
    assert await api.code("kf/send_msg", text()) == 0


@pytest.mark.parametrize(("state", "code"), [(1, 0), (2, 95018), (3, 95018), (4, 95018)])
async def test_only_new_and_robot_sessions_take_a_programs_message(
    api: Api, world: World, state: int, code: int
) -> None:
    world.kf.customer_says(KF, LI, "您好")
    await api.post("kf/service_state/trans", trans(state, servicer_userid=MANAGER))
    assert await api.code("kf/send_msg", text()) == code


async def test_a_customer_who_never_wrote_cannot_be_written_to(api: Api, world: World) -> None:
    world.kf.enter(KF, LI)
    assert await api.code("kf/send_msg", text()) == 95018
    assert len(world.deliveries) == 0


async def test_a_msgid_is_good_once_in_an_account(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    assert await api.code("kf/send_msg", text(msgid="once")) == 0
    assert await api.code("kf/send_msg", text(msgid="once")) == 40058
    assert len(world.deliveries) == 1
    for bad in ("has space", "中文", "x" * 33):
        assert await api.code("kf/send_msg", text(msgid=bad)) == 40058


async def test_a_refused_send_does_not_use_up_its_msgid(api: Api, world: World) -> None:
    assert await api.code("kf/send_msg", text(msgid="later")) == 95018
    world.kf.customer_says(KF, LI, "您好")
    assert await api.code("kf/send_msg", text(msgid="later")) == 0


async def test_bad_receivers_and_accounts(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    assert await api.code("kf/send_msg", text(touser="wmNOBODY")) == 40096
    assert await api.code("kf/send_msg", text(open_kfid="xxAAAA")) == 95000
    assert await api.code("kf/send_msg", text(open_kfid="wkNONE")) == 95004
    assert await api.code("kf/send_msg", text(open_kfid="")) == 60251
    world.kf.accounts[KF].managed = False
    assert await api.code("kf/send_msg", text()) == 48007


def menu(*items: dict[str, object], **more: object) -> dict[str, object]:
    return {"head_content": "请选择", "list": list(items), **more}


def click(number: int) -> dict[str, object]:
    return {"type": "click", "click": {"id": f"m{number}", "content": f"选项{number}"}}


@pytest.mark.parametrize(
    ("msgtype", "payload", "code"),
    [
        ("text", {"content": "字" * 682 + "ab"}, 0),
        ("text", {"content": "字" * 683}, 40058),
        ("text", {}, 40058),
        ("text", "not an object", 40058),
        ("poem", {"content": "x"}, 40008),
        ("image", {"media_id": "MEDIA"}, 0),
        ("image", {"media_id": "none"}, 40007),
        ("link", {"title": "t", "url": "https://a.example/", "thumb_media_id": "MEDIA"}, 0),
        ("link", {"title": "t", "url": "a.example", "thumb_media_id": "MEDIA"}, 45034),
        ("link", {"title": "t", "url": "https://a.example/"}, 41006),
        ("msgmenu", menu(click(1), click(2)), 0),
        ("msgmenu", menu(*(click(number) for number in range(11))), 95008),
        ("msgmenu", menu({"type": "song"}), 95009),
        ("msgmenu", menu({"type": "click", "click": {"content": "字" * 43}}), 40058),
        ("msgmenu", {}, 40058),
        ("location", {"latitude": 30.2, "longitude": 120.1}, 0),
        ("location", {"latitude": 91, "longitude": 120.1}, 95022),
        ("miniprogram", {"appid": "a", "pagepath": "p", "thumb_media_id": "MEDIA"}, 0),
    ],
)
async def test_what_a_message_may_hold(
    api: Api, world: World, msgtype: str, payload: object, code: int
) -> None:
    media_id = world.media.put("image", "a.png", PNG).media_id
    if isinstance(payload, dict):
        payload = {key: media_id if v == "MEDIA" else v for key, v in payload.items()}
    world.kf.customer_says(KF, LI, "您好")
    body = {"touser": LI, "open_kfid": KF, "msgtype": msgtype, msgtype: payload}
    assert await api.code("kf/send_msg", body) == code
    assert len(world.deliveries) == (1 if code == 0 else 0)


async def test_pressing_a_menu_item_sends_its_text_with_the_menu_id(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    body = {"touser": LI, "open_kfid": KF, "msgtype": "msgmenu", "msgmenu": menu(click(7))}
    assert await api.code("kf/send_msg", body) == 0
    world.kf.customer_clicks(KF, LI, "m7")
    assert (await pull(api))[-1]["text"] == {"content": "选项7", "menu_id": "m7"}
    with pytest.raises(ApiError, match="40058"):
        world.kf.customer_clicks(KF, LI, "m8")


async def test_accepted_is_not_delivered(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    world.faults.plan("kf/send_msg", "send_fail", fail_type=13)
    assert await api.code("kf/send_msg", text(msgid="lost")) == 0
    world.kf.conversation(KF, LI).refuses = True
    assert await api.code("kf/send_msg", text(msgid="refused")) == 0
    assert len(world.deliveries) == 0
    fails = [(item["fail_msgid"], item["fail_type"]) for item in await events(api)]
    assert fails == [("lost", 13), ("refused", 10)]


async def test_an_answer_lost_on_the_way_was_sent_all_the_same(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    world.faults.plan("kf/send_msg", "lost_answer")
    with pytest.raises(aiohttp.ClientConnectionError):
        await api.post("kf/send_msg", text(msgid="once"))
    assert len(world.deliveries) == 1
    assert await api.code("kf/send_msg", text(msgid="once")) == 40058


# States.


@pytest.mark.parametrize(("source", "target"), list(product(State, State)))
async def test_the_transition_matrix(api: Api, world: World, source: State, target: State) -> None:
    world.kf.customer_says(KF, LI, "您好")
    conversation = world.kf.conversation(KF, LI)
    conversation.stored_state, conversation.servicer = source, OTHER
    code = await api.code("kf/service_state/trans", trans(target, servicer_userid=MANAGER))
    if source is State.ENDED:
        assert code == 95013
    elif (source, target) in TRANSITIONS:
        assert code == 0
        state = await api.post("kf/service_state/get", {"open_kfid": KF, "external_userid": LI})
        assert state["service_state"] == target
        if target is State.HUMAN:
            assert state["servicer_userid"] == MANAGER
    else:
        assert code == 95016
        assert conversation.stored_state is source
    assert await events(api) == []


async def test_handing_over_needs_a_servicer_who_receives(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "我要找人")
    path = "kf/service_state/trans"
    assert await api.code(path, trans(3)) == 40058
    assert await api.code(path, trans(3, servicer_userid="nobody")) == 95014
    world.members[OTHER].active = False
    assert await api.code(path, trans(3, servicer_userid=OTHER)) == 95014
    world.kf.servicer_status(KF, MANAGER, receiving=False)
    assert await api.code(path, trans(3, servicer_userid=MANAGER)) == 95019
    world.kf.servicer_status(KF, MANAGER, receiving=True)
    assert await api.code(path, trans(3, servicer_userid=MANAGER)) == 0
    assert await api.code(path, trans(3, servicer_userid=MANAGER)) == 95016
    statuses = [(item["event_type"], item["status"]) for item in await events(api)]
    assert statuses == [("servicer_status_change", 2), ("servicer_status_change", 1)]


async def test_a_customer_who_writes_after_the_end_begins_anew(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    assert await api.code("kf/service_state/trans", trans(4)) == 0
    assert await api.code("kf/service_state/trans", trans(1)) == 95013
    world.kf.customer_says(KF, LI, "还有一事")
    state = await api.post("kf/service_state/get", {"open_kfid": KF, "external_userid": LI})
    assert state == {"errcode": 0, "errmsg": "ok", "service_state": 0}


async def test_the_console_may_let_sessions_begin_elsewhere(api: Api, world: World) -> None:
    world.kf.accounts[KF].first_state = State.HUMAN
    world.kf.customer_says(KF, LI, "您好")
    state = await api.post("kf/service_state/get", {"open_kfid": KF, "external_userid": LI})
    assert (state["service_state"], state["servicer_userid"]) == (3, MANAGER)
    world.members[MANAGER].on_duty = False
    world.kf.customer_says(KF, WANG, "您好")
    assert world.kf.conversation(KF, WANG).servicer == OTHER


async def test_what_servicers_do_by_hand_becomes_events(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "我要找人")
    await api.post("kf/service_state/trans", trans(2))
    world.kf.servicer_takes(KF, LI, MANAGER)
    world.kf.servicer_transfers(KF, LI, OTHER)
    with pytest.raises(ApiError, match="95018"):
        world.kf.servicer_says(KF, LI, MANAGER, "不是我的客户了")
    world.kf.servicer_ends(KF, LI)
    world.kf.servicer_says(KF, LI, MANAGER, "补充一句")
    changes = [item for item in await events(api) if item["event_type"] == "session_status_change"]
    assert [item["change_type"] for item in changes] == [1, 2, 3, 4]
    assert [item.get("old_servicer_userid") for item in changes] == [None, MANAGER, OTHER, OTHER]
    assert [item.get("new_servicer_userid") for item in changes] == [MANAGER, OTHER, None, MANAGER]
    assert ["msg_code" in item for item in changes] == [True, False, True, False]
    assert {item["external_userid"] for item in changes} == {LI}


# One-time codes.


def on_event(code: str, msgtype: str = "text", **more: object) -> dict[str, object]:
    payload = {"content": "欢迎"} if msgtype == "text" else menu(click(1))
    return {"code": code, "msgtype": msgtype, msgtype: payload, **more}


async def test_a_welcome_is_sent_once_within_20_seconds(
    api: Api, world: World, clock: FakeClock
) -> None:
    path = "kf/send_msg_on_event"
    code = world.kf.enter(KF, LI, scene="lobby", scene_param="a=1")
    event = (await events(api))[0]
    assert (event["scene"], event["scene_param"], event["welcome_code"]) == ("lobby", "a=1", code)
    clock.advance(seconds=20)
    assert await api.code(path, on_event(code, "msgmenu")) == 0
    assert await api.code(path, on_event(code)) == 95007
    assert world.kf.enter(KF, LI) == ""
    clock.advance(hours=49)
    await api.gettoken()
    late = world.kf.enter(KF, LI)
    clock.advance(seconds=21)
    assert await api.code(path, on_event(late)) == 95007
    assert await api.code(path, on_event("made-up")) == 95007
    assert len(world.deliveries.select(source="kf_send_msg_on_event")) == 1


async def test_no_welcome_for_a_customer_who_wrote_within_48_hours(
    api: Api, world: World, clock: FakeClock
) -> None:
    world.kf.customer_says(KF, LI, "您好")
    assert world.kf.enter(KF, LI) == ""
    assert "welcome_code" not in (await events(api))[0]
    clock.advance(hours=48, seconds=1)
    assert world.kf.enter(KF, LI) != ""


async def test_codes_of_a_hand_over_need_no_window_but_the_state(
    api: Api, world: World, clock: FakeClock
) -> None:
    path = "kf/send_msg_on_event"
    world.kf.customer_says(KF, LI, "我要找人")
    for _ in range(5):
        await api.post("kf/send_msg", text())
    queued = (await api.post("kf/service_state/trans", trans(2)))["msg_code"]
    assert await api.code(path, on_event(queued, "msgmenu")) == 40008
    assert await api.code(path, on_event(queued)) == 0
    taken = (await api.post("kf/service_state/trans", trans(3, servicer_userid=MANAGER)))[
        "msg_code"
    ]
    moved = await api.post("kf/service_state/trans", trans(3, servicer_userid=OTHER))
    assert "msg_code" not in moved
    ended = (await api.post("kf/service_state/trans", trans(4)))["msg_code"]
    assert await api.code(path, on_event(taken)) == 95018
    assert await api.code(path, on_event(ended, "msgmenu")) == 0


async def test_a_good_bye_lives_20_seconds(api: Api, world: World, clock: FakeClock) -> None:
    world.kf.customer_says(KF, LI, "谢谢")
    ended = (await api.post("kf/service_state/trans", trans(4)))["msg_code"]
    clock.advance(seconds=21)
    assert await api.code("kf/send_msg_on_event", on_event(ended)) == 95007


# Accounts, servicers, customers.


async def test_accounts_links_and_servicers(api: Api, world: World) -> None:
    media_id = world.media.put("image", "a.png", PNG).media_id
    made = await api.post("kf/account/add", {"name": "养老金融", "media_id": media_id})
    kfid = made["open_kfid"]
    assert kfid.startswith("wk")
    assert await api.code("kf/account/add", {"name": "字" * 17, "media_id": media_id}) == 95006
    assert await api.code("kf/account/update", {"open_kfid": kfid, "name": "养老"}) == 0
    listed = (await api.post("kf/account/list", {"offset": 1, "limit": 100}))["account_list"]
    assert [(item["open_kfid"], item["name"], item["manage_privilege"]) for item in listed] == [
        (kfid, "养老", True)
    ]
    way = {"open_kfid": kfid, "scene": "lobby"}
    first, second = (
        (await api.post("kf/add_contact_way", way))["url"],
        (await api.post("kf/add_contact_way", way))["url"],
    )
    assert first == second
    assert first.startswith("https://work.weixin.qq.com/kf/kfc")
    assert "enc_scene=ENC" in first
    assert await api.code("kf/add_contact_way", {"open_kfid": kfid, "scene": "a b"}) == 40058
    added = await api.post(
        "kf/servicer/add", {"open_kfid": kfid, "userid_list": [MANAGER, "nobody", MANAGER]}
    )
    assert [(item["errcode"], item["errmsg"]) for item in added["result_list"]] == [
        (0, "success"),
        (60111, "userid not found"),
        (0, "ignored"),
    ]
    assert (await api.get("kf/servicer/list", open_kfid=kfid))["servicer_list"] == [
        {"userid": MANAGER, "status": 0, "stop_type": 0}
    ]
    assert await api.code("kf/servicer/del", {"open_kfid": kfid, "userid_list": [MANAGER]}) == 0
    assert (await api.get("kf/servicer/list", open_kfid=kfid))["servicer_list"] == []
    assert await api.code("kf/account/del", {"open_kfid": kfid}) == 0
    assert await api.code("kf/account/del", {"open_kfid": kfid}) == 95004


async def test_customers_are_read_with_the_scene_they_came_by(
    api: Api, world: World, clock: FakeClock
) -> None:
    world.add_customer(Customer("wmNEW", "新客户"))
    world.kf.enter(KF, LI, scene="lobby")
    body = {"external_userid_list": [LI, WANG, "wmX"], "need_enter_session_context": 1}
    answer = await api.post("kf/customer/batchget", body)
    assert answer["invalid_external_userid"] == ["wmX"]
    li, wang = answer["customer_list"]
    assert (li["nickname"], li["unionid"]) == ("李女士", "union-li")
    assert li["enter_session_context"] == {"scene": "lobby", "scene_param": ""}
    assert "unionid" not in wang
    assert "enter_session_context" not in wang
    clock.advance(hours=48, seconds=1)
    await api.gettoken()
    later = (await api.post("kf/customer/batchget", body))["customer_list"]
    assert all("enter_session_context" not in item for item in later)
    many = {"external_userid_list": [f"wm{number}" for number in range(101)]}
    assert await api.code("kf/customer/batchget", many) == 40058


async def test_a_customer_takes_a_message_back(api: Api, world: World) -> None:
    msgid = world.kf.customer_says(KF, LI, "发错了")
    world.kf.customer_recalls(KF, LI, msgid)
    event = (await events(api))[0]
    assert (event["event_type"], event["recall_msgid"]) == ("user_recall_msg", msgid)


async def test_another_process_can_play_the_customer(
    api: Api, world: World, receiver: Receiver
) -> None:
    whom = {"open_kfid": KF, "external_userid": LI}
    said = await api.control("kf/say", {**whom, "text": "您好"})
    assert (await pull(api))[0]["msgid"] == said["msgid"]
    assert (await api.control("callbacks/flush", {}))["results"][0]["status"] == 200
    assert await api.code("kf/send_msg", text("您也好")) == 0
    got = await api.control("deliveries", since="0")
    assert [item["text"] for item in got["deliveries"]] == ["您也好"]
    assert (await api.control("deliveries", since="1"))["deliveries"] == []
    before = (await api.control("clock"))["now"]
    assert (await api.control("clock", {"advance_s": 3600}))["now"] > before
    assert (await api.control("state"))["kf_accounts"] == [{"open_kfid": KF, "name": "小安"}]
    assert (await api.control("kf/say", {**whom, "external_userid": "x", "text": "y"}))[
        "errcode"
    ] == 40096


def test_the_same_seed_gives_the_same_ids(clock: FakeClock) -> None:
    first, second, other = World(clock), World(clock), World(clock, seed=2)
    ids = [world.new_id("wm") for world in (first, second, other)]
    assert ids[0] == ids[1] != ids[2]
    assert (len(ids[0]), ids[0][:2]) == (32, "wm")


async def test_a_session_opened_again_by_a_servicer_stays_open(
    api: Api, world: World, clock: FakeClock
) -> None:
    world.kf.customer_says(KF, LI, "您好")
    clock.advance(hours=72)
    await api.gettoken()
    world.kf.servicer_says(KF, LI, MANAGER, "回访一下")
    world.kf.servicer_says(KF, LI, MANAGER, "再补充一句")
    changes = [item["change_type"] for item in await events(api)]
    assert changes == [4]
    assert await api.code("kf/send_msg", text()) == 95018
    assert await api.code("kf/service_state/trans", trans(4)) == 0


async def test_a_newer_welcome_code_voids_the_older(api: Api, world: World) -> None:
    older, newer = world.kf.enter(KF, LI), world.kf.enter(KF, LI)
    assert await api.code("kf/send_msg_on_event", on_event(older)) == 95007
    assert await api.code("kf/send_msg_on_event", on_event(newer)) == 0


async def test_a_customer_is_led_on_to_a_manager_or_a_group(
    api: Api, world: World, clock: FakeClock
) -> None:
    world.kf.upgrade_members.add(MANAGER)
    world.kf.upgrade_groups.add("wrGROUP")
    config = await api.get("kf/customer/get_upgrade_service_config")
    assert config["member_range"]["userid_list"] == [MANAGER]
    assert config["groupchat_range"]["chat_id_list"] == ["wrGROUP"]
    path, whom = "kf/customer/upgrade_service", {"open_kfid": KF, "external_userid": LI}
    to_manager = {**whom, "type": 1, "member": {"userid": MANAGER, "wording": "张经理为您服务"}}
    to_group = {**whom, "type": 2, "groupchat": {"chat_id": "wrGROUP", "wording": "进群看看"}}
    assert await api.code(path, to_manager) == 95031
    world.kf.customer_says(KF, LI, "想找经理")
    assert await api.code(path, to_manager) == 0
    assert await api.code(path, to_group) == 0
    assert await api.code(path, {**whom, "type": 1, "member": {"userid": OTHER}}) == 60021
    sent = world.deliveries.select(to=LI, source="kf_upgrade_service")
    assert [item.text for item in sent] == ["张经理为您服务", "进群看看"]
    assert await api.code("kf/customer/cancel_upgrade_service", whom) == 0


async def test_another_process_can_settle_a_bank(api: Api, world: World) -> None:
    member = {"userid": "zhao", "name": "赵六", "branch": "城西支行"}
    await api.control("members", {"members": [member]})
    assert world.members["zhao"].branch == "城西支行"
    customers = {"customers": [{"nickname": "周奶奶", "age": 71}, {"nickname": "钱先生"}]}
    ids = (await api.control("customers", customers))["external_userids"]
    assert [world.customers[one].age for one in ids] == [71, None]
    made = await api.control("kf/accounts", {"name": "小安二号", "servicers": ["zhao"]})
    whom = {"open_kfid": made["open_kfid"], "external_userid": ids[0]}
    assert (await api.control("kf/say", {**whom, "text": "您好"}))["errcode"] == 0
    await api.control("apps", {"agent_id": 77, "secret": "s77"})
    assert (await api.gettoken(secret="s77"))["errcode"] == 0
    assert (await api.control("customers", {"customers": [{}]}))["errcode"] == 40058
