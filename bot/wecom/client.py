"""Calls WeCom's API: the access token, one refresh, and errors that say what to do."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal, Protocol

import aiohttp

from bot.errors import BotError, Retryable, WeComError
from bot.ports import Clock
from bot.wecom.errcodes import as_channel_error as as_channel_error
from bot.wecom.errcodes import classify as classify
from bot.wecom.errcodes import wecom_error
from bot.wecom.fields import number, text
from bot.wecom.transport import Reply, Transport
from bot.wecom.transport import Unanswered as Unanswered

REFRESH_EARLY = timedelta(minutes=5)
_SHORTEST_USE = timedelta(minutes=1)
# More than 2,000 refused gettoken calls in an hour get the corp blocked for another hour.
_REST_AFTER_REFUSAL = timedelta(seconds=30)

MediaKind = Literal["image", "voice", "video", "file"]
_MIB = 1024 * 1024
_SMALLEST_MEDIA = 6
_LARGEST_MEDIA: dict[MediaKind, int] = {
    "image": 10 * _MIB,
    "voice": 2 * _MIB,
    "video": 10 * _MIB,
    "file": 20 * _MIB,
}


class TokenStore(Protocol):
    """Where access tokens are shared, so that all processes use the same one."""

    async def read(self, key: str) -> tuple[str, datetime] | None:
        """Return the token and when it expires; None if there is none."""

    async def write(self, key: str, token: str, expires_at: datetime) -> None:
        """Keep a token, replacing the one before."""


class MemoryTokens:
    """Keeps tokens for one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, datetime]] = {}

    async def read(self, key: str) -> tuple[str, datetime] | None:
        """Return the token and when it expires; None if there is none."""
        return self._tokens.get(key)

    async def write(self, key: str, token: str, expires_at: datetime) -> None:
        """Keep a token, replacing the one before."""
        self._tokens[key] = (token, expires_at)


class WeComClient:
    """Calls the API as one application of one corp.

    Calls raise ``WeComError`` when WeCom refuses, ``Unanswered`` when the call may have arrived,
    and plain ``Retryable`` when it surely did not.
    """

    def __init__(
        self,
        api_base: str,
        corp_id: str,
        secret: str,
        tokens: TokenStore,
        clock: Clock,
        *,
        session: aiohttp.ClientSession | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self._base = api_base.rstrip("/") + "/cgi-bin/"
        self._corp_id = corp_id
        self._secret = secret
        self._tokens = tokens
        self._clock = clock
        self._http = Transport(session, timeout_s)
        # One secret has one token; the key must tell secrets apart without giving them away.
        self._key = f"{corp_id}:{hashlib.sha256(secret.encode()).hexdigest()[:16]}"
        self._token = ""
        self._refresh_at: datetime | None = None
        self._lock = asyncio.Lock()
        self._failure: BotError | None = None
        self._failures = 0
        self._rest_until: datetime | None = None

    async def get(self, path: str, **query: str | int) -> dict[str, object]:
        """Call a GET interface, ``path`` being what follows ``/cgi-bin/``."""
        return await self._call(lambda token: self._sent("GET", path, token, query))

    async def post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        """Call a POST interface, ``path`` being what follows ``/cgi-bin/``."""
        # Some interfaces refuse \uXXXX escapes, so the text goes out as plain UTF-8.
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return await self._call(lambda token: self._sent("POST", path, token, {}, data))

    async def upload(self, kind: MediaKind, filename: str, data: bytes) -> str:
        """Upload a file and return its media_id, which is good for 3 days.

        Raise ``ValueError`` for a size WeCom does not take.
        """
        if not _SMALLEST_MEDIA <= len(data) <= _LARGEST_MEDIA[kind]:
            raise ValueError(f"{kind} of {len(data)} bytes: WeCom does not take this size")

        async def send(token: str) -> Reply:
            form = _form(filename, data)
            return await self._sent("POST", "media/upload", token, {"type": kind}, form)

        return text(await self._call(send), "media_id")

    async def download(self, media_id: str) -> bytes:
        """Return the content of a media file (at most 20 MB)."""
        query = {"media_id": media_id}
        reply = await self._authorised(lambda token: self._sent("GET", "media/get", token, query))
        if not reply.is_file:
            _checked(reply)
            raise Unanswered("media/get answered without a file")
        return reply.body

    async def close(self) -> None:
        """Close the connections, unless the session was given to us."""
        await self._http.close()

    async def _call(self, send: Callable[[str], Awaitable[Reply]]) -> dict[str, object]:
        return _checked(await self._authorised(send))

    async def _authorised(self, send: Callable[[str], Awaitable[Reply]]) -> Reply:
        token = self._token
        if self._refresh_at is None or self._clock.now() >= self._refresh_at:
            token = await self._renewed(spent="")
        reply = await send(token)
        if reply.is_file or classify(number(reply.answer, "errcode")) != "refresh":
            return reply
        return await send(await self._renewed(spent=token))

    async def _sent(
        self,
        method: str,
        path: str,
        token: str,
        query: Mapping[str, str | int],
        data: bytes | aiohttp.FormData | None = None,
    ) -> Reply:
        headers = {"Content-Type": "application/json"} if isinstance(data, bytes) else None
        query = {"access_token": token, **query}
        url = self._base + path
        return await self._http.exchange(method, url, query=query, headers=headers, data=data)

    async def _renewed(self, spent: str) -> str:
        """Return a token other than ``spent``; of many callers at once, only one asks WeCom."""
        failures = self._failures
        async with self._lock:
            now = self._clock.now()
            if self._refresh_at is not None and now < self._refresh_at and self._token != spent:
                return self._token
            # Whoever queued behind a failing call shares its failure instead of repeating it.
            resting = self._rest_until is not None and now < self._rest_until
            if self._failure is not None and (resting or self._failures != failures):
                raise self._failure.with_traceback(None)
            try:
                token, expires_at = await self._stored(spent, now) or await self._granted(now)
            except BotError as error:
                self._remember(error, now)
                raise
            self._token = token
            # While a token is valid WeCom hands out the same one again, so a fresh answer may
            # itself be near its end; it is then used for a while rather than asked for each time.
            early = max(expires_at - REFRESH_EARLY, now + _SHORTEST_USE)
            self._refresh_at = min(expires_at, early)
            self._failure = self._rest_until = None
            return token

    async def _stored(self, spent: str, now: datetime) -> tuple[str, datetime] | None:
        """Return the token another process has fetched, if it is of use."""
        found = await self._tokens.read(self._key)
        if found is None or found[0] == spent or now >= found[1] - REFRESH_EARLY:
            return None
        return found

    async def _granted(self, now: datetime) -> tuple[str, datetime]:
        query = {"corpid": self._corp_id, "corpsecret": self._secret}
        try:
            reply = await self._http.exchange("GET", self._base + "gettoken", query=query)
            answer = _checked(reply)
        except Unanswered as error:
            # Asking twice for a token does no harm, and the call it was for was not sent.
            raise Retryable(f"no access token: {error.reason}", error.after) from None
        token = text(answer, "access_token")
        if not token:
            raise Retryable("no access token: WeCom's answer holds none")
        expires_at = now + timedelta(seconds=number(answer, "expires_in"))
        await self._tokens.write(self._key, token, expires_at)
        return token, expires_at

    def _remember(self, error: BotError, now: datetime) -> None:
        self._failure = error
        self._failures += 1
        refused = isinstance(error, WeComError) and classify(error.errcode) != "retry"
        self._rest_until = now + _REST_AFTER_REFUSAL if refused else None


def _checked(reply: Reply) -> dict[str, object]:
    answer = reply.answer
    errcode = number(answer, "errcode")
    if errcode:
        raise wecom_error(errcode, text(answer, "errmsg"))
    return answer


def _form(filename: str, data: bytes) -> aiohttp.FormData:
    # WeCom shows the file name as it comes, so a Chinese one must not be percent-encoded.
    form = aiohttp.FormData(quote_fields=False)
    safe = "".join(c for c in filename if c.isprintable() and c not in '"\\')
    form.add_field("media", data, filename=safe, content_type="application/octet-stream")
    return form
