"""Calls WeCom's API: the access token, one refresh, and errors that say what to do."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import aiohttp

from bot.errors import Retryable, WeComError
from bot.ports import Clock
from bot.wecom.errcodes import as_channel_error as as_channel_error
from bot.wecom.errcodes import classify as classify
from bot.wecom.errcodes import wecom_error
from bot.wecom.fields import text
from bot.wecom.sharing import MemoryTokens as MemoryTokens
from bot.wecom.sharing import Rates, TokenStore, Unmetered
from bot.wecom.token import AccessToken
from bot.wecom.transport import Reply, Transport, checked
from bot.wecom.transport import Unanswered as Unanswered
from bot.wecom.trouble import Trouble

# A moment's crowd at WeCom; three tries at most (wecom_protocol §1.1), and only where calling
# again can do nothing twice. What is sent is tried again by the outbox.
_CROWDED = frozenset({-1, 45033})
_QUICK_PAUSES_S = (0.3, 1.0)
_READING = ("get", "list", "batchget", "sync_")

MediaKind = Literal["image", "voice", "video", "file"]
_MIB = 1024 * 1024
_SMALLEST_MEDIA = 6
_LARGEST_MEDIA: dict[MediaKind, int] = {
    "image": 10 * _MIB,
    "voice": 2 * _MIB,
    "video": 10 * _MIB,
    "file": 20 * _MIB,
}
LARGEST_PICTURE = 2 * _MIB  # of those that become an address (§3.9)
_MOMENT = 1


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
        rates: Rates | None = None,
        proxy: str = "",
        tls: ssl.SSLContext | None = None,
        quick_pauses_s: tuple[float, ...] = _QUICK_PAUSES_S,
    ) -> None:
        self._base = api_base.rstrip("/") + "/cgi-bin/"
        self._http = Transport(session, timeout_s, proxy=proxy, tls=tls)
        self._rates: Rates = rates or Unmetered()
        self._quick_pauses_s = quick_pauses_s
        self._trouble = Trouble(clock)
        url = self._base + "gettoken"
        self._token = AccessToken(self._http, url, corp_id, secret, tokens, clock)

    async def get(self, path: str, **query: str | int) -> dict[str, object]:
        """Call a GET interface, ``path`` being what follows ``/cgi-bin/``."""
        return await self._call(path, lambda token: self._sent("GET", path, token, query))

    async def post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        """Call a POST interface, ``path`` being what follows ``/cgi-bin/``."""
        # Some interfaces refuse \uXXXX escapes, so the text goes out as plain UTF-8.
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return await self._call(path, lambda token: self._sent("POST", path, token, {}, data))

    async def upload(self, kind: MediaKind, filename: str, data: bytes) -> str:
        """Upload a file and return its media_id, which is good for 3 days.

        Raise ``ValueError`` for a size WeCom does not take.
        """
        _check_size(kind, data)
        answer = await self._uploaded("media/upload", {"type": kind}, filename, data)
        return text(answer, "media_id")

    async def upload_for_moment(self, kind: MediaKind, filename: str, data: bytes) -> str:
        """Upload a file that goes with a moment and return its media_id, good for 3 days.

        Raise ``ValueError`` for a size WeCom does not take.
        """
        _check_size(kind, data)
        query = {"media_type": kind, "attachment_type": _MOMENT}
        path = "media/upload_attachment"
        return text(await self._uploaded(path, query, filename, data), "media_id")

    async def upload_picture(self, filename: str, data: bytes) -> str:
        """Upload a picture and return its address, which is good for ever.

        Raise ``ValueError`` for a size WeCom does not take.
        """
        if not _SMALLEST_MEDIA <= len(data) <= LARGEST_PICTURE:
            raise ValueError(f"picture of {len(data)} bytes: WeCom does not take this size")
        return text(await self._uploaded("media/uploadimg", {}, filename, data), "url")

    async def _uploaded(
        self, path: str, query: Mapping[str, str | int], filename: str, data: bytes
    ) -> dict[str, object]:
        async def send(token: str) -> Reply:
            return await self._sent("POST", path, token, query, _form(filename, data))

        return await self._call(path, send)

    async def download(self, media_id: str) -> bytes:
        """Return the content of a media file (at most 20 MB)."""
        path, query = "media/get", {"media_id": media_id}
        reply = await self._patiently(path, lambda token: self._sent("GET", path, token, query))
        if not reply.is_file:
            checked(reply)
            raise Unanswered("media/get answered without a file")
        return reply.body

    async def close(self) -> None:
        """Close the connections, unless the session was given to us."""
        await self._http.close()

    async def _call(self, path: str, send: Callable[[str], Awaitable[Reply]]) -> dict[str, object]:
        return checked(await self._patiently(path, send))

    async def _patiently(self, path: str, send: Callable[[str], Awaitable[Reply]]) -> Reply:
        """Call where there is room, and again soon where WeCom is only crowded."""
        pauses = list(self._quick_pauses_s if _only_reads(path) else ())
        while True:
            await self._rates.take(path)
            reply = await self._watched(path, send)
            if reply.errcode and classify(reply.errcode) == "rate":
                await self._rates.refused(path)
            if reply.errcode not in _CROWDED or not pauses:
                return reply
            await asyncio.sleep(pauses.pop(0))

    async def _watched(self, path: str, send: Callable[[str], Awaitable[Reply]]) -> Reply:
        """Call, and tell of what only a person can mend."""
        try:
            reply = await self._authorised(send)
            errcode = reply.errcode
        except (WeComError, Retryable) as error:
            self._trouble.note(path, error)
            raise
        if errcode:
            self._trouble.note(path, wecom_error(errcode, text(reply.answer, "errmsg")))
        return reply

    async def _authorised(self, send: Callable[[str], Awaitable[Reply]]) -> Reply:
        token = await self._token.current()
        reply = await send(token)
        if not reply.errcode or classify(reply.errcode) != "refresh":
            return reply
        renewed = await self._token.other_than(token)
        return reply if renewed == token else await send(renewed)

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


def _check_size(kind: MediaKind, data: bytes) -> None:
    if not _SMALLEST_MEDIA <= len(data) <= _LARGEST_MEDIA[kind]:
        raise ValueError(f"{kind} of {len(data)} bytes: WeCom does not take this size")


def _only_reads(path: str) -> bool:
    """Tell whether an interface only tells something, by its name."""
    return path.rpartition("/")[2].startswith(_READING)


def _form(filename: str, data: bytes) -> aiohttp.FormData:
    # WeCom shows the file name as it comes, so a Chinese one must not be percent-encoded.
    form = aiohttp.FormData(quote_fields=False)
    safe = "".join(c for c in filename if c.isprintable() and c not in '"\\')
    form.add_field("media", data, filename=safe, content_type="application/octet-stream")
    return form
