"""One HTTP exchange, and what its failure says about whether the request arrived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import aiohttp

from bot.errors import Retryable

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


class Transport:
    """Sends requests over one connection pool, its own or a given one."""

    def __init__(self, session: aiohttp.ClientSession | None, timeout_s: float) -> None:
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
            ) as response:
                return await _read(response)
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
