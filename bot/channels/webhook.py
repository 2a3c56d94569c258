"""The message push (消息推送) of the staff's internal group: one way, in Markdown."""

from __future__ import annotations

from bot.domain.events import Notice, Received
from bot.domain.messages import Outbound, Receipt
from bot.domain.staff_messages import GroupWebhook
from bot.errors import Undeliverable, WeComError
from bot.wecom.aibot import clip
from bot.wecom.errcodes import as_channel_error
from bot.wecom.webhook import GROUP_MARKDOWN_BYTES, WebhookApi


class WebhookChannel:
    """Alerts and the daily brief; nothing ever comes back this way."""

    name = "webhook"

    def __init__(self, api: WebhookApi, url: str) -> None:
        self._api = api
        self._url = url

    def cursor_of(self, notice: Notice) -> str | None:
        """Return None: there is nothing to read on."""
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Return nothing: replies in that group are not told to us."""
        return Received()

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Post into the group."""
        if not isinstance(message, GroupWebhook):
            raise Undeliverable("not_for_the_group")
        content = clip(message.text, GROUP_MARKDOWN_BYTES)
        try:
            await self._api.post(
                self._url, {"msgtype": "markdown", "markdown": {"content": content}}
            )
        except WeComError as error:
            raise as_channel_error(error) from error
        return Receipt()
