"""AI bots of the local WeCom: what it refuses, and the webhook's streams."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.clock import FakeClock
from bot.emulator import aibot_people
from bot.emulator.aibot import AiBot
from bot.emulator.server import EmulatorServer
from bot.emulator.wire import ApiError
from bot.emulator.world import World
from tests.emulator.conftest import MANAGER, OTHER

BOT, SECRET = "aib-1", "secret-1"
CARD = {
    "card_type": "text_notice",
    "main_title": {"title": "线索"},
    "card_action": {"type": 1, "url": "https://bank.example"},
    "jump_list": [{"type": 3, "title": "再问一句", "question": "起存多少"}],
}
TEXT = {"msgtype": "text", "text": {"content": "您好"}}


def stream(content: str, *, finish: bool = False, id: str = "s1") -> dict[str, object]:
    return {"msgtype": "stream", "stream": {"id": id, "content": content, "finish": finish}}


@dataclass
class Raw:
    """A connection with nothing between the test and the wire."""

    socket: aiohttp.ClientWebSocketResponse
    number: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def call(self, cmd: str, body: object = None, req_id: str = "") -> int:
        """Send a command and return the errcode of its acknowledgement."""
        self.number += 1
        req_id = req_id or f"{cmd}_{self.number}"
        frame = {"cmd": cmd, "headers": {"req_id": req_id}, "body": body}
        await self.socket.send_str(json.dumps(frame))
        while True:
            answer = await self.socket.receive_json(timeout=5)
            if "cmd" in answer:
                self.heard.append(answer)
                continue
            assert answer["headers"]["req_id"] == req_id
            return int(answer["errcode"])


@pytest.fixture
async def raw(world: World, server: EmulatorServer) -> AsyncIterator[Raw]:
    world.aibots.add(AiBot(BOT, SECRET, visible_to=frozenset({MANAGER})))
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.base_url + "/aibot/ws") as socket,
    ):
        yield Raw(socket)


async def subscribed(raw: Raw) -> Raw:
    assert await raw.call("aibot_subscribe", {"bot_id": BOT, "secret": SECRET}) == 0
    return raw


async def test_nothing_is_done_before_the_subscription(raw: Raw) -> None:
    assert await raw.call("ping") == 40001
    assert await raw.call("aibot_subscribe", {"bot_id": BOT, "secret": "x"}) == 40001
    await subscribed(raw)
    assert await raw.call("ping") == 0
    assert await raw.call("aibot_dance") == 40058


async def test_who_subscribes_again_and_again_is_held_back(raw: Raw, clock: FakeClock) -> None:
    for _ in range(10):
        await subscribed(raw)
    assert await raw.call("aibot_subscribe", {"bot_id": BOT, "secret": SECRET}) == 45009
    clock.advance(minutes=1)
    await subscribed(raw)


async def test_each_kind_of_reply_needs_its_own_callback(raw: Raw, world: World) -> None:
    await subscribed(raw)
    asked = aibot_people.says(world, BOT, MANAGER, "在吗")
    entered = aibot_people.enters(world, BOT, MANAGER)
    assert entered is not None
    assert await raw.call("aibot_respond_msg", stream("在"), "unknown") == 846605
    assert await raw.call("aibot_respond_msg", stream("在"), entered.req_id) == 846605
    assert await raw.call("aibot_respond_welcome_msg", TEXT, asked.req_id) == 846605
    assert await raw.call("aibot_respond_msg", TEXT, asked.req_id) == 40008
    assert await raw.call("aibot_respond_welcome_msg", TEXT, entered.req_id) == 0
    assert await raw.call("aibot_respond_msg", stream("在", finish=True), asked.req_id) == 0
    assert await raw.call("aibot_respond_msg", stream("还"), asked.req_id) == 846608


async def test_a_welcome_has_five_seconds_and_a_stream_ten_minutes(
    raw: Raw, world: World, clock: FakeClock
) -> None:
    await subscribed(raw)
    asked = aibot_people.says(world, BOT, MANAGER, "在吗")
    entered = aibot_people.enters(world, BOT, MANAGER)
    assert entered is not None
    clock.advance(seconds=6)
    assert await raw.call("aibot_respond_welcome_msg", TEXT, entered.req_id) == 846605
    assert await raw.call("aibot_respond_msg", stream("一"), asked.req_id) == 0
    clock.advance(minutes=9)
    assert await raw.call("aibot_respond_msg", stream("一二"), asked.req_id) == 0
    clock.advance(minutes=1)
    assert await raw.call("aibot_respond_msg", stream("一二三"), asked.req_id) == 846608
    assert world.aibots.seen_by(MANAGER)[0].expired
    clock.advance(hours=24)
    assert await raw.call("aibot_respond_msg", stream("早", id="s2"), asked.req_id) == 846608


async def test_thirty_messages_a_minute_in_one_talk(
    raw: Raw, world: World, clock: FakeClock
) -> None:
    await subscribed(raw)
    aibot_people.says(world, BOT, MANAGER, "在吗")
    words = {"chatid": MANAGER, "chat_type": 1, "msgtype": "markdown"}
    words["markdown"] = {"content": "好"}
    codes = [await raw.call("aibot_send_msg", words) for _ in range(31)]
    assert codes == [0] * 30 + [45009]
    clock.advance(minutes=1)
    assert await raw.call("aibot_send_msg", words) == 0
    assert await raw.call("aibot_send_msg", words | {"chat_type": 2}) == 93006
    assert await raw.call("aibot_send_msg", words | {"chatid": OTHER}) == 93006
    long = words | {"markdown": {"content": "长" * 7000}}
    assert await raw.call("aibot_send_msg", long) == 45002


async def test_only_members_who_see_the_bot_can_write_to_it(raw: Raw, world: World) -> None:
    await subscribed(raw)
    with pytest.raises(ApiError, match="60011"):
        aibot_people.says(world, BOT, OTHER, "在吗")
    with pytest.raises(ApiError, match="93006"):
        aibot_people.says(world, BOT, MANAGER, "在吗", chatid="wrk-unknown")


async def test_with_nobody_connected_a_message_is_lost(world: World) -> None:
    world.aibots.add(AiBot(BOT, SECRET))
    aibot_people.says(world, BOT, MANAGER, "在吗")
    assert world.aibots.lost == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "book"}, 40004),
        ({"total_size": 4}, 40006),
        ({"total_size": 21 * 1024 * 1024, "total_chunks": 50}, 45001),
        ({"total_chunks": 101}, 40058),
        ({"filename": "长" * 100}, 40058),
    ],
)
async def test_an_upload_that_wecom_would_not_take(
    raw: Raw, change: dict[str, object], code: int
) -> None:
    await subscribed(raw)
    body = {"type": "file", "filename": "a.pdf", "total_size": 100, "total_chunks": 1}
    assert await raw.call("aibot_upload_media_init", body | change) == code


async def test_an_upload_without_a_chunk_is_not_finished(raw: Raw, clock: FakeClock) -> None:
    await subscribed(raw)
    body = {"type": "file", "filename": "a.pdf", "total_size": 100, "total_chunks": 2}
    frame = {"cmd": "aibot_upload_media_init", "headers": {"req_id": "u"}, "body": body}
    await raw.socket.send_str(json.dumps(frame))
    upload_id = (await raw.socket.receive_json(timeout=5))["body"]["upload_id"]
    data = base64.b64encode(b"0" * 50).decode()
    chunk = {"upload_id": upload_id, "chunk_index": 0, "base64_data": data}
    assert await raw.call("aibot_upload_media_chunk", chunk) == 0
    assert await raw.call("aibot_upload_media_finish", {"upload_id": upload_id}) == 40058
    assert await raw.call("aibot_upload_media_chunk", chunk | {"chunk_index": 2}) == 40058
    clock.advance(minutes=31)
    assert await raw.call("aibot_upload_media_chunk", chunk | {"chunk_index": 1}) == 40058
