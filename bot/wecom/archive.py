"""会话内容存档: what people write in groups, pulled by sequence number.

WeCom itself offers this only as a native library. A bank runs that library in a small bridge
which serves this HTTP form; so does the local WeCom.
"""

from __future__ import annotations

import aiohttp

from bot.errors import WeComError
from bot.wecom.errcodes import wecom_error
from bot.wecom.fields import number, records, text
from bot.wecom.transport import Transport

MAX_LIMIT = 1000
_BAD_SECRET = 40001
_MISMATCH_HINT = "会话存档的密钥不对：请核对 BOT_ARCHIVE__SECRET。"


class ArchiveClient:
    """Reads the archive; raises ``WeComError`` and ``Retryable`` as ``WeComClient`` does."""

    def __init__(
        self,
        base_url: str,
        secret: str,
        session: aiohttp.ClientSession | None = None,
        *,
        timeout_s: float = 10.0,
    ) -> None:
        self._url = base_url.rstrip("/") + "/archive/chatdata"
        self._headers = {"X-Archive-Secret": secret}
        self._http = Transport(session, timeout_s)

    async def pull(self, seq: int, limit: int = MAX_LIMIT) -> list[dict[str, object]]:
        """Return at most ``limit`` messages after ``seq`` in order: seq, msgid, message."""
        query = {"seq": seq, "limit": min(limit, MAX_LIMIT)}
        reply = await self._http.exchange("GET", self._url, query=query, headers=self._headers)
        answer = reply.answer
        errcode = number(answer, "errcode")
        if errcode == _BAD_SECRET:
            raise WeComError(errcode, text(answer, "errmsg"), _MISMATCH_HINT)
        if errcode:
            raise wecom_error(errcode, text(answer, "errmsg"))
        return sorted(records(answer, "chatdata"), key=lambda item: number(item, "seq"))

    async def close(self) -> None:
        """Close the connections, unless the session was given to us."""
        await self._http.close()
