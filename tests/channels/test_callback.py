"""The door: what is WeCom's is on disk before it is answered, what is not leaves no trace."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.channels.callback import PATH
from bot.console.health import Health
from bot.emulator.callbacks import render_xml
from bot.front import application_of
from bot.wecom.crypto import CallbackCrypto, open_envelope
from tests.channels.door import (
    BEFORE,
    BOT,
    CORP,
    KEYS,
    NOW,
    STRANGER,
    Door,
    open_door,
    sealed,
)
from tests.channels.door import door as door
from tests.make import NOON

COMMON = {"ToUserName": CORP, "FromUserName": "sys", "CreateTime": 1700000000}
HELLO = COMMON | {"MsgType": "text", "Content": "您好", "MsgId": "77", "AgentID": 1}
RING = COMMON | {"MsgType": "event", "Event": "kf_msg_or_event", "Token": "t", "OpenKfId": "wkA_1-"}
FRIEND = COMMON | {
    "MsgType": "event",
    "Event": "change_external_contact",
    "ChangeType": "add_external_contact",
    "UserID": "li",
    "ExternalUserID": "wm1",
}


def event(**fields: object) -> dict[str, object]:
    return COMMON | {"MsgType": "event"} | fields


async def take(door: Door, *plains: dict[str, Any], **more: Any) -> None:
    for fields in plains:
        assert await door.post(sealed(render_xml(fields), **more)) == (200, b"")


@pytest.mark.parametrize(
    ("fields", "channel", "lane"),
    [
        (RING, "kf", "kf:wkA_1-"),
        (event(Event="msgaudit_notify"), "archive", "archive"),
        (FRIEND, "contact", ""),
        (event(Event="change_external_chat", ChatId="wr1", ChangeType="update"), "contact", ""),
        (event(Event="change_external_tag", Id="t1", ChangeType="update"), "contact", ""),
        (event(Event="template_card_event", TaskId="t"), "app", ""),
        (event(Event="something_new"), "app", ""),
        (HELLO, "app", ""),
    ],
)
async def test_each_callback_is_stored_for_whoever_reads_it(
    door: Door, fields: dict[str, Any], channel: str, lane: str
) -> None:
    await take(door, fields)
    [notice] = await door.stored()
    assert (notice.channel, notice.lane, notice.body) == (channel, lane, render_xml(fields))


async def test_plain_elements_are_read_as_cdata_is(door: Door) -> None:
    plain = "<xml><Event>kf_msg_or_event</Event><OpenKfId>wk9</OpenKfId></xml>"
    assert (await door.post(sealed(plain)))[0] == 200
    assert [(one.channel, one.lane) for one in await door.stored()] == [("kf", "kf:wk9")]


async def test_wecoms_repeats_are_stored_once(door: Door) -> None:
    await take(door, HELLO, FRIEND, HELLO, FRIEND)
    await take(door, HELLO, FRIEND, nonce="another")
    await take(door, HELLO | {"CreateTime": 1700000009})  # a message is its MsgId
    assert len(await door.stored()) == 2


async def test_two_apps_and_two_configurations_may_use_the_same_id(door: Door) -> None:
    await take(door, HELLO, HELLO | {"AgentID": 2})
    assert (await door.post(sealed(render_xml(HELLO)), "/kf"))[0] == 200
    assert len(await door.stored()) == 3


@pytest.mark.parametrize("field", ["CreateTime", "ChangeType", "UserID", "ExternalUserID", "More"])
async def test_an_event_that_differs_in_any_field_is_another_one(door: Door, field: str) -> None:
    await take(door, FRIEND, FRIEND | {field: "2"})
    assert len(await door.stored()) == 2


async def test_every_ring_of_a_doorbell_is_kept_and_its_repeat_is_not(door: Door) -> None:
    await take(door, RING, RING, nonce="first")
    await take(door, RING, nonce="second")
    assert len(await door.stored()) == 2


@pytest.mark.parametrize(
    "words",
    [
        "<MsgId>77</MsgId>",
        "<Event>kf_msg_or_event</Event><OpenKfId>wk</OpenKfId>",
        "<Event><![CDATA[msgaudit_notify]] ></Event>",
        "<!DOCTYPE html><html></html>",
        "]] ]]]] > <MsgId>77</MsgId>",
    ],
)
async def test_nobody_chooses_the_key_or_the_channel_by_what_he_types(
    door: Door, words: str
) -> None:
    await take(door, HELLO, HELLO | {"Content": words, "MsgId": "78"})
    first, second = await door.stored()
    assert first.key != second.key
    assert (second.channel, second.lane) == ("app", "")


@pytest.mark.parametrize(
    "plain",
    [
        '<!DOCTYPE xml [<!ENTITY a "ha">]><xml><Content>&a;</Content></xml>',
        '<?xml version="1.0"?><!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml></xml>',
        "<xml><!ENTITY a 'b'></xml>",
    ],
)
async def test_entities_do_not_get_past_the_door(door: Door, plain: str) -> None:
    assert await door.post(sealed(plain)) == (403, b"refused")
    assert await door.stored() == []


async def test_both_keys_are_good_while_they_are_changed(door: Door) -> None:
    echo = sealed("", BEFORE).query
    for crypto in (NOW, BEFORE):
        assert (await door.post(sealed(render_xml(RING), crypto, nonce=str(id(crypto)))))[0] == 200
        encrypted, signature = crypto.encrypt("424242", "n", echo["timestamp"])
        query = echo | {"nonce": "n", "msg_signature": signature, "echostr": encrypted}
        assert await door.get(PATH, query) == (200, "424242")
    assert (await door.post(sealed(render_xml(RING), STRANGER)))[0] == 403
    assert len(await door.stored()) == 2


def test_where_only_the_aes_key_was_changed_the_token_fits_both() -> None:
    token = KEYS["now"][0]
    before = CallbackCrypto(token, KEYS["before"][1], CORP)
    now = CallbackCrypto(token, KEYS["now"][1], CORP, before)
    for crypto in (now, before):
        post = sealed("<xml></xml>", crypto)
        assert open_envelope(post.body, post.query, now, NOON) == "<xml></xml>"


async def test_everything_lies_under_the_base_path(tmp_path: Path) -> None:
    async with open_door(tmp_path / "door.db", "/bank/zhilin") as door:
        assert (await door.get("/bank/zhilin/healthz"))[0] == 200
        assert (await door.get("/bank/zhilin/readyz"))[0] == 200
        assert (await door.get("/healthz"))[0] == 404
        assert (await door.post(sealed(render_xml(HELLO))))[0] == 404
        door.address += "/bank/zhilin"
        await take(door, HELLO)
        assert (await door.post(sealed(render_xml(RING)), "/kf"))[0] == 200


class TestAibot:
    ASKED = json.dumps({"msgid": "m1", "msgtype": "text", "text": {"content": "利率?"}})

    async def ask(self, door: Door, plain: str, **more: Any) -> str:
        """Post to the AI bot; return what its answer says."""
        status, body = await door.post(sealed(plain, BOT, form="json", **more), "/aibot")
        assert status == 200
        if not body:
            return ""
        reply = json.loads(body)
        query = {"msg_signature": reply["msgsignature"], "timestamp": str(reply["timestamp"])}
        query["nonce"] = reply["nonce"]
        assert isinstance(reply["timestamp"], int)
        return open_envelope(json.dumps({"encrypt": reply["encrypt"]}).encode(), query, BOT, NOON)

    async def test_a_question_is_stored_once_and_answered_each_time(self, door: Door) -> None:
        for asked in (1, 2, 3):
            answer = json.loads(await self.ask(door, self.ASKED, nonce=f"n{asked}"))
            assert answer == {"msgtype": "stream", "asked": asked}
        [notice] = await door.stored()
        assert (notice.channel, notice.body, notice.lane) == ("aibot", self.ASKED, "")

    async def test_a_poll_is_answered_and_not_stored(self, door: Door) -> None:
        assert await self.ask(door, json.dumps({"msgid": "p", "msgtype": "stream"}))
        assert await door.stored() == []

    async def test_where_there_is_nothing_to_say_the_answer_is_empty(self, door: Door) -> None:
        assert await self.ask(door, json.dumps({"msgid": "e", "msgtype": "event"})) == ""
        door.echo.fails = True
        with capture_logs() as logs:
            assert await self.ask(door, self.ASKED) == ""
        assert [entry["event"] for entry in logs] == ["acknowledgement_failed"]
        assert len(await door.stored()) == 2, "it is stored, and can be answered later"

    @pytest.mark.parametrize("plain", ["", "[]", "3", "{", "[" * 10_000, '{"":' * 10_000, "<a/>"])
    async def test_what_is_no_json_object_is_refused(self, door: Door, plain: str) -> None:
        post = sealed(plain, BOT, form="json")
        assert await door.post(post, "/aibot") == (403, b"refused")
        assert door.echo.asked == 0

    @pytest.mark.parametrize("msgid", ["\ud800", "", 5, None, ["a"]])
    async def test_an_odd_id_does_not_merge_questions(self, door: Door, msgid: object) -> None:
        for text_ in ("a", "b", "b"):
            await self.ask(door, json.dumps({"msgid": msgid, "text": text_}))
        assert len(await door.stored()) == 2

    async def test_keys_of_one_configuration_do_not_open_another(self, door: Door) -> None:
        assert (await door.post(sealed(self.ASKED, NOW, form="json"), "/aibot"))[0] == 403
        assert (await door.post(sealed(render_xml(HELLO), BOT)))[0] == 403


async def test_what_the_database_does_not_take_is_not_acknowledged(door: Door) -> None:
    async with door.database.begin() as tx:
        await tx.connection.execute(text("ALTER TABLE notices RENAME TO elsewhere"))
    posts = [sealed(render_xml(HELLO | {"MsgId": str(number)})) for number in range(1, 9)]
    answers = await asyncio.gather(*(door.post(post) for post in posts))
    assert {status for status, _ in answers} <= {500, 503}
    async with door.database.begin() as tx:
        await tx.connection.execute(text("ALTER TABLE elsewhere RENAME TO notices"))
    answers = await asyncio.gather(*(door.post(post) for post in posts))
    assert {status for status, _ in answers} == {200}
    assert len(await door.stored()) == 8


def test_a_process_without_callbacks_still_tells_its_health(door: Door) -> None:
    application = application_of(None, Health(door.database, door.clock), "/zhilin")
    paths = {route.resource.canonical for route in application.router.routes() if route.resource}
    assert paths == {"/zhilin/healthz", "/zhilin/readyz"}
