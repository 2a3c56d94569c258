"""What proves who is signed in: only ours, only for a while, only in the browser that began."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from bot.console.session import Sessions
from tests.make import NOON

SESSIONS = Sessions(b"a secret", timedelta(hours=8))


def test_a_session_lasts_as_long_as_it_was_set() -> None:
    token = SESSIONS.open("li.min", NOON)
    assert SESSIONS.member(token, NOON) == "li.min"
    assert SESSIONS.member(token, NOON + timedelta(hours=8, seconds=-1)) == "li.min"
    assert SESSIONS.member(token, NOON + timedelta(hours=8)) is None
    assert SESSIONS.member(token, NOON - timedelta(hours=1)) is None, "made in the future"


def test_nobody_else_can_make_or_change_one() -> None:
    token = SESSIONS.open("li.min", NOON)
    body, _, signed = token.partition(".")
    told = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = json.dumps(told | {"who": "shen.mingyuan"}).encode()
    forged = base64.urlsafe_b64encode(other).decode().rstrip("=")
    assert SESSIONS.member(f"{forged}.{signed}", NOON) is None
    assert Sessions(b"another", timedelta(hours=8)).member(token, NOON) is None
    for wrong in (
        "",
        ".",
        body,
        f"{body}.",
        f".{signed}",
        token[:-1],
        token + "A",
        "é.ü",
        "\ud800.",
    ):
        assert SESSIONS.member(wrong, NOON) is None, wrong


def test_a_state_belongs_to_one_browser_for_ten_minutes() -> None:
    state = SESSIONS.state("browser-a", NOON)
    assert state.isalnum()
    assert len(state) <= 128
    assert SESSIONS.is_ours(state, "browser-a", NOON + timedelta(minutes=9))
    assert not SESSIONS.is_ours(state, "browser-a", NOON + timedelta(minutes=10))
    assert not SESSIONS.is_ours(state, "browser-b", NOON)
    assert not SESSIONS.is_ours(state, "", NOON)
    for wrong in ("", "0" * 66, state[:-1], state[1:], state.swapcase() + "x"):
        assert not SESSIONS.is_ours(wrong, "browser-a", NOON), wrong
    token = SESSIONS.open("li.min", NOON)
    assert not SESSIONS.is_ours(token, "browser-a", NOON), "a session is no state"


def test_a_secret_is_needed() -> None:
    with pytest.raises(ValueError, match="secret"):
        Sessions(b"", timedelta(hours=1))
