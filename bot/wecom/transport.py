"""One HTTP exchange, and what its failure says about whether the request arrived."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import aiohttp

from bot.errors import ConfigError, Retryable
from bot.wecom.errcodes import wecom_error
from bot.wecom.fields import number, text

MAX_ANSWER_BYTES = 32 * 1024 * 1024


class Unanswered(Retryable):
    """The request may have arrived and been done, but no usable answer came back.

    To repeat what must not happen twice, ask WeCom first whether it happened.
    """

    may_have_arrived = True


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read whole."""

    body: bytes
    is_file: bool

    @cached_property
    def answer(self) -> dict[str, object]:
        """The body as a JSON object that has an errcode; raises ``Unanswered`` if it is not."""
        try:
            answer = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Unanswered("the answer is not JSON") from None
        errcode = answer.get("errcode") if isinstance(answer, dict) else None
        if not isinstance(errcode, int) or isinstance(errcode, bool):
            raise Unanswered("the answer has no errcode")
        return dict(answer)

    @property
    def errcode(self) -> int:
        """WeCom's error code; 0 for success and for a file."""
        return 0 if self.is_file else number(self.answer, "errcode")


def checked(reply: Reply) -> dict[str, object]:
    """Return an answer that is no error; raise ``WeComError`` with what to do about it."""
    answer = reply.answer
    errcode = number(answer, "errcode")
    if errcode:
        raise wecom_error(errcode, text(answer, "errmsg"))
    return answer


def trust(ca_file: str) -> ssl.SSLContext | None:
    """Return what is trusted beside the system's own certificates; None where nothing is.

    Raise ``ConfigError`` for a file that cannot be read or holds no certificate.
    """
    if not ca_file:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError as error:  # an SSLError is one, too
        raise ConfigError(
            f"证书文件 {ca_file} 读不了，或里面没有 PEM 证书。"
            "请把 [wecom] ca_file 改成内网根证书的 PEM 文件，并检查它的权限。"
        ) from error
    return context


class Transport:
    """Sends requests over one connection pool, its own or a given one.

    ``proxy`` is the way out of the bank's network (http://user:password@host:port); ``tls`` says
    whose certificates are trusted. Neither is ever taken from the environment.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession | None,
        timeout_s: float,
        *,
        proxy: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._proxy = proxy or None
        self._tls = tls
        self._session = session
        self._owns_session = session is None
        # The connection must fail first: only then do we know that nothing was sent.
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=timeout_s / 2)

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str | int],
        headers: Mapping[str, str] | None = None,
        data: bytes | aiohttp.FormData | None = None,
    ) -> Reply:
        """Return the answer; raise ``Retryable`` if surely not sent, ``Unanswered`` if unsure.

        The library's own exceptions are not chained: they quote the address, and the address
        holds the secret or the access token.
        """
        try:
            async with self._opened().request(
                method,
                url,
                params=query,
                headers=headers,
                data=data,
                timeout=self._timeout,
                allow_redirects=False,
                proxy=self._proxy,
                ssl=self._tls or True,
            ) as response:
                return await _read(response)
        except aiohttp.ClientHttpProxyError as error:
            raise Retryable(f"the proxy refused: HTTP {error.status}") from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Retryable(f"no connection to WeCom: {type(error).__name__}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unanswered(f"no answer from WeCom: {type(error).__name__}") from None

    async def close(self) -> None:
        """Close the connection pool if it is our own."""
        if self._owns_session and self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session


async def _read(response: aiohttp.ClientResponse) -> Reply:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise Unanswered("the answer is too large")
    # WeCom answers its own errors with 200; anything else was said by something in between.
    if response.status not in (200, 206):
        raise Unanswered(f"HTTP status {response.status}")
    return Reply(bytes(body), "Content-Disposition" in response.headers)
