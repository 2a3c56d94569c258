"""Faults on order and the settings: each by HTTP, each with what a bot sees of it."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from bot.clock import FakeClock
from bot.emulator.server import serve_emulator
from bot.emulator.world import World

from .conftest import AGENT, KF, LI, MANAGER, Api, Receiver


async def names(world: World, receiver: Receiver) -> list[object]:
    await world.callbacks.flush()
    return [item["Content"] for item in receiver.take()]


def say(world: World, *words: str) -> None:
    for word in words:
        world.app_messages.member_says(MANAGER, AGENT, word)


async def test_a_lost_callback_never_comes(api: Api, world: World, receiver: Receiver) -> None:
    await api.steer("faults", {"api": "app", "kind": "lost"})
    say(world, "一", "二")
    assert await names(world, receiver) == ["二"]
    lost = (await api.control("callbacks/lost"))["lost"]
    assert len(lost) == 1
    assert "<Content><![CDATA[一]]></Content>" in lost[0]


async def test_a_late_callback_comes_when_its_time_is_over(
    api: Api, world: World, receiver: Receiver, clock: FakeClock
) -> None:
    await api.steer("faults", {"api": "app", "kind": "late", "seconds": 30})
    say(world, "一", "二")
    assert await names(world, receiver) == ["二"]
    clock.advance(seconds=29)
    assert await names(world, receiver) == []
    clock.advance(seconds=1)
    assert await names(world, receiver) == ["一"]


async def test_a_callback_may_come_behind_the_one_that_follows(
    api: Api, world: World, receiver: Receiver
) -> None:
    await api.steer("faults", {"api": "app", "kind": "reorder"})
    say(world, "一", "二", "三")
    assert await names(world, receiver) == ["二", "一", "三"]
    await api.steer("faults", {"api": "app", "kind": "duplicate"})
    say(world, "四")
    assert await names(world, receiver) == ["四", "四"]


async def test_a_served_world_does_by_itself_what_is_due(
    world: World, receiver: Receiver, clock: FakeClock
) -> None:
    world.faults.plan("app", "late", seconds=30)
    async with serve_emulator(world):
        say(world, "一")
        await asyncio.sleep(0)
        assert receiver.received == []
        clock.advance(seconds=30)
        await asyncio.wait_for(receiver.arrived.wait(), 5)
    assert [item["Content"] for item in receiver.received] == ["一"]


async def test_too_many_calls_close_an_api_for_the_window(
    api: Api, world: World, clock: FakeClock
) -> None:
    order = {"api": "kf/account/list", "kind": "rate_limited", "seconds": 120}
    await api.steer("faults", order)
    codes = [await api.code("kf/account/list", {}) for _ in range(2)]
    assert codes == [45009, 45009]
    assert await api.code("kf/sync_msg", {"open_kfid": KF}) == 0
    clock.advance(seconds=120)
    assert await api.code("kf/account/list", {}) == 0


async def test_too_many_calls_at_once_are_refused(api: Api, world: World) -> None:
    world.limits.api_at_once = 2
    world.faults.plan("kf/account/list", "slow", times=2, seconds=0.3)
    codes = await asyncio.gather(*(api.code("kf/account/list", {}) for _ in range(3)))
    assert sorted(codes) == [0, 0, 45033]
    assert await api.code("kf/account/list", {}) == 0


@pytest.mark.parametrize("errcode", [-1, 45009, 45033, 60020, 48007, 41063, 95018, 50100])
async def test_any_code_can_be_ordered(api: Api, errcode: int) -> None:
    order = {"api": "*", "kind": "errcode", "errcode": errcode}
    await api.steer("faults", order)
    listed = (await api.control("faults"))["faults"]
    assert [(item["kind"], item["errcode"], item["left"]) for item in listed] == [
        ("errcode", errcode, 1)
    ]
    answer = await api.post("kf/account/list", {})
    assert answer["errcode"] == errcode
    assert ("from ip: 127.0.0.1, hint" in answer["errmsg"]) == (errcode == 60020)
    assert await api.code("kf/account/list", {}) == 0


async def test_a_lost_answer_was_an_answer_all_the_same(api: Api, world: World) -> None:
    world.kf.customer_says(KF, LI, "您好")
    await api.steer("faults", {"api": "kf/send_msg", "kind": "lost_answer"})
    body = {"touser": LI, "open_kfid": KF, "msgtype": "text", "text": {"content": "好"}}
    with pytest.raises(aiohttp.ClientError):
        await api.post("kf/send_msg", {**body, "msgid": "m1"})
    assert len(world.deliveries) == 1
    assert await api.code("kf/send_msg", {**body, "msgid": "m1"}) == 40058


async def test_tokens_are_withdrawn_and_wrong_secrets_close_an_address(
    api: Api, world: World, clock: FakeClock
) -> None:
    await api.steer("tokens/withdraw", {"errcode": 40014})
    assert await api.code("kf/account/list", {}) == 40014
    await api.gettoken()
    assert await api.code("kf/account/list", {}) == 0
    world.limits.bad_secrets_per_hour = 2
    codes = [(await api.gettoken(secret="wrong"))["errcode"] for _ in range(4)]
    assert codes == [40001, 40001, 40001, 45009]
    assert (await api.gettoken())["errcode"] == 45009
    clock.advance(hours=1)
    assert (await api.gettoken())["errcode"] == 0


async def test_settings_are_shown_and_set_all_or_none(api: Api, world: World) -> None:
    shown = (await api.control("settings"))["settings"]
    assert shown["assumed.repeated_kf_msgid"] == 40058
    assert shown["limits.member_per_minute"] == 30
    wrong = {"limits.member_per_minute": 5, "callbacks.parallel": "many"}
    assert (await api.control("settings", {"settings": wrong}))["errcode"] == 40058
    assert world.limits.member_per_minute == 30
    for wrong in ({"callbacks.parallel": 0}, {"limits.member_per_hour": -1}):
        assert (await api.control("settings", {"settings": wrong}))["errcode"] == 40058
    right = {"limits.member_per_minute": 5, "callbacks.pause_s": 1, "corp.verified": False}
    await api.steer("settings", {"settings": right})
    assert (world.limits.member_per_minute, world.callbacks.pause_s) == (5, 1.0)
    assert world.verified is False


async def test_an_app_is_stopped_and_its_addresses_are_set(api: Api) -> None:
    await api.steer("app/console", {"agent_id": AGENT, "allowed_ips": ["10.0.0.1"]})
    assert await api.code("kf/account/list", {}) == 60020
    await api.steer("app/console", {"agent_id": AGENT, "allowed_ips": []})
    assert await api.code("kf/account/list", {}) == 0
    await api.steer("app/console", {"agent_id": AGENT, "enabled": False})
    assert await api.code("kf/account/list", {}) == 50003
