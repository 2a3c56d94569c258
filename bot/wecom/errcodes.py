"""What WeCom's error codes mean for us: what to do next, and what to tell the bank's IT."""

from __future__ import annotations

import re
from typing import Literal

from bot.errors import ChannelError, Retryable, Undeliverable, WeComError
from bot.wecom.hints import HINTS

Action = Literal["retry", "refresh", "give_up", "misconfigured", "rate"]
"""What to do about a code; ``misconfigured`` waits until a person has changed something."""

_REFRESH = frozenset({40001, 40014, 42001})
_RETRY = frozenset({-1, 6000, 41063, 41079, 41096, 45033})
_RATE = frozenset({45009})
_MISCONFIGURED = frozenset(
    {
        *(40013, 40056, 40091, 41002, 41004, 41011, 43009, 43012),
        *(48001, 48002, 48004, 48005, 48006, 48007, 50002, 50003),
        *(60011, 60020, 60021, 81017, 84074),
        *(95003, 95011, 95012, 95017, 95023, 95032),
        *(93000, 93004, 93006, 95026, 95027),
        *(301042, 301052, 301053, 701008, 701099),
    }
)
_AFTER_S: dict[Action, float] = {
    "retry": 5.0,
    "refresh": 60.0,
    "rate": 60.0,
    "misconfigured": 300.0,
}

_ADDRESS = re.compile(r"from ip:?\s*\[?([0-9A-Fa-f.:]+[0-9A-Fa-f])", re.IGNORECASE)
_ERRMSG_CHARS = 300


def classify(errcode: int) -> Action:
    """Tell what to do about a non-zero code; unknown ones are given up, never repeated."""
    if errcode in _REFRESH:
        return "refresh"
    if errcode in _RETRY:
        return "retry"
    if errcode in _RATE:
        return "rate"
    return "misconfigured" if errcode in _MISCONFIGURED else "give_up"


def hint_for(errcode: int, errmsg: str = "") -> str:
    """Return one Chinese sentence on what to do about a code, "" for a code we cannot explain."""
    if errcode == 60020:
        return _address_hint(errmsg)
    return HINTS.get(errcode, "")


def wecom_error(errcode: int, errmsg: str) -> WeComError:
    """Return the exception for an answer of WeCom's, with its hint."""
    return WeComError(errcode, errmsg[:_ERRMSG_CHARS], hint_for(errcode, errmsg))


def as_channel_error(error: WeComError) -> ChannelError:
    """Return what a sender raises for a code: ``Undeliverable`` or ``Retryable`` with its wait.

    The reason is ``wecom_CODE``. A misconfiguration is retryable, slowly: what customers are owed
    must not be dropped because somebody has to tick a box first.
    """
    action = classify(error.errcode)
    reason = f"wecom_{error.errcode}"
    if action == "give_up":
        return Undeliverable(reason)
    return Retryable(reason, _AFTER_S[action])


def _address_hint(errmsg: str) -> str:
    found = _ADDRESS.search(errmsg)
    address = f"服务器出口地址 {found[1]} " if found else "本服务器的出口地址"
    return (
        f"{address}不在允许名单里：请管理员在企业微信管理后台"
        "「应用管理 → 本应用 → 企业可信IP」里加上它。"
    )
