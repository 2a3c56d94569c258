"""What is not WeCom's is refused at the door: cheaply, always the same, without a trace."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

from bot.channels import callback
from bot.channels.callback import PATH
from bot.emulator.callbacks import render_xml
from bot.wecom.crypto import MAX_BODY_BYTES, CallbackCrypto
from tests.channels.door import CORP, KEYS, NOW, STRANGER, Door, Post, head, locked, sealed
from tests.channels.door import door as door
from tests.make import NOON

COMMON = {"ToUserName": CORP, "FromUserName": "li", "CreateTime": 1700000000}
HELLO = COMMON | {"MsgType": "text", "Content": "您好", "MsgId": "77", "AgentID": 1}


@pytest.mark.parametrize("seconds", [-3601, 3601])
async def test_what_is_older_or_newer_than_the_window_is_refused(door: Door, seconds: int) -> None:
    moment = int(NOON.timestamp()) + seconds
    assert (await door.post(sealed(render_xml(HELLO), at=moment)))[0] == 403
    assert (await door.post(sealed(render_xml(HELLO), at=moment - seconds)))[0] == 200


async def test_every_refusal_looks_the_same(door: Door) -> None:
    good = sealed(render_xml(HELLO))
    forged = Post(good.body, good.query | {"msg_signature": "0" * 40})
    other = CallbackCrypto(*KEYS["now"], "ww_other")
    content = os.urandom(16) + (1).to_bytes(4, "big") + b"x" + CORP.encode()
    refused = [
        forged,
        Post(good.body, {}),
        Post(b"", good.query),
        sealed(render_xml(HELLO), other),
        locked(b"short"),
        *(locked(os.urandom(64)) for _ in range(8)),
        locked(NOW._cipher.encrypt(content.ljust(64, b"\x21"))),  # padding
        locked(NOW._cipher.encrypt(content.ljust(63, b"p") + b"\x01")),  # length and receiver
        sealed(render_xml(HELLO), at=1),
    ]
    seen = set()
    for post in refused:
        url = door.address + PATH
        async with door.session.post(url, params=post.query, data=post.body) as answer:
            headers = {k: v for k, v in answer.headers.items() if k != "Date"}
            seen.add((answer.status, await answer.read(), json.dumps(headers)))
    assert len(seen) == 1
    assert await door.stored() == []


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_body_of_64_kib_is_read_and_one_byte_more_is_not(door: Door, chunked: bool) -> None:
    async def pieces(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 5000):
            yield body[start : start + 5000]

    post = sealed(render_xml(HELLO))
    for size, expected in ((MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413), (900_000, 413)):
        body = post.body.ljust(size)
        data = pieces(body) if chunked else body
        url = door.address + PATH
        async with door.session.post(url, params=post.query, data=data) as answer:
            assert answer.status == expected


async def test_a_decompressed_body_counts_as_it_is(door: Door) -> None:
    post = sealed(render_xml(HELLO))
    post.body = gzip.compress(post.body.ljust(5_000_000))
    assert (await door.post(post, headers={"Content-Encoding": "gzip"}))[0] == 413


async def test_nothing_is_unlocked_or_parsed_before_the_signature_is_right(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("touched what a stranger sent")

    monkeypatch.setattr(CallbackCrypto, "decrypt", never)
    monkeypatch.setattr(callback, "_notice", never)
    monkeypatch.setattr(callback, "_json_notice", never)
    post = sealed(render_xml(HELLO), STRANGER)
    deep = b"[" * 30_000 + b'{"encrypt":"AAAA"}' + b"]" * 30_000
    assert (await door.post(post))[0] == 403
    assert (await door.post(Post(deep, post.query), "/aibot"))[0] == 403


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("msg_signature", "é" * 40),
        ("msg_signature", "\udcff" * 40),
        ("msg_signature", "a" * 4000),
        ("timestamp", "１４０９６５９８１３"),
        ("timestamp", "9" * 13),
        ("timestamp", "-1"),
        ("nonce", "\x00"),
        ("nonce", "n" * 4000),
    ],
)
async def test_odd_query_values_are_refused(door: Door, name: str, value: str) -> None:
    post = sealed(render_xml(HELLO))
    length = f"Content-Length: {len(post.body)}"
    answer = await door.raw(head(post.query | {name: value}, length) + post.body)
    assert answer.split()[1] == b"403"
    assert await door.stored() == []


async def test_a_doubled_parameter_is_no_way_round_the_signature(door: Door) -> None:
    good, bad = sealed(render_xml(HELLO)), {"msg_signature": "0" * 40}
    for first, second in ((good.query, bad), (bad, good.query)):
        url = f"{door.address}{PATH}?{urlencode(first)}&{urlencode(second)}&timestamp=1"
        async with door.session.post(url, data=good.body) as answer:
            assert answer.status == (200 if first is good.query else 403)


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "x", ""])
async def test_the_content_type_means_nothing(door: Door, kind: str) -> None:
    post = sealed(render_xml(HELLO))
    assert (await door.post(post, headers={"Content-Type": kind}))[0] == 200


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (("Content-Length: 5000",), b"<xml><Encrypt>"),
        (("Transfer-Encoding: chunked",), b"5\r\n<xml>\r\n"),
        (("Transfer-Encoding: chunked",), b"zz\r\n<xml>\r\n0\r\n\r\n"),
        (("Content-Encoding: gzip", "Content-Length: 5"), b"<xml>"),
        (("Content-Encoding: deflate", "Content-Length: 5"), b"<xml>"),
        (("Content-Length: 5", "Content-Length: 6"), b"<xml>"),
        (("Content-Length: -5",), b"<xml>"),
    ],
)
async def test_a_body_cut_or_garbled_on_its_way_fails_nothing(
    door: Door, lines: tuple[str, ...], body: bytes
) -> None:
    with capture_logs() as logs:
        answer = await door.raw(head(sealed("x").query, *lines) + body, end=True)
    assert not answer or 400 <= int(answer.split()[1]) < 500
    assert {entry["log_level"] for entry in logs} <= {"warning"}
    assert (await door.post(sealed(render_xml(HELLO))))[0] == 200


async def test_who_sends_a_body_too_slowly_is_not_waited_for(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback, "_BODY_WITHIN_S", 0.05)
    answer = await door.raw(head(sealed("x").query, "Content-Length: 500") + b"<xml>")
    assert answer.split()[1] == b"408"


async def test_however_many_come_the_log_says_it_once_a_second(door: Door) -> None:
    with capture_logs() as logs:
        for _ in range(20):
            await door.post(sealed("x", STRANGER))
    assert 1 <= len(logs) <= 3
    assert {(entry["event"], entry["reason"]) for entry in logs} == {
        ("callback_rejected", "signature")
    }
