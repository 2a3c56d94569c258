"""WeCom's own client of AI bots against the local WeCom: nobody here wrote it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.emulator import aibot_people
from bot.emulator.aibot import AiBot
from bot.emulator.server import EmulatorServer
from bot.emulator.world import World
from tests.emulator.conftest import MANAGER

with warnings.catch_warnings():
    # It asks websockets for a name that is deprecated there.
    warnings.simplefilter("ignore", DeprecationWarning)
    from aibot import WSClient, WSClientOptions, generate_req_id
    from aibot import ws as aibot_ws

BOT, SECRET = "aib-of-the-tests", "secret-of-the-bot"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "您要看哪位客户？"},
    "button_list": [{"text": "李女士", "key": "li"}, {"text": "王先生", "key": "wang"}],
    "task_id": "which-1",
}


class _Silent:
    def debug(self, message: str, *args: Any) -> None: ...

    info = warn = error = debug


@pytest.fixture
async def client(
    world: World, server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[WSClient]:
    """Connect the official client; only its TLS is taken off, for loopback has none."""
    monkeypatch.setattr(aibot_ws, "_SSL_CONTEXT", None)
    world.aibots.add(AiBot(BOT, SECRET))
    client = _client(server)
    arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    client.once("authenticated", lambda: arrived.set_result(None))
    await client.connect()
    await asyncio.wait_for(arrived, 5)
    yield client
    await _hang_up(client)


def _client(server: EmulatorServer, secret: str = SECRET) -> WSClient:
    address = server.base_url.replace("http", "ws") + "/aibot/ws"
    options = WSClientOptions(
        BOT, secret, ws_url=address, logger=_Silent(), max_reconnect_attempts=0
    )
    return WSClient(options)


async def _hang_up(client: WSClient) -> None:
    if client.is_connected:
        await client._ws_manager._async_disconnect()
    client._ws_manager._stop_heartbeat()


async def _next(client: WSClient, event: str, act: Any) -> dict[str, Any]:
    """Return the frame that comes of what somebody does."""
    arrived: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    client.once(event, arrived.set_result)
    act()
    return await asyncio.wait_for(arrived, 5)


async def test_it_connects_and_is_heard(client: WSClient, world: World) -> None:
    assert client.is_connected
    assert BOT in world.aibot_lines.live


async def test_a_question_is_answered_in_growing_frames(client: WSClient, world: World) -> None:
    frame = await _next(
        client, "message.text", lambda: aibot_people.says(world, BOT, MANAGER, "大额存单多少起")
    )
    assert frame["body"]["text"]["content"] == "大额存单多少起"
    assert frame["body"]["from"]["userid"] == MANAGER
    stream_id = generate_req_id("stream")
    await client.reply_stream(frame, stream_id, "正在查…", feedback={"id": "f1"})
    await client.reply_stream(frame, stream_id, "正在查…\n20 万")
    (shown,) = world.aibots.seen_by(MANAGER)
    assert not shown.finished
    assert not world.deliveries.select("aibot")
    await client.reply_stream(frame, stream_id, "20 万元起。", finish=True)
    assert shown.frames == ["正在查…", "正在查…\n20 万", "20 万元起。"]
    assert [item.text for item in world.deliveries.select("aibot", MANAGER)] == ["20 万元起。"]
    rated = await _next(
        client,
        "event.feedback_event",
        lambda: aibot_people.rates(world, MANAGER, shown.msgid, 2, reasons=[2]),
    )
    assert rated["body"]["event"]["feedback_event"]["inaccurate_reason_list"] == [2]


async def test_who_comes_in_is_welcomed_once_a_day(client: WSClient, world: World) -> None:
    frame = await _next(
        client, "event.enter_chat", lambda: aibot_people.enters(world, BOT, MANAGER)
    )
    await client.reply_welcome(frame, {"msgtype": "text", "text": {"content": "您好"}})
    assert [item.text for item in world.aibots.seen_by(MANAGER)] == ["您好"]
    assert aibot_people.enters(world, BOT, MANAGER) is None
    with pytest.raises(RuntimeError, match="846605"):
        await client.reply_welcome(frame, {"msgtype": "text", "text": {"content": "您好"}})


async def test_a_card_is_pressed_and_replaced(client: WSClient, world: World) -> None:
    frame = await _next(
        client, "message.text", lambda: aibot_people.says(world, BOT, MANAGER, "李")
    )
    await client.reply_template_card(frame, CARD)
    (shown,) = world.aibots.seen_by(MANAGER)
    pressed = await _next(
        client,
        "event.template_card_event",
        lambda: aibot_people.presses(world, MANAGER, shown.msgid, "li"),
    )
    event = pressed["body"]["event"]["template_card_event"]
    assert (event["event_key"], event["task_id"]) == ("li", "which-1")
    update = {**CARD, "main_title": {"title": "看的是李女士"}, "replace_text": "已选"}
    await client.update_template_card(pressed, update, [MANAGER])
    assert shown.text == "看的是李女士"
    assert shown.buttons == {}


async def test_it_may_speak_unasked_to_those_who_spoke_before(
    client: WSClient, world: World
) -> None:
    words = {"msgtype": "markdown", "markdown": {"content": "**今天** 三件事"}, "chat_type": 1}
    with pytest.raises(RuntimeError, match="93006"):
        await client.send_message(MANAGER, words)
    await _next(client, "message.text", lambda: aibot_people.says(world, BOT, MANAGER, "你好"))
    await client.send_message(MANAGER, words)
    assert [item.text for item in world.deliveries.select("aibot")] == ["**今天** 三件事"]


async def test_a_file_goes_up_in_chunks(client: WSClient, world: World) -> None:
    await _next(client, "message.text", lambda: aibot_people.says(world, BOT, MANAGER, "你好"))
    data = b"%PDF" + bytes(range(256)) * 3000  # two chunks
    pieces = [data[: 512 * 1024], data[512 * 1024 :]]
    begin = {
        "type": "file",
        "filename": "产品手册.pdf",
        "total_size": len(data),
        "total_chunks": 2,
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
    }

    async def call(cmd: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"headers": {"req_id": generate_req_id(cmd)}}
        answer: dict[str, Any] = await client.reply(headers, body, cmd)
        return answer.get("body", {})

    upload_id = (await call("aibot_upload_media_init", begin))["upload_id"]
    for index in (1, 0, 1):
        piece = base64.b64encode(pieces[index]).decode()
        chunk = {"upload_id": upload_id, "chunk_index": index, "base64_data": piece}
        await call("aibot_upload_media_chunk", chunk)
    media = await call("aibot_upload_media_finish", {"upload_id": upload_id})
    await client.send_message(
        MANAGER, {"msgtype": "file", "file": {"media_id": media["media_id"]}, "chat_type": 1}
    )
    assert world.deliveries.select("aibot")[-1].text == "[file] 产品手册.pdf"
    assert world.media.get(media["media_id"]).data == data


async def test_a_picture_is_fetched_and_unlocked(client: WSClient, world: World) -> None:
    frame = await _next(
        client,
        "message.image",
        lambda: aibot_people.sends(world, BOT, MANAGER, "image", "截图.png", PNG),
    )
    image = frame["body"]["image"]
    data, name = await client.download_file(image["url"], image["aeskey"])
    assert (data, name) == (PNG, "截图.png")


async def test_a_second_connection_ends_the_first(
    client: WSClient, world: World, server: EmulatorServer
) -> None:
    second = _client(server)
    frame = await _next(
        client, "event.disconnected_event", lambda: asyncio.ensure_future(second.connect())
    )
    assert frame["body"]["event"]["eventtype"] == "disconnected_event"
    told = await _next(
        second, "message.text", lambda: aibot_people.says(world, BOT, MANAGER, "还在吗")
    )
    assert told["body"]["text"]["content"] == "还在吗"
    await _hang_up(second)


async def test_a_wrong_secret_is_told(
    world: World, server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aibot_ws, "_SSL_CONTEXT", None)
    world.aibots.add(AiBot(BOT, SECRET))
    client = _client(server, "wrong")
    refused: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    client.once("error", refused.set_result)
    await client.connect()
    assert "40001" in str(await asyncio.wait_for(refused, 5))
    await _hang_up(client)
