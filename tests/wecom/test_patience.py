"""What the client does by itself when WeCom is crowded, refuses for too many calls, or a token."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import Retryable, WeComError
from bot.wecom.client import WeComClient
from tests.wecom.conftest import CORP, SECRET

CROWDED = {"errcode": 45033, "errmsg": "too many at once"}
BUSY = {"errcode": -1, "errmsg": "system busy"}


class Counter:
    """Counts calls; an API in ``resting`` has no room."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.refusals: list[str] = []
        self.resting: set[str] = set()

    async def take(self, api: str) -> None:
        if api in self.resting:
            raise Retryable("wecom_45009", 60)
        self.taken.append(api)

    async def refused(self, api: str) -> None:
        self.refusals.append(api)
        self.resting.add(api)


@pytest.fixture
async def rates():
    return Counter()


@pytest.fixture
async def patient(wire, tokens, clock, rates):
    client = WeComClient(
        wire.base, CORP, SECRET, tokens, clock, rates=rates, quick_pauses_s=(0.0, 0.0)
    )
    yield client
    await client.close()


@pytest.mark.parametrize("moment", [CROWDED, BUSY])
async def test_a_question_is_asked_three_times_while_wecom_is_crowded(wire, patient, moment):
    wire.put("user/get", moment, moment, {"name": "张三"})
    assert (await patient.get("user/get"))["name"] == "张三"
    assert wire.count("user/get") == 3
    wire.put("kf/sync_msg", moment)
    with pytest.raises(WeComError):
        await patient.post("kf/sync_msg", {})
    assert wire.count("kf/sync_msg") == 3


async def test_what_does_something_is_called_once_only(wire, patient):
    wire.put("externalcontact/add_msg_template", BUSY)
    with pytest.raises(WeComError):
        await patient.post("externalcontact/add_msg_template", {})
    assert wire.count("externalcontact/add_msg_template") == 1


async def test_every_call_is_counted_and_an_api_that_rests_is_not_called(wire, patient, rates):
    wire.put("user/list", {"errcode": 45009, "errmsg": "api freq out of limit"})
    with pytest.raises(WeComError) as refused:
        await patient.get("user/list")
    assert refused.value.errcode == 45009
    with pytest.raises(Retryable) as resting:
        await patient.get("user/list")
    assert (resting.value.reason, resting.value.may_have_arrived) == ("wecom_45009", False)
    assert wire.count("user/list") == 1
    await patient.get("user/get")
    assert rates.taken == ["user/list", "user/get"]
    assert rates.refusals == ["user/list"]


async def test_tokens_that_are_refused_again_and_again_are_not_renewed_in_a_storm(
    wire, client, clock
):
    wire.put("a", {"errcode": 40014, "errmsg": "invalid access_token"})
    for _ in range(20):
        with pytest.raises(WeComError):
            await client.get("a")
    assert wire.count("gettoken") == 2
    clock.advance(seconds=11)
    with pytest.raises(WeComError):
        await client.get("a")
    assert wire.count("gettoken") == 3


async def test_whoever_waits_for_another_process_takes_the_token_it_was_given(
    wire, client, tokens, clock
):
    key = client._token._key
    assert await tokens.claim(key)  # another process is asking WeCom
    waiting = asyncio.create_task(client.get("a"))
    await asyncio.sleep(0)
    wire.valid.add("theirs")
    await tokens.write(key, "theirs", clock.now().replace(hour=23))
    await waiting
    assert wire.count("gettoken") == 0
    assert wire.queries("a") == [{"access_token": "theirs"}]
