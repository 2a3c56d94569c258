"""What is not WeCom's is refused: nothing stored, nothing told, no stack trace."""

from __future__ import annotations

import io

import aiohttp
import pytest

from bot.demo.town import CALLBACK_AES_KEY, CALLBACK_TOKEN
from bot.emulator.callbacks import render_xml
from bot.wecom.crypto import CallbackCrypto
from tests.journeys.town import Life

FIELDS = {"MsgType": "event", "Event": "kf_msg_or_event", "Token": "t", "OpenKfId": "wk"}


async def post(life: Life, body: bytes, path: str = "", **params: str) -> tuple[int, str]:
    url = life.world.callbacks.configs["app"].url + path
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=io.BytesIO(body), params=params) as answer,
    ):
        return answer.status, await answer.text()


def sealed(life: Life, *, corp: str = "", at: int = 0) -> tuple[bytes, dict[str, str]]:
    """Seal a callback as WeCom would, of a corporation and a moment."""
    crypto = CallbackCrypto(CALLBACK_TOKEN, CALLBACK_AES_KEY, corp or life.world.corp_id)
    timestamp = str(at or life.world.timestamp())
    encrypted, signature = crypto.encrypt(render_xml(FIELDS), "nonce", timestamp)
    params = {"msg_signature": signature, "timestamp": timestamp, "nonce": "nonce"}
    return render_xml({"Encrypt": encrypted}).encode(), params


async def stored(life: Life) -> int:
    async with life.demo.bot.database.read() as tx:
        return int(
            (await tx.connection.exec_driver_sql("SELECT count(*) FROM notices")).scalar_one()
        )


async def test_a_true_one_is_stored(life: Life) -> None:
    before = await stored(life)
    body, params = sealed(life)
    assert (await post(life, body, **params)) == (200, "")
    assert await stored(life) == before + 1


@pytest.mark.parametrize(
    "forge",
    [
        lambda life: (sealed(life)[0], sealed(life)[1] | {"msg_signature": "0" * 40}),
        lambda life: (sealed(life)[0], {}),
        lambda life: sealed(life, corp="ww1111111111111111"),
        lambda life: sealed(life, at=life.world.timestamp() - 86_400),
        lambda life: (b"<xml><Encrypt>", sealed(life)[1]),
        lambda life: (b"\xff\xfe\x00 not xml", sealed(life)[1]),
        lambda life: (b"", sealed(life)[1]),
        lambda life: (
            b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml>&b;</xml>',
            sealed(life)[1],
        ),
        lambda life: (b"<xml>" + b"a" * 3_000_000 + b"</xml>", sealed(life)[1]),
    ],
    ids=["signature", "unsigned", "corp", "old", "cut", "bytes", "empty", "entities", "oversized"],
)
async def test_a_forged_one_is_refused_and_leaves_no_trace(
    life: Life, forge, capfd: pytest.CaptureFixture[str]
) -> None:
    before = await stored(life)
    body, params = forge(life)
    status, answer = await post(life, body, **params)
    assert status == (413 if len(body) > 65_536 else 403)
    assert answer == "refused"
    assert await stored(life) == before
    said = capfd.readouterr()
    assert "Traceback" not in said.err + said.out


async def test_an_unknown_configuration_is_not_there(life: Life) -> None:
    body, params = sealed(life)
    assert (await post(life, body, "/nobody", **params))[0] == 404


async def test_the_console_can_verify_the_address_and_a_forger_cannot(life: Life) -> None:
    assert (await life.world.callbacks.verify_url("app")).status == 200
    url = life.world.callbacks.configs["app"].url
    query = {"msg_signature": "0" * 40, "timestamp": "1", "nonce": "n", "echostr": "x"}
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as answer:
        assert (answer.status, await answer.text()) == (403, "refused")
