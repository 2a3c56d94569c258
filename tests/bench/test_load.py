"""The generator and the receivers that the callback measure stands on."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web

from bot.bench.callbacks import _judged
from bot.bench.load import Order, generate, sign
from bot.front import listening
from bot.wecom.crypto import CallbackCrypto, open_envelope, parse_xml

TOKEN, AES_KEY, CORP = "BenchToken", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "ww1"


def order(url: str, **more) -> Order:
    usual = {
        "corp_id": CORP,
        "token": TOKEN,
        "aes_key": AES_KEY,
        "count": 40,
        "seconds": 10.0,
        "connections": 4,
        "rate": 0.0,
        "doorbell": {},
    }
    return Order(urls=(url,), **(usual | more))


def test_every_request_is_a_different_callback_that_wecom_could_have_sent():
    doorbell = {"Token": "ENC1", "OpenKfId": "wk1"}
    requests = sign(order("http://127.0.0.1:1/wecom/callback", doorbell=doorbell))
    crypto = CallbackCrypto(TOKEN, AES_KEY, CORP)
    plains = set()
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        target = head.split()[1].decode()
        query = dict(parse_qsl(urlsplit(target).query))
        plains.add(open_envelope(body, query, crypto, datetime.now(UTC)))
    assert len(plains) == len(requests) == 40
    events = [parse_xml(plain).get("Event") for plain in plains]
    assert events.count("kf_msg_or_event") == 20


async def _received(answer_with: int, **more) -> tuple[dict, list[bytes]]:
    bodies = []

    async def receive(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=answer_with, text="body")

    application = web.Application()
    application.add_routes([web.post("/wecom/callback", receive)])
    async with listening(application, "127.0.0.1", 0) as address:
        [report] = await generate(order(address + "/wecom/callback", **more))
    return report, bodies


async def test_the_closed_loop_posts_everything_once_and_times_each_answer():
    report, bodies = await _received(200)
    assert report["posted"] == report["accepted"] == len(set(bodies)) == 40
    assert len(report["latencies_ms"]) == 40
    assert min(report["latencies_ms"]) > 0


async def test_addresses_take_turns_and_get_the_same_requests_in_each() -> None:
    seen: list[tuple[str, bytes]] = []

    def receiver(name: str) -> web.Application:
        async def receive(request: web.Request) -> web.Response:
            seen.append((name, await request.read()))
            return web.Response()

        application = web.Application()
        application.add_routes([web.post("/wecom/callback", receive)])
        return application

    async with (
        listening(receiver("a"), "127.0.0.1", 0) as one,
        listening(receiver("b"), "127.0.0.1", 0) as other,
    ):
        urls = (one + "/wecom/callback", other + "/wecom/callback")
        reports = await generate(replace(order("", count=3, connections=1, turns=2), urls=urls))
    assert [report["accepted"] for report in reports] == [3] * 4
    assert [name for name, _ in seen] == list("aaabbbaaabbb")
    bodies = [body for _, body in seen]
    assert bodies[:3] == bodies[3:6] != bodies[6:9] == bodies[9:]


async def test_refusals_are_counted_and_not_timed():
    report, _ = await _received(403)
    assert report["refused"] == 40
    assert report["latencies_ms"] == []


async def test_the_open_loop_keeps_its_rate():
    report, _ = await _received(200, rate=100.0)
    assert report["accepted"] == 40
    assert report["seconds"] >= 0.39


async def test_a_receiver_that_is_slow_is_timed_from_the_moment_a_request_was_due():
    async def receive(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(0.02)
        return web.Response()

    application = web.Application()
    application.add_routes([web.post("/wecom/callback", receive)])
    async with listening(application, "127.0.0.1", 0) as address:
        slow = order(address + "/wecom/callback", rate=1000.0, count=20, connections=1)
        [report] = await generate(slow)
    # Twenty were due within 20 ms, one line answers each in 20 ms: the last waited for the rest.
    assert max(report["latencies_ms"]) > 300


def test_the_door_is_judged_by_the_median_of_the_turns() -> None:
    def turns(*per_s: int) -> list[dict]:
        return [{"accepted": n, "seconds": 1.0, "refused": 0} for n in per_s]

    good = _judged(turns(5000, 1000, 4000), turns(4500, 1100, 3100))
    assert (good["ratio"], good["endpoint_per_s"], good["met"]) == (0.9, 3100, True)
    assert not _judged(turns(5000, 5000, 5000), turns(3900, 3900, 5000))["met"], "the ratio"
    assert not _judged(turns(3800, 3800, 3800), turns(2990, 3100, 2990))["met"], "the count"
    assert _judged(turns(3000, 3000), turns(2500, 2500))["bar_per_s"] is None


def test_a_refused_callback_is_no_measure() -> None:
    with pytest.raises(RuntimeError, match="refused 1"):
        _judged([{"accepted": 1, "seconds": 1.0, "refused": 1}], [])
