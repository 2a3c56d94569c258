"""The message archive: what is in it, who is rung for it, and how it is pulled."""

from typing import Any

import pytest

from bot.clock import FakeClock
from bot.emulator import broadcast, contact, groups
from bot.emulator.groups import Group
from bot.emulator.world import World

from .conftest import LI, MANAGER, OTHER, WANG, Api, Receiver

KEY = "archive-secret-of-the-tests"


@pytest.fixture
def group(world: World) -> Group:
    world.archive.secret = KEY
    return groups.create(world, MANAGER, "群", [LI, WANG], quiet=True)


async def pull(api: Api, key: str = KEY, **params: str) -> dict[str, Any]:
    url, headers = f"{api.base_url}/archive/chatdata", {"X-Archive-Secret": key}
    async with api.session.get(url, params=params, headers=headers) as answer:
        assert answer.status == 200
        body: dict[str, Any] = await answer.json()
        return body


async def rings(world: World, receiver: Receiver) -> int:
    await world.callbacks.flush()
    return [event["Event"] for event in receiver.take()].count("msgaudit_notify")


async def test_group_messages_come_out_as_the_library_decrypts_them(
    api: Api, world: World, group: Group
) -> None:
    groups.says(world, group.chat_id, LI, "大字怎么调?")
    groups.owner_says(world, group.chat_id, "我来教您")
    answer = await pull(api)
    assert (answer["errcode"], answer["errmsg"]) == (0, "ok")
    asked, answered = answer["chatdata"]
    assert (asked["seq"], asked["publickey_ver"]) == (1, 1)
    assert asked["msgid"].endswith("_external")
    assert asked["message"] == {
        "msgid": asked["msgid"],
        "action": "send",
        "from": LI,
        "tolist": [MANAGER, WANG],
        "roomid": group.chat_id,
        "msgtime": world.timestamp() * 1000,
        "msgtype": "text",
        "text": {"content": "大字怎么调?"},
    }
    assert (answered["seq"], answered["message"]["from"]) == (2, MANAGER)
    assert answered["message"]["tolist"] == [LI, WANG]


async def test_mass_messages_and_one_to_one_are_archived_too(
    api: Api, world: World, group: Group
) -> None:
    broadcast.owner_broadcasts_himself(world, MANAGER, [group.chat_id], "群发的话")
    contact.befriend(world, MANAGER, LI)
    contact.says(world, MANAGER, LI, "在吗", by="customer")
    groups.says(world, group.chat_id, WANG, "f1le", msgtype="image")
    messages = [item["message"] for item in (await pull(api))["chatdata"]]
    assert [(item["from"], item["roomid"]) for item in messages] == [
        (MANAGER, group.chat_id),
        (LI, ""),
        (WANG, group.chat_id),
    ]
    assert messages[1]["tolist"] == [MANAGER]
    assert messages[2]["image"] == {"sdkfileid": "f1le"}


async def test_attachments_speak_the_archives_words(api: Api, world: World, group: Group) -> None:
    picture = world.media.put("image", "a.png", b"\x89PNG\r\n\x1a\n0000").media_id
    link = {"title": "目录", "url": "https://bank.example/", "picurl": "https://bank.example/p.png"}
    program = {"title": "预约", "pic_media_id": picture, "appid": "wx1", "page": "/book"}
    attachments = [
        {"msgtype": "link", "link": link},
        {"msgtype": "miniprogram", "miniprogram": program},
        {"msgtype": "image", "image": {"media_id": picture}},
    ]
    body = {"chat_type": "group", "sender": MANAGER, "chat_id_list": [group.chat_id]}
    path = "externalcontact/add_msg_template"
    made = await api.post(path, {**body, "attachments": attachments})
    broadcast.confirm(world, made["msgid"], MANAGER)
    card, weapp, image = (item["message"] for item in (await pull(api))["chatdata"])
    assert card["link"] == {
        "title": "目录",
        "description": "",
        "link_url": "https://bank.example/",
        "image_url": "https://bank.example/p.png",
    }
    assert (weapp["msgtype"], weapp["weapp"]["username"]) == ("weapp", "wx1")
    assert image["image"] == {"sdkfileid": picture}


async def test_it_is_pulled_by_seq_in_pages(api: Api, world: World, group: Group) -> None:
    for number in range(5):
        groups.says(world, group.chat_id, LI, str(number))
    seen, seq = [], 0
    while items := (await pull(api, seq=str(seq), limit="2"))["chatdata"]:
        seen += [item["message"]["text"]["content"] for item in items]
        seq = items[-1]["seq"]
    assert seen == ["0", "1", "2", "3", "4"]
    assert (await pull(api, seq="99"))["chatdata"] == []


@pytest.mark.parametrize(
    ("key", "params", "code"),
    [
        ("wrong", {}, 40001),
        ("", {}, 40001),
        (KEY, {"limit": "1001"}, 301058),
        (KEY, {"limit": "0"}, 301058),
        (KEY, {"seq": "-1"}, 40058),
        (KEY, {"seq": "x"}, 40058),
    ],
)
async def test_bad_pulls_have_their_codes(
    api: Api, group: Group, key: str, params: dict[str, str], code: int
) -> None:
    answer = await pull(api, key, **params)
    assert answer["errcode"] == code
    assert "chatdata" not in answer


async def test_a_bank_without_the_archive_has_none(api: Api, world: World, group: Group) -> None:
    world.archive.secret = ""
    groups.says(world, group.chat_id, LI, "有人吗")
    assert (await pull(api))["errcode"] == 301053
    assert world.archive.last_seq == 0


async def test_only_conversations_with_a_seat_are_archived(
    api: Api, world: World, group: Group
) -> None:
    world.archive.seats = frozenset({OTHER})
    groups.says(world, group.chat_id, LI, "没有席位")
    groups.join(world, group.chat_id, [OTHER])
    groups.says(world, group.chat_id, LI, "有席位")
    (item,) = (await pull(api))["chatdata"]
    assert item["message"]["text"]["content"] == "有席位"


async def test_one_ring_until_the_news_is_pulled(
    api: Api, world: World, group: Group, receiver: Receiver, clock: FakeClock
) -> None:
    for text in ("一", "二", "三"):
        groups.says(world, group.chat_id, LI, text)
    assert await rings(world, receiver) == 1
    clock.advance(seconds=14)
    groups.says(world, group.chat_id, LI, "四")
    assert await rings(world, receiver) == 0
    await pull(api, limit="2")
    groups.says(world, group.chat_id, LI, "五")
    assert await rings(world, receiver) == 0
    await pull(api, seq="2")
    assert await rings(world, receiver) == 0
    groups.says(world, group.chat_id, LI, "六")
    assert await rings(world, receiver) == 1
    clock.advance(seconds=15)
    groups.says(world, group.chat_id, LI, "七")
    assert await rings(world, receiver) == 1


async def test_what_is_older_than_five_days_is_gone(
    api: Api, world: World, group: Group, clock: FakeClock
) -> None:
    groups.says(world, group.chat_id, LI, "旧")
    clock.advance(days=3)
    groups.says(world, group.chat_id, LI, "新")
    clock.advance(days=2)
    assert len((await pull(api))["chatdata"]) == 2
    clock.advance(seconds=1)
    (left,) = (await pull(api))["chatdata"]
    assert (left["seq"], left["message"]["text"]["content"]) == (2, "新")
    assert (await pull(api, seq="2"))["chatdata"] == []
    clock.advance(days=9)
    assert (await pull(api))["chatdata"] == []
    groups.says(world, group.chat_id, LI, "再来")
    assert [item["seq"] for item in (await pull(api, seq="1"))["chatdata"]] == [3]
