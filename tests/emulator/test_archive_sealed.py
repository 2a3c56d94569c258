"""The archive as the native library gives it, who agreed to it, and its HTTP helpers."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.clock import FakeClock
from bot.emulator import archive, contact, groups
from bot.emulator.archive_sealed import unseal
from bot.emulator.groups import Group
from bot.emulator.world import World

from .conftest import LI, MANAGER, OTHER, WANG, Api, Receiver

KEY = "archive-secret-of-the-tests"


@pytest.fixture
def group(world: World) -> Group:
    world.archive.secret = KEY
    return groups.create(world, MANAGER, "群", [LI, WANG], quiet=True)


@pytest.fixture(scope="module")
def keys() -> dict[int, RSAPrivateKey]:
    return {version: generate_private_key(65537, 2048) for version in (1, 2)}


def public_pem(key: RSAPrivateKey) -> str:
    form = PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(Encoding.PEM, form).decode()


async def pull(api: Api, path: str = "sealed", **query: str) -> dict[str, Any]:
    url, headers = f"{api.base_url}/archive/{path}", {"X-Archive-Secret": KEY}
    async with api.session.get(url, params=query, headers=headers) as answer:
        body: dict[str, Any] = await answer.json()
        return body


def opened(item: dict[str, Any], keys: dict[int, RSAPrivateKey]) -> dict[str, Any]:
    locked = base64.b64decode(item["encrypt_random_key"])
    random_key = keys[item["publickey_ver"]].decrypt(locked, PKCS1v15()).decode()
    return unseal(random_key, item["encrypt_chat_msg"])


async def test_messages_are_sealed_under_the_key_that_was_newest_then(
    api: Api, world: World, group: Group, keys: dict[int, RSAPrivateKey]
) -> None:
    await api.steer("archive/keys", {"version": 1, "pem": public_pem(keys[1])})
    groups.says(world, group.chat_id, LI, "国债几号发？")
    await api.steer("archive/keys", {"version": 2, "pem": public_pem(keys[2])})
    groups.says(world, group.chat_id, WANG, "我也想问")
    first, second = (await pull(api))["chatdata"]
    assert [first["publickey_ver"], second["publickey_ver"]] == [1, 2]
    assert "message" not in first
    assert opened(first, keys)["text"] == {"content": "国债几号发？"}
    assert opened(second, keys)["from"] == WANG
    plain = await pull(api, "chatdata", seq="1")
    assert plain["chatdata"][0]["message"] == opened(second, keys)
    with pytest.raises(ValueError, match="does not fit"):
        unseal("00" * 32, first["encrypt_chat_msg"])
    assert (await api.control("archive/keys", {"version": 3, "pem": "x"}))["errcode"] == 40058


async def test_without_a_public_key_nothing_is_sealed(api: Api, world: World, group: Group) -> None:
    groups.says(world, group.chat_id, LI, "您好")
    assert (await pull(api))["errcode"] == 10008


async def test_a_file_comes_in_pieces_of_half_a_megabyte(
    api: Api, world: World, group: Group, clock: FakeClock
) -> None:
    data = bytes(range(256)) * 4500
    sdkfileid = archive.put_file(world, data)
    url, headers = f"{api.base_url}/archive/media", {"X-Archive-Secret": KEY}
    pieces, indexbuf, is_finish = [], "", "0"
    while is_finish == "0":
        query = {"sdkfileid": sdkfileid, "indexbuf": indexbuf}
        async with api.session.get(url, params=query, headers=headers) as answer:
            pieces.append(await answer.read())
            indexbuf, is_finish = answer.headers["X-Out-Index-Buf"], answer.headers["X-Is-Finish"]
    assert [len(piece) for piece in pieces] == [512 * 1024, 512 * 1024, len(data) - 1024 * 1024]
    assert b"".join(pieces) == data
    stored = {"base64": base64.b64encode(b"amr").decode()}
    voice = (await api.steer("archive/file", stored))["sdkfileid"]
    async with api.session.get(url, params={"sdkfileid": voice}, headers=headers) as answer:
        assert (await answer.read(), answer.headers["X-Is-Finish"]) == (b"amr", "1")
    assert (await pull(api, "media", sdkfileid="none"))["errcode"] == 10006
    assert (await pull(api, "media", sdkfileid=sdkfileid, indexbuf="x"))["errcode"] == 10006
    clock.advance(days=5, seconds=1)
    assert (await pull(api, "media", sdkfileid=sdkfileid))["errcode"] == 10011


async def test_kinds_recalls_and_switches_go_through_the_same_log(
    api: Api, world: World, group: Group
) -> None:
    location = {
        "longitude": 120.1,
        "latitude": 30.2,
        "address": "城东",
        "title": "支行",
        "zoom": 15,
    }
    sent = {
        "from": LI,
        "tolist": [MANAGER],
        "roomid": group.chat_id,
        "msgtype": "location",
        "location": location,
    }
    msgid = (await api.steer("archive/append", sent))["msgid"]
    await api.steer("archive/revoke", {"msgid": msgid})
    await api.steer("archive/switch", {"userid": MANAGER})
    placed, recalled, switched = [
        item["message"] for item in (await pull(api, "chatdata"))["chatdata"]
    ]
    assert placed["location"] == location
    assert (recalled["action"], recalled["revoke"]) == ("recall", {"pre_msgid": msgid})
    assert (switched["action"], switched["user"]) == ("switch", MANAGER)


async def test_what_a_customer_did_not_agree_to_is_not_handed_out(
    api: Api, world: World, group: Group, receiver: Receiver
) -> None:
    contact.befriend(world, MANAGER, LI, quiet=True)
    await api.steer("contacts/agree", {"userid": MANAGER, "external_userid": LI, "agree": False})
    contact.says(world, MANAGER, LI, "这句不存", by="customer")
    await api.steer("contacts/agree", {"userid": MANAGER, "external_userid": LI})
    contact.says(world, MANAGER, LI, "这句存", by="customer")
    await api.steer(
        "contacts/agree", {"userid": group.chat_id, "external_userid": WANG, "agree": 0}
    )
    groups.says(world, group.chat_id, WANG, "群里不存")
    groups.says(world, group.chat_id, LI, "群里存")
    kept = [item["message"] for item in (await pull(api, "chatdata"))["chatdata"]]
    assert [item["msgtype"] for item in kept] == ["disagree", "agree", "text", "disagree", "text"]
    assert [item["text"]["content"] for item in kept if "text" in item] == ["这句存", "群里存"]
    await world.callbacks.flush()
    events = [item.get("ChangeType") for item in receiver.take()]
    assert events.count("msg_audit_approved") == 1


async def test_a_welcome_waits_for_consent(api: Api, world: World, group: Group) -> None:
    contact.befriend(world, MANAGER, LI)
    code = next(iter(world.contacts.welcomes.codes))
    await api.steer("contacts/agree", {"userid": MANAGER, "external_userid": LI, "agree": False})
    body = {"welcome_code": code, "text": {"content": "您好"}}
    assert await api.code("externalcontact/send_welcome_msg", body) == 41053


async def test_the_helpers_take_the_archives_own_token(
    api: Api, world: World, group: Group
) -> None:
    assert await api.code("msgaudit/get_permit_user_list", {}) == 48002
    world.archive.editions[OTHER] = 3
    chat = {"name": "线索群", "userlist": [MANAGER, OTHER], "chatid": "leads1"}
    await api.post("appchat/create", chat)
    await api.steer("archive/robot", {"robot_id": "wbA", "name": "小知", "creator": MANAGER})
    world.archive.consent.answer(MANAGER, LI, world.now(), agree=True)
    await api.gettoken(secret=KEY)
    assert (await api.post("msgaudit/get_permit_user_list", {"type": 3}))["ids"] == [OTHER]
    pairs = [{"userid": MANAGER, "exteranalopenid": who} for who in (LI, WANG)]
    answers = (await api.post("msgaudit/check_single_agree", {"info": pairs}))["agreeinfo"]
    assert [item["agree_status"] for item in answers] == ["Agree", "Default_Agree"]
    assert answers[0]["status_change_time"] == world.timestamp()
    assert await api.code("msgaudit/check_single_agree", {"info": pairs * 51}) == 301060
    in_group = await api.post("msgaudit/check_room_agree", {"roomid": group.chat_id})
    assert [item["exteranalopenid"] for item in in_group["agreeinfo"]] == [LI, WANG]
    assert await api.code("msgaudit/groupchat/get", {"roomid": group.chat_id}) == 301059
    inside = await api.post("msgaudit/groupchat/get", {"roomid": "leads1"})
    assert (inside["roomname"], len(inside["members"])) == ("线索群", 2)
    robot = await api.get("msgaudit/get_robot_info", robot_id="wbA")
    assert robot["data"]["name"] == "小知"
    assert (await api.get("msgaudit/get_robot_info", robot_id="wbB"))["errcode"] == 301061


async def test_strange_addresses_and_an_expired_archive_are_refused(
    api: Api, world: World, group: Group
) -> None:
    await api.steer("archive/settings", {"allowed_ips": ["10.0.0.1"]})
    assert (await pull(api))["errcode"] == 301042
    await api.steer("archive/settings", {"allowed_ips": []})
    await api.steer("settings", {"settings": {"assumed.archive_pulls_per_minute": 1}})
    assert [(await pull(api))["errcode"] for _ in range(2)] == [0, 45009]
    await api.steer("archive/settings", {"expired": True})
    assert (await pull(api))["errcode"] == 301052


async def test_news_that_came_too_soon_after_a_ring_is_rung_for_later(
    world: World, group: Group, receiver: Receiver, clock: FakeClock
) -> None:
    for _ in range(2):
        groups.says(world, group.chat_id, LI, "您好")
    await world.callbacks.flush()
    assert len(receiver.take()) == 1
    clock.advance(seconds=15)
    await world.callbacks.flush()
    assert [event["Event"] for event in receiver.take()] == ["msgaudit_notify"]
