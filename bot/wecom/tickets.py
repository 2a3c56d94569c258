"""The two tickets that pages are signed with (wecom_protocol §9.1): few are given in an hour."""

from __future__ import annotations

import hashlib
from typing import Literal

from bot.ports import Clock
from bot.wecom.client import WeComClient
from bot.wecom.fields import number, text
from bot.wecom.sharing import TokenStore
from bot.wecom.token import Lasting, key_of

TicketKind = Literal["config", "agent_config"]


class JsapiTicket(Lasting):
    """A ticket of the JS-SDK: the corp's for ``config``, the application's for ``agent_config``."""

    what = "jsapi ticket"

    def __init__(
        self,
        client: WeComClient,
        kind: TicketKind,
        corp_id: str,
        secret: str,
        store: TokenStore,
        clock: Clock,
    ) -> None:
        super().__init__(f"{key_of(corp_id, secret)}:{kind}", store, clock)
        self._client = client
        self._kind = kind

    async def _asked(self) -> tuple[str, int]:
        if self._kind == "config":
            answer = await self._client.get("get_jsapi_ticket")
        else:
            answer = await self._client.get("ticket/get", type="agent_config")
        return text(answer, "ticket"), number(answer, "expires_in")


def signature(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """Sign a page for its JS-SDK; what stands behind # in its address does not count."""
    page = url.partition("#")[0]
    words = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={page}"
    # The protocol fixes SHA-1; the ticket is the secret in it.
    return hashlib.sha1(words.encode(), usedforsecurity=False).hexdigest()
