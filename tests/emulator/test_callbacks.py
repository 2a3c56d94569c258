"""Callbacks: encryption, the deadline, the three attempts, and what can go wrong on the way."""

import asyncio

import pytest

from bot.clock import FakeClock
from bot.emulator.callbacks import render_xml
from bot.emulator.server import serve_emulator
from bot.emulator.world import World
from bot.wecom.crypto import parse_xml

from .conftest import AES_KEY, CORP, KF, LI, TOKEN, Api, Receiver


def ring(world: World, **fields: object) -> None:
    world.ring("app", {"FromUserName": "sys", "MsgType": "event", **fields})


async def test_a_callback_arrives_signed_encrypted_and_once(
    world: World, receiver: Receiver, clock: FakeClock
) -> None:
    ring(world, Event="hello", Detail={"Item": ["一", "二]]>"]}, Count=3)
    await world.callbacks.flush()
    assert receiver.take() == [
        {
            "ToUserName": CORP,
            "CreateTime": str(int(clock.now().timestamp())),
            "FromUserName": "sys",
            "MsgType": "event",
            "Event": "hello",
            "Detail": {"Item": ["一", "二]]>"]},
            "Count": "3",
        }
    ]
    result = world.callbacks.results[-1]
    assert (result.accepted, result.attempts, result.status) == (True, 1, 200)


def test_strings_are_cdata_and_numbers_plain() -> None:
    assert render_xml({"A": "x", "N": 5}) == "<xml><A><![CDATA[x]]></A><N>5</N></xml>"
    assert parse_xml(render_xml({"A": "a]]>b"})) == {"A": "a]]>b"}


@pytest.mark.parametrize(
    ("statuses", "attempts", "accepted"),
    [([500], 2, True), ([500, 404], 3, True), ([500, 500, 503], 3, False), ([204], 2, True)],
)
async def test_anything_but_200_is_tried_three_times_in_all(
    world: World, receiver: Receiver, statuses: list[int], attempts: int, accepted: bool
) -> None:
    receiver.statuses = list(statuses)
    ring(world, Event="hello")
    await world.callbacks.flush()
    result = world.callbacks.results[-1]
    assert (receiver.attempts, result.attempts, result.accepted) == (attempts, attempts, accepted)
    assert len(receiver.received) == (1 if accepted else 0)


async def test_a_receiver_that_does_not_answer_in_time_is_asked_three_times(
    world: World, receiver: Receiver
) -> None:
    world.callbacks.answer_limit_s = 0.05
    receiver.hold = asyncio.Event()
    ring(world, Event="hello")
    await world.callbacks.flush()
    result = world.callbacks.results[-1]
    assert (result.attempts, result.status) == (3, 0)
    assert result.elapsed_ms >= 50


async def test_the_deadline_is_five_seconds_and_a_receiver_that_is_gone_costs_no_exception(
    world: World,
) -> None:
    assert (world.callbacks.answer_limit_s, world.callbacks.verify_limit_s) == (5.0, 1.0)
    world.callbacks.configure("app", "http://127.0.0.1:9/", TOKEN, AES_KEY)
    ring(world, Event="hello")
    await world.callbacks.flush()
    assert world.callbacks.results[-1].status == 0
    await world.callbacks.close()


async def test_callbacks_keep_their_order(world: World, receiver: Receiver) -> None:
    for number in range(20):
        ring(world, Event="hello", Number=number)
    await world.callbacks.flush()
    assert [item["Number"] for item in receiver.take()] == [str(n) for n in range(20)]


async def test_duplicates_and_disorder_on_order(world: World, receiver: Receiver) -> None:
    world.faults.plan("app", "duplicate")
    ring(world, Event="one")
    ring(world, Event="two")
    await world.callbacks.flush()
    assert [item["Event"] for item in receiver.take()] == ["one", "one", "two"]
    world.callbacks.shuffle = True
    for number in range(10):
        ring(world, Event="x", Number=number)
    await world.callbacks.flush()
    numbers = [str(item["Number"]) for item in receiver.take()]
    assert numbers != sorted(numbers)
    assert sorted(numbers) == [str(n) for n in range(10)]


async def test_a_module_without_a_configuration_uses_the_apps(
    world: World, receiver: Receiver
) -> None:
    world.ring("contact", {"Event": "change_external_contact"})
    await world.callbacks.flush()
    assert receiver.take()[0]["Event"] == "change_external_contact"
    world.callbacks.configs.clear()
    world.ring("contact", {"Event": "lost"})
    assert world.callbacks.waiting == 0


async def test_the_url_is_verified_by_an_echo_within_a_second(
    world: World, receiver: Receiver
) -> None:
    assert (await world.callbacks.verify_url("app")).accepted
    receiver.echo_suffix = "\n"
    assert (await world.callbacks.verify_url("app")).status == -1
    receiver.echo_suffix = ""
    receiver.hold = asyncio.Event()
    world.callbacks.verify_limit_s = 0.05
    assert (await world.callbacks.verify_url("app")).status == 0


async def test_a_live_server_posts_by_itself(world: World, receiver: Receiver) -> None:
    async with serve_emulator(world):
        world.kf.customer_says(KF, LI, "你好")
        await asyncio.wait_for(receiver.arrived.wait(), timeout=5)
    assert receiver.take()[0]["Event"] == "kf_msg_or_event"


async def test_a_bad_key_is_refused_when_it_is_set(api: Api, world: World) -> None:
    body = {"name": "kf", "url": "http://127.0.0.1:9/", "token": "t", "aes_key": "short"}
    assert (await api.control("callbacks/config", body))["errcode"] == 40058
    assert "kf" not in world.callbacks.configs


async def test_a_configuration_is_verified_when_it_is_saved(
    api: Api, world: World, receiver: Receiver
) -> None:
    body = {"name": "kf", "url": receiver.url, "token": TOKEN, "aes_key": AES_KEY}
    assert (await api.control("callbacks/config", body))["verified"] is True
    world.kf.customer_says(KF, LI, "您好")
    await world.callbacks.flush()
    assert world.callbacks.results[-1].config == "kf"


async def test_many_can_be_posted_at_once(world: World, receiver: Receiver) -> None:
    world.callbacks.parallel = 8
    for number in range(50):
        ring(world, Event="hello", Number=number)
    await world.callbacks.flush()
    assert len(receiver.take()) == 50
    assert {result.attempts for result in world.callbacks.results} == {1}
