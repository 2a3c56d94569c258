"""AI bots of the local WeCom in webhook mode: streams that are asked after, late answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bot.clock import FakeClock
from bot.emulator import aibot_people
from bot.emulator.world import World
from bot.wecom.crypto import CallbackCrypto, open_echo, open_envelope
from tests.emulator.conftest import AES_KEY, MANAGER, TOKEN, Api
from tests.emulator.test_aibot import BOT, CARD, TEXT, stream


@dataclass
class Receiver:
    """A bot in webhook mode: answers each callback with what a test put there."""

    clock: FakeClock
    url: str = ""
    answers: dict[str, list[object]] = field(default_factory=dict)
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def get(self, request: web.Request) -> web.Response:
        return web.Response(text=open_echo(request.query, self.crypto(), self.clock.now()))

    async def post(self, request: web.Request) -> web.Response:
        plain = open_envelope(await request.read(), request.query, self.crypto(), self.clock.now())
        body = json.loads(plain)
        self.heard.append(body)
        waiting = self.answers.get(body["msgtype"], [])
        if not waiting:
            return web.Response()
        moment = str(int(self.clock.now().timestamp()))
        text = json.dumps(waiting.pop(0))
        encrypted, signature = self.crypto().encrypt(text, "n", moment)
        envelope = {"encrypt": encrypted, "msgsignature": signature, "timestamp": int(moment)}
        return web.json_response(envelope | {"nonce": "n"})

    def crypto(self) -> CallbackCrypto:
        return CallbackCrypto(TOKEN, AES_KEY, "")


@pytest.fixture
async def receiver(clock: FakeClock, world: World) -> AsyncIterator[Receiver]:
    receiver = Receiver(clock)
    app = web.Application()
    app.router.add_get("/bot", receiver.get)
    app.router.add_post("/bot", receiver.post)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/bot"
    yield receiver
    await world.bot_poster.close()
    await runner.cleanup()


@pytest.fixture
async def bot(receiver: Receiver, api: Api) -> Receiver:
    """Settle a bot in webhook mode by the control route, as another process does."""
    keys = {"token": TOKEN, "aes_key": AES_KEY, "url": receiver.url}
    settled = await api.control("aibots", {"bot_id": BOT, "mode": "webhook", **keys})
    assert settled["verified"] is True
    return receiver


async def test_a_stream_is_asked_after_each_second_until_it_is_finished(
    bot: Receiver, api: Api, world: World, clock: FakeClock
) -> None:
    bot.answers = {
        "text": [stream("正在查…")],
        "stream": [stream("20 万"), stream("20 万元起。", finish=True), stream("太晚")],
    }
    await api.control("aibots/say", {"bot_id": BOT, "userid": MANAGER, "text": "起存多少"})
    await api.control("aibots/flush", {})
    for _ in range(4):
        clock.advance(seconds=1)
        await world.bot_poster.flush()
    assert [one["msgtype"] for one in bot.heard] == ["text", "stream", "stream"]
    shown = (await api.control("aibots/shown", chat=MANAGER))["messages"]
    assert [one["frames"] for one in shown] == [["正在查…", "20 万", "20 万元起。"]]
    assert [item.text for item in world.deliveries.select("aibot")] == ["20 万元起。"]


async def test_after_six_minutes_a_stream_is_closed(
    bot: Receiver, world: World, clock: FakeClock
) -> None:
    bot.answers = {"text": [stream("正在查…")], "stream": [stream("正在查…")] * 400}
    aibot_people.says(world, BOT, MANAGER, "起存多少")
    await world.bot_poster.flush()
    for _ in range(12):
        clock.advance(seconds=30)
        await world.bot_poster.flush()
    asked = len(bot.heard)
    clock.advance(seconds=30)
    await world.bot_poster.flush()
    assert len(bot.heard) == asked
    assert world.aibots.seen_by(MANAGER)[0].expired


async def test_a_response_url_takes_one_answer_within_an_hour(
    bot: Receiver, world: World, api: Api, clock: FakeClock
) -> None:
    words = {"msgtype": "markdown", "markdown": {"content": "晚到的回答"}}
    told = aibot_people.says(world, BOT, MANAGER, "起存多少")
    late = aibot_people.says(world, BOT, MANAGER, "起存多少")
    code = str(told.body["response_url"]).split("=")[1]
    assert (await api.post("aibot/response", words, response_code=code))["errcode"] == 0
    assert (await api.post("aibot/response", words, response_code=code))["errcode"] == 60140
    clock.advance(hours=1)
    code = str(late.body["response_url"]).split("=")[1]
    assert (await api.post("aibot/response", words, response_code=code))["errcode"] == 60140
    assert [item.text for item in world.deliveries.select("aibot")] == ["晚到的回答"]


async def test_what_breaks_a_rule_shows_nothing(bot: Receiver, world: World) -> None:
    bot.answers = {"text": [TEXT, stream("长" * 7000), {"msgtype": "template_card"}]}
    for _ in range(3):
        aibot_people.says(world, BOT, MANAGER, "起存多少")
    await world.bot_poster.flush()
    assert world.aibots.seen_by(MANAGER) == []
    assert ["refused" in what for _, what in world.bot_poster.answers] == [True] * 3


async def test_a_card_of_the_bots_may_let_people_ask_on(bot: Receiver, world: World) -> None:
    bot.answers = {"text": [{"msgtype": "template_card", "template_card": CARD}]}
    aibot_people.says(world, BOT, MANAGER, "线索")
    await world.bot_poster.flush()
    assert [item.text for item in world.deliveries.select("aibot")] == ["线索"]


async def test_a_file_can_be_had_for_five_minutes(
    bot: Receiver, world: World, api: Api, clock: FakeClock
) -> None:
    told = aibot_people.sends(world, BOT, MANAGER, "file", "名单.txt", b"secret names")
    url = str(told.body["file"]["url"])  # type: ignore[index]
    async with api.session.get(url) as answer:
        assert answer.status == 200
        assert b"secret" not in await answer.read()
    clock.advance(minutes=5)
    async with api.session.get(url) as answer:
        assert answer.status == 403
