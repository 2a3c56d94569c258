"""gettoken, the check of the token on every call, and the shape of errors."""

import io
import re
import time

import pytest

from bot.clock import FakeClock
from bot.emulator.world import App, World

from .conftest import AGENT, CORP, KF, SECRET, Api


async def test_a_token_stays_the_same_while_it_is_good(api: Api, clock: FakeClock) -> None:
    first = await api.gettoken()
    assert (first["errcode"], first["expires_in"]) == (0, 7200)
    assert len(first["access_token"]) <= 512
    clock.advance(seconds=7199)
    assert (await api.gettoken())["access_token"] == first["access_token"]
    clock.advance(seconds=1)
    assert (await api.gettoken())["access_token"] != first["access_token"]


@pytest.mark.parametrize(
    ("corp", "secret", "code"),
    [
        ("", SECRET, 41002),
        (CORP, "", 41004),
        ("wwother", SECRET, 40013),
        (CORP, "wrong", 40001),
    ],
)
async def test_gettoken_says_what_is_wrong(api: Api, corp: str, secret: str, code: int) -> None:
    assert (await api.gettoken(corp, secret))["errcode"] == code


async def test_a_stopped_app_gets_no_token(api: Api, world: World) -> None:
    world.add_app(App(7, "stopped", enabled=False))
    assert (await api.gettoken(secret="stopped"))["errcode"] == 50003


async def test_unknown_missing_and_expired_tokens_have_their_own_codes(
    api: Api, clock: FakeClock
) -> None:
    good = api.token
    assert await api.code("kf/account/list", {}) == 0
    api.token = "made-up"
    assert await api.code("kf/account/list", {}) == 40014
    api.token = ""
    assert await api.code("kf/account/list", {}) == 41001
    api.token = good
    clock.advance(hours=2)
    assert await api.code("kf/account/list", {}) == 42001


async def test_a_token_withdrawn_early_is_replaced_by_the_next_gettoken(
    api: Api, world: World
) -> None:
    old = api.token
    world.faults.plan("kf/account/list", "token_expiry")
    assert await api.code("kf/account/list", {}) == 42001
    assert await api.code("kf/account/list", {}) == 42001
    await api.gettoken()
    assert api.token != old
    assert await api.code("kf/account/list", {}) == 0
    world.tokens.withdraw_all()
    assert await api.code("kf/account/list", {}) == 40014


async def test_an_error_has_wecoms_shape(api: Api) -> None:
    answer = await api.post("kf/service_state/get", {"open_kfid": "wkNONE", "external_userid": "x"})
    assert answer["errcode"] == 40096
    assert re.fullmatch(
        r"invalid external userid, hint: \[\d+_\d+_[0-9a-f]{32}\], from ip: 127\.0\.0\.1, "
        r"more info at https://open\.work\.weixin\.qq\.com/devtool/query\?e=40096",
        answer["errmsg"],
    )


async def test_wrong_method_bad_json_and_unknown_paths(api: Api) -> None:
    assert (await api.get("kf/account/add"))["errcode"] == 40063
    assert await api.code("kf/account/list", ["not", "an", "object"]) == 40058
    url = f"{api.base_url}/cgi-bin/kf/send_msg"
    params = {"access_token": api.token}
    for data, code in ((b"{broken", 40058), (b'{"touser":"\\ud800"}', 40033), (b"[" * 9999, 40058)):
        async with api.session.post(url, params=params, data=data) as answer:
            assert (await answer.json())["errcode"] == code
    big = io.BytesIO(b"x" * (3 * 1024 * 1024))
    async with api.session.post(url, params=params, data=big) as answer:
        assert (await answer.json())["errcode"] == 40206
    async with api.session.get(f"{api.base_url}/cgi-bin/no/such/api") as answer:
        assert answer.status == 404


async def test_a_caller_from_a_strange_address_is_refused(api: Api, world: World) -> None:
    world.add_app(App(AGENT, SECRET, allowed_ips=frozenset({"10.0.0.1"})))
    answer = await api.post("kf/account/list", {})
    assert answer["errcode"] == 60020
    assert answer["errmsg"].startswith("not allow to access from your ip, from ip: 127.0.0.1")


async def test_faults_hit_the_next_calls_of_one_api_only(api: Api, world: World) -> None:
    order = {"api": "kf/sync_msg", "kind": "errcode", "errcode": -1, "times": 2}
    assert (await api.control("faults", order))["errcode"] == 0
    sync = {"open_kfid": KF}
    assert await api.code("kf/account/list", {}) == 0
    assert [await api.code("kf/sync_msg", sync) for _ in range(3)] == [-1, -1, 0]
    assert world.faults.orders == []
    assert (await api.control("faults", {**order, "errcode": 12345}))["errcode"] == 40058
    assert (await api.control("faults", {**order, "kind": "flood"}))["errcode"] == 40058


async def test_a_slow_call_takes_its_time(api: Api, world: World) -> None:
    world.faults.plan("kf/account/list", "slow", seconds=0.2)
    began = time.perf_counter()
    assert await api.code("kf/account/list", {}) == 0
    assert time.perf_counter() - began >= 0.2


async def test_too_many_calls_of_an_api_close_it_for_a_minute(
    api: Api, world: World, clock: FakeClock
) -> None:
    world.limits.api_per_minute = 3
    codes = [await api.code("kf/account/list", {}) for _ in range(4)]
    assert codes == [0, 0, 0, 45009]
    clock.advance(seconds=59)
    assert await api.code("kf/account/list", {}) == 45009
    clock.advance(seconds=1)
    assert await api.code("kf/account/list", {}) == 0
