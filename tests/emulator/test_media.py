"""Uploads, downloads, three days, and pictures for good."""

import io
from typing import Any

import aiohttp
import pytest

from bot.clock import FakeClock
from bot.emulator.world import World

from .conftest import Api

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
MP4 = b"\x00\x00\x00\x18ftypmp42" + b"0" * 64
AMR = b"#!AMR\n" + b"0" * 64


async def upload(
    api: Api, path: str, data: bytes, *, part: str = "media", name: str = "图.png", **params: str
) -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field(part, io.BytesIO(data), filename=name, content_type="image/png")
    url = f"{api.base_url}/cgi-bin/{path}"
    query = {"access_token": api.token, **params}
    async with api.session.post(url, params=query, data=form) as answer:
        assert answer.status == 200
        result: dict[str, Any] = await answer.json()
        return result


async def test_a_file_comes_back_for_three_days(api: Api, clock: FakeClock, world: World) -> None:
    answer = await upload(api, "media/upload", PNG, type="image")
    assert answer["type"] == "image"
    assert answer["created_at"] == str(int(clock.now().timestamp()))
    url = f"{api.base_url}/cgi-bin/media/get"
    query = {"access_token": api.token, "media_id": answer["media_id"]}
    async with api.session.get(url, params=query) as got:
        assert await got.read() == PNG
        assert "attachment" in got.headers["Content-Disposition"]
        assert got.content_type == "image/png"
    assert world.media.holds(answer["media_id"], "image")
    assert not world.media.holds(answer["media_id"], "video")
    clock.advance(days=3)
    await api.gettoken()
    assert (await api.get("media/get", media_id=answer["media_id"]))["errcode"] == 40007
    assert not world.media.holds(answer["media_id"], "image")


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("image", PNG, 0),
        ("voice", AMR, 0),
        ("video", MP4, 0),
        ("file", b"123456", 0),
        ("file", b"12345", 40006),
        ("file", b"", 44001),
        ("image", b"GIF89a-not-allowed", 40123),
        ("voice", b"not an amr file", 40004),
        ("voice", AMR + b"0" * (2 * 1024 * 1024), 45001),
        ("music", b"123456", 40005),
    ],
)
async def test_what_may_be_uploaded(api: Api, kind: str, data: bytes, code: int) -> None:
    assert (await upload(api, "media/upload", data, type=kind))["errcode"] == code


async def test_the_part_must_be_named_media(api: Api) -> None:
    assert (await upload(api, "media/upload", PNG, part="file", type="image"))["errcode"] == 41006
    assert (await api.post("media/upload", {}, type="image"))["errcode"] == 41006


async def test_a_picture_for_good_has_an_address(api: Api, world: World, clock: FakeClock) -> None:
    url = (await upload(api, "media/uploadimg", PNG))["url"]
    clock.advance(days=40)
    assert world.media.picture(url) == PNG
    assert world.media.picture("http://p.qpic.cn/pic_wework/none/0") is None
    async with api.session.get(f"{api.base_url}/emulator/picture", params={"url": url}) as got:
        assert await got.read() == PNG


async def test_an_attachment_names_its_scene(api: Api, world: World) -> None:
    params = {"media_type": "image", "attachment_type": "1"}
    media_id = (await upload(api, "media/upload_attachment", PNG, **params))["media_id"]
    assert world.media.get(media_id).scene == 1
    bad = {"media_type": "image", "attachment_type": "9"}
    assert (await upload(api, "media/upload_attachment", PNG, **bad))["errcode"] == 40058
