"""The message push into an internal group: types, limits, and a robot that is gone."""

from __future__ import annotations

import base64
import hashlib

import aiohttp
import pytest

from bot.clock import FakeClock
from bot.emulator.world import World
from tests.emulator.conftest import Api

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32
MD5 = hashlib.md5(PNG, usedforsecurity=False).hexdigest()
NOTICE = {
    "card_type": "text_notice",
    "main_title": {"title": "早报"},
    "card_action": {"type": 1, "url": "https://bank.example"},
}


async def send(api: Api, msgtype: str, content: object, key: str = "k1") -> int:
    body = {"msgtype": msgtype, msgtype: content}
    return int((await api.post("webhook/send", body, key=key))["errcode"])


@pytest.mark.parametrize(
    ("msgtype", "content", "code"),
    [
        ("text", {"content": "早", "mentioned_list": ["@all"]}, 0),
        ("text", {"content": "长" * 700}, 44004),
        ("markdown", {"content": "**早** <@zhangsan>"}, 0),
        ("markdown", {"content": "长" * 1400}, 40058),
        ("markdown_v2", {"content": "|a|b|"}, 0),
        ("image", {"base64": base64.b64encode(PNG).decode(), "md5": MD5}, 0),
        ("image", {"base64": base64.b64encode(PNG).decode(), "md5": "0"}, 40058),
        ("image", {"base64": base64.b64encode(b"GIF89a0000").decode(), "md5": "0"}, 40123),
        ("news", {"articles": [{"title": "题", "url": "https://b"}]}, 0),
        ("news", {"articles": [{"title": "题", "url": "https://b"}] * 9}, 45008),
        ("template_card", NOTICE, 0),
        ("template_card", NOTICE | {"card_type": "button_interaction"}, 42031),
        ("file", {"media_id": "3unknown"}, 40007),
        ("video", {"media_id": "3unknown"}, 40008),
    ],
)
async def test_types_and_their_limits(
    api: Api, world: World, msgtype: str, content: object, code: int
) -> None:
    world.webhooks.add("k1", "wrk1")
    assert await send(api, msgtype, content) == code
    assert len(world.deliveries.select("webhook", "wrk1")) == (code == 0)


async def test_a_file_is_for_the_webhook_it_was_uploaded_for(api: Api, world: World) -> None:
    for key in ("k1", "k2"):
        world.webhooks.add(key, key)
    form = aiohttp.FormData()
    form.add_field("media", b"%PDF-1.4 words", filename="早报.pdf")
    url = f"{api.base_url}/cgi-bin/webhook/upload_media"
    async with api.session.post(url, params={"key": "k1", "type": "file"}, data=form) as answer:
        media_id = (await answer.json())["media_id"]
    assert await send(api, "file", {"media_id": media_id}) == 0
    assert await send(api, "file", {"media_id": media_id}, "k2") == 40007


async def test_twenty_a_minute(api: Api, world: World, clock: FakeClock) -> None:
    world.webhooks.add("k1", "wrk1")
    codes = [await send(api, "text", {"content": "早"}) for _ in range(21)]
    assert codes == [0] * 20 + [45009]
    clock.advance(minutes=1)
    assert await send(api, "text", {"content": "早"}) == 0


async def test_a_robot_that_is_gone_stopped_or_expelled(api: Api, world: World) -> None:
    assert await send(api, "text", {"content": "早"}) == 93000
    for change, code in (
        ({"stopped": 1}, 93004),
        ({"expelled": 1}, 93008),
        ({"removed": 1}, 93000),
    ):
        await api.control("webhooks", {"key": "k1", "group": "wrk1", **change})
        assert await send(api, "text", {"content": "早"}) == code
    assert not world.deliveries.select("webhook")
