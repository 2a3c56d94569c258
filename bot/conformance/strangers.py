"""Scenarios about callbacks that are not WeCom's, or that mean harm."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass

import aiohttp

from bot.conformance.stage import Stage
from bot.conformance.verdict import Scenario, Seen
from bot.emulator.callbacks import CallbackConfig, render_xml
from bot.wecom.crypto import CallbackCrypto

_TOO_OLD_S = 24 * 3600
_HUGE = 1_400_000
_AT_ONCE_S = 1.0
_BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<xml><MsgType>event</MsgType><Event>&b;</Event></xml>"
)


@dataclass(frozen=True)
class _Answer:
    status: int
    seconds: float

    @property
    def refused(self) -> bool:
        return self.status != 200

    def words(self) -> str:
        return f"HTTP {self.status}" if self.status else "没有应答"


async def _post(url: str, query: dict[str, str], body: bytes) -> _Answer:
    began = time.monotonic()
    timeout = aiohttp.ClientTimeout(total=10)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, params=query, data=io.BytesIO(body)) as answer,
        ):
            await answer.read()
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        status = 0
    return _Answer(status, time.monotonic() - began)


def _signed(stage: Stage, plain: str, *, age_s: int = 0) -> tuple[CallbackConfig, dict[str, str]]:
    config = stage.world.callbacks.configs["kf"]
    crypto = CallbackCrypto(config.token, config.aes_key, stage.world.corp_id)
    timestamp, nonce = str(int(time.time()) - age_s), str(time.monotonic_ns())
    encrypted, signature = crypto.encrypt(plain, nonce, timestamp)
    return config, {
        "msg_signature": signature,
        "timestamp": timestamp,
        "nonce": nonce,
        "encrypted": encrypted,
    }


def _envelope(query: dict[str, str]) -> bytes:
    return render_xml({"ToUserName": "", "AgentID": "", "Encrypt": query.pop("encrypted")}).encode()


async def _still_works(stage: Stage) -> bool:
    customer = stage.customer()
    stage.asks(customer)
    return await stage.all_answered([customer])


async def _forged(stage: Stage) -> Seen:
    config, query = _signed(stage, "<xml><MsgType>event</MsgType></xml>")
    body = _envelope(query)
    answer = await _post(config.url, query | {"msg_signature": "0" * 40}, body)
    return Seen(answer.words(), answer.refused)


async def _replayed(stage: Stage) -> Seen:
    config, query = _signed(stage, "<xml><MsgType>event</MsgType></xml>", age_s=_TOO_OLD_S)
    answer = await _post(config.url, query, _envelope(query))
    return Seen(answer.words(), answer.refused)


async def _huge(stage: Stage) -> Seen:
    config, query = _signed(stage, "x")
    query.pop("encrypted")
    depth = _HUGE // 7
    answer = await _post(config.url, query, b"<a>" * depth + b"</a>" * depth)
    return Seen(f"{answer.words()}，{answer.seconds:.1f} 秒", _quick(answer))


async def _bomb(stage: Stage) -> Seen:
    config, query = _signed(stage, _BOMB)
    answer = await _post(config.url, query, _envelope(query))
    works = await _still_works(stage)
    words = f"{answer.words()}，之后{'照常' if works else '不再'}答复"
    return Seen(words, answer.seconds < _AT_ONCE_S and works)


def _quick(answer: _Answer) -> bool:
    return answer.refused and answer.seconds < _AT_ONCE_S


SCENARIOS = (
    Scenario("V1", "签名是假的", "不收", _forged),
    Scenario("V2", "一天前的回调被重放", "不收", _replayed),
    Scenario("V3", "没有签对的 1.4 MB 嵌套 XML", "1 秒内拒收", _huge),
    Scenario("V4", "实体炸弹，签名是对的", "1 秒内应答，之后照常答复", _bomb),
)
