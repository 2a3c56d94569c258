"""Who is signed in: a cookie that only this bank's processes can make, and only for a while."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta

from bot.domain.ids import RmId

_STATE_FOR = timedelta(minutes=10)
_NONCE, _STAMP, _MAC = 16, 10, 40  # hex digits of a state: 66 of the 128 that WeCom allows
_FUTURE = timedelta(minutes=5)  # clocks of two machines may differ by so much


class Sessions:
    """Makes and reads the tokens of sign-in; the same secret in every process.

    A session is a member's userid with its end. A state ties a sign-in to the browser that began
    it, so that nobody can be signed in as somebody else.
    """

    def __init__(self, secret: bytes, lasts: timedelta) -> None:
        if not secret:
            raise ValueError("a secret is needed to sign sessions")
        self._session_key = _derived(secret, "sidebar session")
        self._state_key = _derived(secret, "sidebar state")
        self.lasts = lasts

    def open(self, member: str, now: datetime) -> str:
        """Return the token of a session that begins now."""
        told = {"who": member, "from": int(now.timestamp()), "salt": secrets.token_hex(4)}
        body = _encoded(json.dumps(told, separators=(",", ":")).encode())
        return f"{body}.{_encoded(_mac(self._session_key, body))}"

    def member(self, token: str, now: datetime) -> RmId | None:
        """Return who a token is for; None for one that is over, changed, or nobody's."""
        body, dot, signed = token.partition(".")
        if not dot or not _same(signed, _encoded(_mac(self._session_key, body))):
            return None
        told = json.loads(_decoded(body))  # ours: the signature is right
        began = datetime.fromtimestamp(told["from"], now.tzinfo)
        if not began - _FUTURE <= now < began + self.lasts:
            return None
        return RmId(told["who"])

    def state(self, browser: str, now: datetime) -> str:
        """Return a state for a sign-in that this browser begins now."""
        told = secrets.token_hex(_NONCE // 2) + f"{int(now.timestamp()):0{_STAMP}x}"
        return told + self._signed_state(told, browser)

    def is_ours(self, state: str, browser: str, now: datetime) -> bool:
        """Tell whether this browser began the sign-in that a state belongs to, a moment ago."""
        told, signed = state[: _NONCE + _STAMP], state[_NONCE + _STAMP :]
        if not browser or not _same(signed, self._signed_state(told, browser)):
            return False
        began = datetime.fromtimestamp(int(told[_NONCE:], 16), now.tzinfo)
        return began - _FUTURE <= now < began + _STATE_FOR

    def _signed_state(self, told: str, browser: str) -> str:
        return _mac(self._state_key, f"{told}:{browser}").hex()[:_MAC]


def new_browser() -> str:
    """Return a name for a browser that nobody can guess."""
    return secrets.token_urlsafe(18)


def _derived(secret: bytes, use: str) -> bytes:
    return hmac.new(secret, f"zhilin {use}".encode(), hashlib.sha256).digest()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
