"""Addresses that take a message as they are: a group's message push, a bot's response_url."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.wecom.transport import Transport, checked

GROUP_MARKDOWN_BYTES = 4096  # wecom_protocol §7


class WebhookApi:
    """Posts to addresses that carry their own key; they are never logged."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def post(self, url: str, body: Mapping[str, object]) -> None:
        """Post one message; raise ``WeComError`` where it is refused, else as ``Transport``."""
        data = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        checked(await self._transport.exchange("POST", url, query={}, headers=headers, data=data))

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()
