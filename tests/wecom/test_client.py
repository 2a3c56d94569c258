import asyncio
import json
import socket
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from bot.errors import Retryable, WeComError
from bot.wecom.client import MemoryTokens, Unanswered, WeComClient
from tests.wecom.conftest import CORP, SECRET, START

IP_ERROR = (
    "not allow to access from your ip, hint: [1576065934_28_e0fae07666aa64636023c1fa7e8f49a4], "
    "from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=60020"
)


async def test_one_token_serves_many_calls_and_is_renewed_five_minutes_early(wire, client, clock):
    await client.get("a")
    await client.post("b", {"x": 1})
    clock.advance(minutes=114, seconds=59)
    await client.get("a")
    assert wire.count("gettoken") == 1
    clock.advance(seconds=1)
    await client.get("a")
    assert wire.count("gettoken") == 2
    assert wire.queries("gettoken")[0] == {"corpid": CORP, "corpsecret": SECRET}


async def test_thirty_calls_at_a_cold_start_ask_for_one_token(wire, client):
    await asyncio.gather(*(client.get("user/get", userid=str(n)) for n in range(30)))
    assert wire.count("gettoken") == 1
    assert wire.count("user/get") == 30


async def test_thirty_calls_with_an_expired_token_renew_it_once(wire, client):
    await client.get("a")
    wire.valid.clear()
    await asyncio.gather(*(client.get("b") for _ in range(30)))
    assert wire.count("gettoken") == 2


async def test_two_processes_share_the_token(wire, client, tokens, clock):
    other = WeComClient(wire.base, CORP, SECRET, tokens, clock)
    await client.get("a")
    await other.get("a")
    assert wire.count("gettoken") == 1
    wire.valid.clear()
    await client.get("a")
    await other.get("a")
    assert wire.count("gettoken") == 2
    await other.close()


async def test_two_secrets_do_not_share_a_token_and_the_key_does_not_tell_them(wire, clock):
    seen: list[str] = []

    class Recorded(MemoryTokens):
        async def write(self, key, token, expires_at):
            seen.append(key)
            await super().write(key, token, expires_at)

    store = Recorded()
    for secret in (SECRET, "another"):
        client = WeComClient(wire.base, CORP, secret, store, clock)
        await client.get("a")
        await client.close()
    assert wire.count("gettoken") == 2
    assert len(set(seen)) == 2
    assert not any(SECRET in key or "another" in key for key in seen)


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_refused_token_is_renewed_once_and_the_call_repeated_once(wire, client, errcode):
    wire.put("a", {"errcode": errcode, "errmsg": "bad token"}, {"value": 7})
    assert (await client.get("a"))["value"] == 7
    assert (wire.count("a"), wire.count("gettoken")) == (2, 2)


async def test_a_token_that_stays_bad_ends_in_one_error(wire, client):
    wire.put("a", {"errcode": 40014, "errmsg": "invalid access_token"})
    with pytest.raises(WeComError) as refused:
        await client.get("a")
    assert refused.value.errcode == 40014
    assert (wire.count("a"), wire.count("gettoken")) == (2, 2)


async def test_a_token_given_out_near_its_end_is_not_asked_for_again_with_each_call(
    wire, client, clock
):
    wire.expires_in = 200
    for _ in range(5):
        await client.get("a")
    assert wire.count("gettoken") == 1
    clock.advance(seconds=61)
    await client.get("a")
    assert wire.count("gettoken") == 2


async def test_a_wrong_secret_is_not_hammered(wire, client, clock):
    wire.put("gettoken", {"errcode": 40001, "errmsg": "invalid credential"})
    results = await asyncio.gather(*(client.get("a") for _ in range(30)), return_exceptions=True)
    assert {error.errcode for error in results} == {40001}
    assert "BOT_WECOM__SECRET" in results[0].hint
    assert wire.count("gettoken") == 1
    wire.put("gettoken", {"access_token": "good", "expires_in": 7200})
    wire.valid.add("good")
    clock.advance(seconds=31)
    await client.get("a")
    assert wire.count("gettoken") == 2


async def test_callers_queued_behind_a_failing_token_call_share_its_failure(wire, client):
    async def busy(request):
        return web.Response(status=502)

    wire.put("gettoken", busy)
    results = await asyncio.gather(*(client.get("a") for _ in range(10)), return_exceptions=True)
    # The call they were for was not sent, so it can simply be repeated.
    assert {type(error) for error in results} == {Retryable}
    assert wire.count("gettoken") == 1
    assert wire.count("a") == 0
    wire.answers.clear()
    await client.get("a")


async def test_60020_tells_which_address_to_allow_and_where(wire, client):
    wire.put("a", {"errcode": 60020, "errmsg": IP_ERROR})
    with pytest.raises(WeComError) as refused:
        await client.get("a")
    assert "203.0.113.7 " in refused.value.hint
    assert "企业可信IP" in refused.value.hint


async def test_chinese_is_sent_as_utf_8_and_not_escaped(wire, client):
    await client.post("a", {"content": "您好"})
    assert json.dumps({"content": "您好"}, ensure_ascii=False, separators=(",", ":")).encode() in (
        wire.raw
    )


async def test_a_slow_answer_is_unanswered(wire, clock, tokens):
    given_up = asyncio.Event()

    async def slow(request):
        await given_up.wait()
        return web.json_response({"errcode": 0})

    wire.put("a", slow)
    client = WeComClient(wire.base, CORP, SECRET, tokens, clock, timeout_s=0.2)
    with pytest.raises(Unanswered):
        await client.post("a", {})
    given_up.set()
    assert wire.count("a") == 1
    await client.close()


async def test_a_connection_cut_after_sending_is_unanswered(wire, client):
    async def cut(request):
        request.transport.close()
        return web.Response()

    wire.put("a", cut)
    with pytest.raises(Unanswered):
        await client.post("a", {})
    assert wire.count("a") == 1


async def test_a_refused_connection_is_surely_not_sent(clock, tokens):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        await tokens.write("other", "x", START)
        client = WeComClient(f"http://127.0.0.1:{port}", CORP, SECRET, tokens, clock)
        with pytest.raises(Retryable) as refused:
            await client.get("a")
        assert not isinstance(refused.value, Unanswered)
        await client.close()


async def test_a_call_is_surely_not_sent_when_only_its_own_connection_is_refused(clock, wire):
    """With a token at hand the business call itself meets the refused connection."""

    class Held:
        async def read(self, key):
            return "token", START + timedelta(hours=2)

        async def write(self, key, token, expires_at):
            raise AssertionError("no token was asked for")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = WeComClient(base, CORP, SECRET, Held(), clock)
        with pytest.raises(Retryable) as refused:
            await client.post("kf/send_msg", {})
        assert type(refused.value) is Retryable
        assert "token" not in str(refused.value)
        await client.close()


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=502, text="bad gateway"),
        web.Response(status=403, text='{"errcode": 0}'),
        web.Response(text="<html>"),
        web.Response(text="[1]"),
        web.Response(text='{"ok": true}'),
        web.Response(status=302, headers={"Location": "/elsewhere"}),
    ],
    ids=["502", "403", "html", "list", "no errcode", "redirect"],
)
async def test_an_answer_that_is_not_wecoms_is_unanswered(wire, client, answer):
    async def odd(request):
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    wire.put("a", odd)
    with pytest.raises(Unanswered):
        await client.post("a", {})
    assert wire.count("elsewhere") == 0


async def test_no_error_shows_the_secret_or_the_token(wire, client):
    async def broken(request):
        return web.Response(text="<html>", content_type="text/html")

    wire.put("gettoken", broken)
    with pytest.raises(Retryable) as refused:
        await client.get("a")
    chain = [refused.value, refused.value.__cause__]
    assert not any(SECRET in repr(error) or CORP in repr(error) for error in chain)


async def test_an_upload_carries_the_file_under_its_own_name(wire, client):
    wire.put("media/upload", {"media_id": "m1", "type": "file"})
    assert await client.upload("file", '活动"海报.png', b"\x89PNG....") == "m1"
    assert wire.queries("media/upload")[0]["type"] == "file"
    assert 'name="media"; filename="活动海报.png"'.encode() in wire.raw[-1]
    assert b"\x89PNG...." in wire.raw[-1]


async def test_an_upload_is_repeated_whole_after_a_refresh(wire, client):
    await client.get("a")
    wire.valid.clear()
    await client.upload("image", "a.png", b"\x89PNG....")
    assert wire.count("media/upload") == 2
    assert all(b"\x89PNG...." in raw for raw in wire.raw[-3::2])


@pytest.mark.parametrize("size", [5, 2 * 1024 * 1024 + 1])
async def test_an_upload_of_a_size_wecom_refuses_is_not_sent(wire, client, size):
    with pytest.raises(ValueError, match="size"):
        await client.upload("voice", "a.amr", b"0" * size)
    assert wire.calls == []


async def test_a_download_is_a_file_or_an_error(wire, client):
    async def file(request):
        headers = {"Content-Disposition": 'attachment; filename="x.json"'}
        return web.Response(body=b'{"errcode": 1}', headers=headers)

    wire.put("media/get", file, {"errcode": 40007, "errmsg": "invalid media_id"})
    assert await client.download("m1") == b'{"errcode": 1}'
    with pytest.raises(WeComError) as refused:
        await client.download("m2")
    assert refused.value.errcode == 40007


async def test_a_given_session_is_left_open(wire, clock, tokens):
    async with aiohttp.ClientSession() as session:
        client = WeComClient(wire.base, CORP, SECRET, tokens, clock, session=session)
        await client.get("a")
        await client.close()
        assert not session.closed
