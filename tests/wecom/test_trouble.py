"""What only a person can mend is said in the log, with what to do, at most once a minute."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bot.errors import Retryable, WeComError
from bot.wecom.client import MemoryTokens, WeComClient
from tests.wecom.conftest import CORP, SECRET

STRANGER = {"errcode": 60020, "errmsg": "not allow to access from your ip, from ip: 203.0.113.7"}


async def test_the_address_to_allow_is_told_once_a_minute(wire, client, clock):
    wire.put("user/get", STRANGER)
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(WeComError):
                await client.get("user/get")
        clock.advance(minutes=1)
        with pytest.raises(WeComError):
            await client.get("user/get")
    assert [(line["event"], line["errcode"]) for line in logs] == [("wecom_refused", 60020)] * 2
    assert "203.0.113.7" in logs[0]["hint"]


async def test_a_wrong_secret_names_the_setting(wire, client):
    wire.put("gettoken", {"errcode": 40001, "errmsg": "invalid credential"})
    with capture_logs() as logs, pytest.raises(WeComError):
        await client.get("user/get")
    assert [line["event"] for line in logs] == ["wecom_refused"]
    assert "BOT_WECOM__SECRET" in logs[0]["hint"]


async def test_what_concerns_one_customer_or_one_moment_is_not_told(wire, client):
    wire.put("kf/send_msg", {"errcode": 95002, "errmsg": "out of 48 hours"})
    wire.put("user/list", {"errcode": 45009, "errmsg": "api freq out of limit"})
    with capture_logs() as logs:
        for path in ("kf/send_msg", "user/list"):
            with pytest.raises(WeComError):
                await client.get(path)
    assert logs == []


async def test_a_wecom_that_cannot_be_reached_is_told_without_the_secret(clock, unused_tcp_port):
    client = WeComClient(f"http://127.0.0.1:{unused_tcp_port}", CORP, SECRET, MemoryTokens(), clock)
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(Retryable):
                await client.get("user/get")
    await client.close()
    assert [line["event"] for line in logs] == ["wecom_unreachable"]
    assert "proxy" in logs[0]["hint"]
    assert SECRET not in str(logs)
