"""App messages of every type, cards with every fault, and the limits of frequency."""

from __future__ import annotations

from typing import Any

import pytest

from bot.clock import FakeClock
from bot.emulator.app_types import render
from bot.emulator.wire import ApiError, inner_call
from bot.emulator.world import World

from .conftest import AGENT, MANAGER, OTHER, Api

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64


def message(msgtype: str, body: object, **more: object) -> dict[str, object]:
    return {"touser": MANAGER, "agentid": AGENT, "msgtype": msgtype, msgtype: body, **more}


async def test_every_type_is_read_as_the_reference_says(api: Api, world: World) -> None:
    media = world.media.put("image", "图.png", PNG).media_id
    article = {"title": "利率表", "thumb_media_id": media, "content": "<p>一</p>"}
    notice = {
        "appid": "wx1",
        "title": "四个字的",
        "content_item": [{"key": "时间", "value": "九点"}],
    }
    card = {"title": "日报", "description": "<b>好</b>", "url": "https://b.example/"}
    for sent, code in (
        (message("image", {"media_id": media}), 0),
        (message("file", {"media_id": media}), 40007),
        (message("mpnews", {"articles": [article]}, safe=2), 0),
        (message("mpnews", {"articles": [{**article, "author": "长" * 30}]}), 45032),
        (message("mpnews", {"articles": [article] * 9}), 45008),
        (message("textcard", card), 0),
        (message("textcard", {**card, "description": ""}), 41033),
        (message("textcard", {**card, "btntxt": "五个字太长"}), 40058),
        (message("textcard", {**card, "url": ""}), 41010),
        (message("miniprogram_notice", notice), 0),
        (message("miniprogram_notice", {**notice, "title": "三个字"}), 40058),
        (message("text", {"content": "好"}, safe=2), 40058),
        (message("text", {"content": " "}), 44004),
        (message("shout", {"content": "好"}), 40008),
    ):
        assert await api.code("message/send", sent) == code, sent
    long = message("mpnews", {"articles": [{**article, "content": "长" * 230_000}]})
    with pytest.raises(ApiError, match="45002"):
        render(world, inner_call(long))
    await api.post("message/send", message("text", {"content": "字" * 800}))
    assert len(world.app_messages.inbox(MANAGER)[-1].text.encode()) <= 2048


NOTICE: dict[str, Any] = {
    "card_type": "text_notice",
    "main_title": {"title": "新线索"},
    "card_action": {"type": 1, "url": "https://b.example/"},
}
BUTTONS: dict[str, Any] = {
    "card_type": "button_interaction",
    "main_title": {"title": "新线索"},
    "task_id": "t",
    "button_list": [{"text": "接手", "key": "take"}],
}
VOTE: dict[str, Any] = {
    "card_type": "vote_interaction",
    "main_title": {"title": "排期"},
    "task_id": "t",
    "checkbox": {"question_key": "q", "option_list": [{"id": "1", "text": "周一"}]},
    "submit_button": {"text": "提交", "key": "ok"},
}
MULTIPLE: dict[str, Any] = {
    "card_type": "multiple_interaction",
    "main_title": {"title": "排期"},
    "task_id": "t",
    "select_list": [{"question_key": "q", "option_list": [{"id": "1", "text": "周一"}]}],
    "submit_button": {"text": "提交", "key": "ok"},
}
NEWS: dict[str, Any] = {
    **NOTICE,
    "card_type": "news_notice",
    "card_image": {"url": "https://b.example/a.png"},
}
OPTION = {"id": "1", "text": "周一"}


@pytest.mark.parametrize(
    ("code", "card"),
    [
        (42027, {**NOTICE, "horizontal_content_list": [{"value": "一"}]}),
        (42028, {**NOTICE, "card_action": {"type": 1}}),
        (42029, {**NOTICE, "horizontal_content_list": [{"type": 2, "keyname": "附件"}]}),
        (42030, {**NOTICE, "jump_list": [{"type": 2, "title": "小程序"}]}),
        (42031, {**NOTICE, "card_type": "big_notice"}),
        (42033, {**NOTICE, "main_title": {}}),
        (42033, {**NOTICE, "jump_list": [{"type": 1, "url": "https://b.example/"}]}),
        (42035, {**NOTICE, "horizontal_content_list": [{"keyname": "一"}] * 7}),
        (42036, {**NEWS, "vertical_content_list": [{"title": "一"}] * 5}),
        (42037, {**VOTE, "checkbox": {"question_key": "q", "option_list": [OPTION] * 21}}),
        (42038, {**BUTTONS, "button_list": [{"key": "take"}]}),
        (42039, {**BUTTONS, "button_list": [{"text": "接手"}]}),
        (42040, {**VOTE, "checkbox": {"question_key": "q", "option_list": [{"text": "一"}]}}),
        (42041, {**VOTE, "checkbox": {"question_key": "q", "option_list": [{"id": "1"}]}}),
        (42042, {**NOTICE, "jump_list": [{"title": "一"}] * 4}),
        (42043, {**VOTE, "checkbox": {"option_list": [OPTION]}}),
        (42044, {**NEWS, "card_image": {"aspect_ratio": 1.5}}),
        (42045, {**NOTICE, "card_action": {}}),
        (42046, {**VOTE, "submit_button": {"text": "提交"}}),
        (42047, {**MULTIPLE, "select_list": MULTIPLE["select_list"] * 4}),
        (42049, {**VOTE, "submit_button": {"key": "ok"}}),
        (42050, {**NOTICE, "horizontal_content_list": [{"type": 3, "keyname": "经理"}]}),
        (
            42051,
            {
                **NOTICE,
                "task_id": "t",
                "action_menu": {"action_list": [{"text": "一", "key": "k"}] * 2},
            },
        ),
    ],
)
async def test_each_fault_of_a_card_has_its_code(api: Api, code: int, card: object) -> None:
    assert await api.code("message/send", message("template_card", card)) == code


async def test_a_good_card_of_each_type_is_sent_once_for_each_task_id(api: Api) -> None:
    for number, card in enumerate((NOTICE, BUTTONS, VOTE, MULTIPLE, NEWS)):
        given = {**card, "task_id": f"t{number}"} if "task_id" in card else card
        sent = await api.post("message/send", message("template_card", given))
        assert sent["errcode"] == 0, sent
        assert ("response_code" in sent) == ("task_id" in card)
    again = message("template_card", {**BUTTONS, "task_id": "t1"})
    assert await api.code("message/send", again) == 40058


async def test_one_app_sends_so_much_in_a_day(api: Api, world: World, clock: FakeClock) -> None:
    world.limits.app_messages_per_member_day = 2
    both = message("text", {"content": "好"}, touser=f"{MANAGER}|{OTHER}")
    assert [await api.code("message/send", both) for _ in range(3)] == [0, 0, 45009]
    clock.advance(days=1, seconds=1)
    await api.gettoken()
    assert await api.code("message/send", both) == 0


async def test_a_chat_of_the_apps_own(api: Api, world: World) -> None:
    chat = {"name": "线索群", "userlist": [MANAGER, OTHER], "chatid": "leads1"}
    assert (await api.post("appchat/create", chat))["chatid"] == "leads1"
    for bad, code in (
        (chat, 86001),
        ({**chat, "chatid": "有"}, 86001),
        ({**chat, "chatid": "b", "userlist": [MANAGER]}, 86220),
        ({**chat, "chatid": "b", "userlist": [MANAGER, "nobody"]}, 86216),
    ):
        assert await api.code("appchat/create", bad) == code
    words = {"chatid": "leads1", "msgtype": "text", "text": {"content": "新线索"}}
    world.limits.appchat_member_per_minute = 1
    assert [await api.code("appchat/send", words) for _ in range(2)] == [0, 0]
    assert [item.meta["received_by"] for item in world.deliveries.select("appchat")] == [
        [MANAGER, OTHER],
        [],
    ]
    card = {"chatid": "leads1", "msgtype": "template_card", "template_card": NOTICE}
    assert await api.code("appchat/send", card) == 40008
    world.settle_member("wangwu", "王五")
    change = {"chatid": "leads1", "name": "线索", "add_user_list": ["wangwu"], "owner": OTHER}
    assert await api.code("appchat/update", {**change, "del_user_list": [MANAGER]}) == 0
    shown = (await api.get("appchat/get", chatid="leads1"))["chat_info"]
    assert (shown["owner"], shown["userlist"]) == (OTHER, [OTHER, "wangwu"])
    world.settle_app(7, "another-secret")
    await api.gettoken(secret="another-secret")
    assert await api.code("appchat/send", words) == 86008
    await api.steer("app/range", {"agent_id": 7, "userids": [MANAGER]})
    assert await api.code("appchat/create", {**chat, "chatid": "c"}) == 48002


async def test_the_address_book_shows_members_and_branches(api: Api) -> None:
    shown = await api.get("user/get", userid=MANAGER)
    assert (shown["name"], shown["department"]) == ("张三", [2])
    assert (await api.get("user/get", userid="nobody"))["errcode"] == 60111
    named = (await api.get("department/list"))["department"]
    assert [item["name"] for item in named] == ["总行", "城东支行"]
    listed = (await api.get("user/simplelist", department_id="2"))["userlist"]
    assert [item["userid"] for item in listed] == [MANAGER, OTHER]
    assert (await api.get("agent/get", agentid=str(AGENT)))["close"] == 0
    assert (await api.get("agent/get", agentid="9"))["errcode"] == 40056
