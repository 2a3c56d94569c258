"""A self-built app: messages to members, template cards, presses, updates, recalls."""

from __future__ import annotations

from typing import Any

import pytest

from bot.clock import FakeClock
from bot.emulator.wire import ApiError
from bot.emulator.world import App, World

from .conftest import AGENT, CORP, MANAGER, OTHER, SECRET, Api, Receiver

SEND, UPDATE = "message/send", "message/update_template_card"


def message(msgtype: str, content: object, **more: object) -> dict[str, object]:
    return {"touser": MANAGER, "agentid": AGENT, "msgtype": msgtype, msgtype: content, **more}


def words(content: str = "有新线索", **more: object) -> dict[str, object]:
    return message("text", {"content": content}, **more)


def lead_card(**more: object) -> dict[str, object]:
    return {
        "card_type": "button_interaction",
        "main_title": {"title": "新线索", "desc": "李女士"},
        "horizontal_content_list": [{"keyname": "意向", "value": "大额存单"}],
        "task_id": "lead-1",
        "button_list": [
            {"text": "接手", "style": 1, "key": "take"},
            {"text": "转派", "style": 2, "key": "pass"},
        ],
        **more,
    }


def card(**more: object) -> dict[str, object]:
    return message("template_card", lead_card(**more))


def notice(**more: object) -> dict[str, object]:
    return {
        "card_type": "text_notice",
        "main_title": {"title": "日报"},
        "card_action": {"type": 1, "url": "https://a.example/"},
        **more,
    }


async def sent(api: Api, body: dict[str, object]) -> dict[str, Any]:
    answer = await api.post(SEND, body)
    assert answer["errcode"] == 0, answer
    return answer


# Whom it reaches.


async def test_a_text_reaches_the_members_named(api: Api, world: World) -> None:
    answer = await sent(api, words(touser=f"{MANAGER}|Nobody|{OTHER}"))
    assert answer["invaliduser"] == "nobody"
    assert "response_code" not in answer
    for userid in (MANAGER, OTHER):
        item = world.app_messages.inbox(userid)[-1]
        assert (item.msgid, item.text, item.msgtype) == (answer["msgid"], "有新线索", "text")
    assert [item.to for item in world.deliveries.select("member")] == [MANAGER, OTHER]


async def test_everybody_parties_and_tags(api: Api, world: World) -> None:
    world.app_messages.parties["7"] = {OTHER}
    world.app_messages.tags["3"] = {MANAGER}
    answer = await sent(api, words(touser="", toparty="7|8", totag="3|4"))
    assert (answer["invalidparty"], answer["invalidtag"]) == ("8", "4")
    await sent(api, words(touser="@all"))
    assert [len(world.app_messages.inbox(userid)) for userid in (MANAGER, OTHER)] == [2, 2]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (words(touser=""), 82001),
        (words(touser="nobody|noone"), 81013),
        (words(touser="|".join(f"u{n}" for n in range(1001))), 40032),
        (words(agentid=5), 40056),
        (words(agentid=None), 41011),
        (words(""), 44004),
        (message("song", {"content": "x"}), 40008),
        (message("markdown", {"content": "字" * 683}), 40058),
        (message("textcard", {"description": "d", "url": "https://a.example"}), 41016),
        (message("textcard", {"title": "t", "description": "d"}), 41010),
        (message("image", {"media_id": "none"}), 40007),
        (message("news", {"articles": [{"title": "t", "url": "u"}] * 9}), 45008),
    ],
)
async def test_what_is_refused(api: Api, world: World, body: dict[str, object], code: int) -> None:
    assert await api.code(SEND, body) == code
    assert len(world.deliveries) == 0


async def test_members_out_of_the_apps_range_are_invalid(api: Api, world: World) -> None:
    world.add_app(App(AGENT, SECRET, visible_to=frozenset({MANAGER})))
    assert await api.code(SEND, words(touser=OTHER)) == 81013
    await sent(api, words(touser="@all"))
    assert world.app_messages.inbox(OTHER) == []


async def test_a_long_text_is_cut_at_2048_bytes(api: Api, world: World) -> None:
    await sent(api, words("字" * 700))
    assert world.app_messages.inbox(MANAGER)[0].text == "字" * 682


async def test_the_31st_message_in_a_minute_is_dropped_in_silence(
    api: Api, world: World, clock: FakeClock
) -> None:
    for number in range(31):
        await sent(api, words(f"{number}"))
    assert len(world.app_messages.inbox(MANAGER)) == 30
    assert (world.app_messages.dropped, len(world.deliveries)) == (1, 30)
    await sent(api, words(touser=OTHER))
    clock.advance(seconds=60)
    await sent(api, words("again"))
    assert world.app_messages.inbox(MANAGER)[-1].text == "again"


async def test_the_duplicate_check_delivers_once_within_the_interval(
    api: Api, world: World, clock: FakeClock
) -> None:
    body = words(enable_duplicate_check=1, duplicate_check_interval=60)
    first = await sent(api, body)
    assert (await sent(api, body))["msgid"] == first["msgid"]
    assert len(world.app_messages.inbox(MANAGER)) == 1
    clock.advance(seconds=60)
    await sent(api, body)
    assert len(world.app_messages.inbox(MANAGER)) == 2
    await sent(api, words())
    await sent(api, words())
    assert len(world.app_messages.inbox(MANAGER)) == 4


# Cards.


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lead_card(), 0),
        (lead_card(card_type="poem"), 42031),
        (lead_card(main_title={}), 42033),
        (lead_card(task_id=""), 40058),
        (lead_card(task_id="有空格"), 40058),
        (lead_card(button_list=[]), 40058),
        (lead_card(button_list=[{"text": "a", "key": f"{n}"} for n in range(7)]), 40058),
        (lead_card(button_list=[{"key": "a"}]), 42038),
        (lead_card(button_list=[{"text": "a"}]), 42039),
        (lead_card(button_list=[{"text": "a", "type": 1}]), 42028),
        (lead_card(horizontal_content_list=[{"keyname": "a"}] * 7), 42035),
        (lead_card(horizontal_content_list=[{"keyname": "a", "type": 3}]), 42050),
        (lead_card(jump_list=[{"title": "a"}] * 4), 42042),
        (lead_card(jump_list=[{"title": "a", "type": 2}]), 42030),
        (lead_card(button_selection={"option_list": [{"id": "1", "text": "a"}]}), 42043),
        (lead_card(button_selection={"question_key": "q"}), 42037),
        (lead_card(button_selection={"question_key": "q", "option_list": [{}]}), 42040),
        (lead_card(action_menu={"action_list": [{"text": "a", "key": "k"}] * 2}), 42051),
        (notice(), 0),
        (notice(card_action=None), 42045),
        (notice(card_action={"type": 0}), 42045),
        (notice(card_action={"type": 1}), 42028),
        (notice(main_title={}, sub_title_text="正文"), 0),
        (notice(main_title={}), 42033),
        (notice(action_menu={"action_list": [{"text": "a", "key": "k"}]}), 40058),
        (notice(card_type="news_notice"), 42044),
        (notice(card_type="news_notice", card_image={"url": "https://a.example/a.png"}), 0),
        (notice(card_type="news_notice", vertical_content_list=[{"title": "a"}] * 5), 42036),
        ({**lead_card(card_type="vote_interaction")}, 42043),
        ({**lead_card(card_type="multiple_interaction"), "select_list": []}, 42047),
    ],
)
async def test_cards_are_checked_field_by_field(
    api: Api, content: dict[str, object], code: int
) -> None:
    assert await api.code(SEND, message("template_card", content)) == code


async def test_pressing_a_button_calls_back_with_a_new_response_code(
    api: Api, world: World, receiver: Receiver, clock: FakeClock
) -> None:
    answer = await sent(api, card())
    code = world.app_messages.press(MANAGER, answer["msgid"], "take")
    await world.callbacks.flush()
    assert receiver.take() == [
        {
            "ToUserName": CORP,
            "CreateTime": str(int(clock.now().timestamp())),
            "FromUserName": MANAGER,
            "MsgType": "event",
            "Event": "template_card_event",
            "EventKey": "take",
            "TaskId": "lead-1",
            "CardType": "button_interaction",
            "ResponseCode": code,
            "AgentID": str(AGENT),
        }
    ]
    assert code != answer["response_code"]


async def test_chosen_options_and_menu_actions_come_along(
    api: Api, world: World, receiver: Receiver
) -> None:
    content = lead_card(
        button_selection={"question_key": "why", "option_list": [{"id": "o1", "text": "忙"}]},
        action_menu={"action_list": [{"text": "不再提醒", "key": "mute"}]},
    )
    msgid = (await sent(api, message("template_card", content)))["msgid"]
    body = {"userid": MANAGER, "msgid": msgid, "key": "pass", "selected": {"why": ["o1"]}}
    assert (await api.control("app/press", body))["errcode"] == 0
    world.app_messages.press(MANAGER, msgid, "mute")
    await world.callbacks.flush()
    pressed, menu = receiver.take()
    assert pressed["SelectedItems"] == {
        "SelectedItem": {"QuestionKey": "why", "OptionIds": {"OptionId": "o1"}}
    }
    assert (menu["Event"], menu["EventKey"]) == ("template_card_menu_event", "mute")


async def test_a_response_code_greys_the_button_once(
    api: Api, world: World, receiver: Receiver
) -> None:
    answer = await sent(api, {**card(), "touser": f"{MANAGER}|{OTHER}"})
    code = world.app_messages.press(MANAGER, answer["msgid"], "take")
    body = {"userids": [MANAGER, "nobody"], "agentid": AGENT, "response_code": code}
    grey = {**body, "button": {"replace_name": "已接手"}}
    assert (await api.post(UPDATE, grey))["invaliduser"] == ["nobody"]
    assert await api.code(UPDATE, grey) == 60140
    mine = world.app_messages.item(MANAGER, answer["msgid"])
    assert (mine.replaced, dict(mine.buttons)) == ("已接手", {})
    with pytest.raises(ApiError, match="42017"):
        world.app_messages.press(MANAGER, answer["msgid"], "take")
    assert world.app_messages.item(OTHER, answer["msgid"]).buttons == {
        "take": "接手",
        "pass": "转派",
    }
    inbox = await api.control("app/inbox", userid=MANAGER)
    assert inbox["messages"][0]["replaced"] == "已接手"


async def test_the_whole_card_can_be_replaced_for_all(api: Api, world: World) -> None:
    answer = await sent(api, {**card(), "touser": f"{MANAGER}|{OTHER}"})
    body = {
        "atall": 1,
        "agentid": AGENT,
        "response_code": answer["response_code"],
        "template_card": lead_card(main_title={"title": "已由张三接手"}, replace_text="已接手"),
    }
    assert await api.code(UPDATE, body) == 0
    for userid in (MANAGER, OTHER):
        item = world.app_messages.inbox(userid)[0]
        assert item.text.startswith("已由张三接手")
        assert (item.replaced, dict(item.buttons)) == ("已接手", {})


async def test_a_response_code_lives_72_hours_and_belongs_to_its_app(
    api: Api, world: World, clock: FakeClock
) -> None:
    answer = await sent(api, card())
    body = {"userids": [MANAGER], "agentid": AGENT, "button": {"replace_name": "好"}}
    assert await api.code(UPDATE, {**body, "response_code": "made-up"}) == 60140
    assert await api.code(UPDATE, {**body, "userids": [], "response_code": "x"}) == 82001
    clock.advance(hours=72)
    await api.gettoken()
    assert await api.code(UPDATE, {**body, "response_code": answer["response_code"]}) == 60140
    fresh = world.app_messages.press(MANAGER, answer["msgid"], "take")
    world.add_app(App(9, "other-secret"))
    await api.gettoken(secret="other-secret")
    assert await api.code(UPDATE, {**body, "agentid": 9, "response_code": fresh}) == 60140
    await api.gettoken()
    assert await api.code(UPDATE, {**body, "response_code": fresh}) == 0


async def test_a_task_id_is_used_once_in_an_app(api: Api) -> None:
    assert await api.code(SEND, card()) == 0
    assert await api.code(SEND, card()) == 40058
    assert await api.code(SEND, card(task_id="lead-2")) == 0


async def test_a_message_can_be_taken_back_for_24_hours(
    api: Api, world: World, clock: FakeClock
) -> None:
    first = await sent(api, words("旧"))
    assert await api.code("message/recall", {"msgid": "none"}) == 40058
    assert await api.code("message/recall", {"msgid": first["msgid"]}) == 0
    assert world.app_messages.inbox(MANAGER) == []
    late = await sent(api, words("新"))
    clock.advance(hours=24, seconds=1)
    await api.gettoken()
    assert await api.code("message/recall", {"msgid": late["msgid"]}) == 42052
    assert len(world.app_messages.inbox(MANAGER)) == 1


async def test_a_member_writes_to_the_app(world: World, receiver: Receiver) -> None:
    msgid = world.app_messages.member_says(MANAGER, AGENT, "今天有几条线索？")
    world.app_messages.enter_app(MANAGER, AGENT)
    await world.callbacks.flush()
    text, entered = receiver.take()
    assert (text["MsgType"], text["Content"], text["MsgId"]) == ("text", "今天有几条线索？", msgid)
    assert (entered["Event"], entered["FromUserName"]) == ("enter_agent", MANAGER)
