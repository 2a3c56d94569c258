"""Mass messages that others than the bot sent, asked of WeCom's own lists (wecom_protocol §5.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from bot.domain.hand_sends import Listed
from bot.errors import WeComError
from bot.wecom.contact import ContactApi
from bot.wecom.errcodes import as_channel_error

_PERSONAL, _TASK_SENT = 1, 2


class HandSends:
    """The lists, with the members' parts of each message."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api

    async def listed(
        self, chat_type: Literal["group", "single"], start: datetime, end: datetime
    ) -> Sequence[Listed]:
        """Return every message made in a span of at most a month, by whomever."""
        try:
            made = await self._api.get_groupmsg_list_v2(chat_type, start, end)
        except WeComError as error:
            raise as_channel_error(error) from error
        return [
            Listed(
                msgid=one.msgid,
                made_at=datetime.fromtimestamp(one.create_time, UTC),
                personal=one.create_type == _PERSONAL,
            )
            for one in made
        ]

    async def owners(self, msgid: str) -> Mapping[str, bool]:
        """Return the members who have a part of a message, each with whether they sent it."""
        try:
            tasks = await self._api.get_groupmsg_task(msgid)
        except WeComError as error:
            raise as_channel_error(error) from error
        return {task.userid: task.status == _TASK_SENT for task in tasks}
