"""群发: tasks that a member confirms, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from bot.wecom import answers
from bot.wecom.client import WeComClient
from bot.wecom.fields import strings, text
from bot.wecom.messages import Attachment, message
from bot.wecom.paging import pages

MAX_GROUPS_A_TASK = 2000
MAX_CUSTOMERS_A_TASK = 10_000
_RESULTS_A_PAGE = 1000
_MESSAGES_A_PAGE = 100


class MassCalls:
    """The mass-send interfaces, lists read to their end; raises as ``WeComClient`` does."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def add_msg_template(
        self,
        chat_type: Literal["single", "group"],
        sender: str,
        receivers: Sequence[str],
        content: str,
        attachments: Sequence[Attachment] = (),
    ) -> answers.MsgTemplate:
        """Make a mass-send task, which goes out once ``sender`` has confirmed it in WeCom.

        ``receivers`` are chat_ids (at most 2,000) or external_userids (at most 10,000).
        """
        group = chat_type == "group"
        limit = MAX_GROUPS_A_TASK if group else MAX_CUSTOMERS_A_TASK
        # Without receivers WeCom would take all of the sender's customers.
        if not 1 <= len(receivers) <= limit:
            raise ValueError(f"{len(receivers)} receivers: must be 1 to {limit}")
        body = {
            "chat_type": chat_type,
            "sender": sender,
            "chat_id_list" if group else "external_userid": list(receivers),
            **message(content, attachments),
        }
        answer = await self._client.post("externalcontact/add_msg_template", body)
        return answers.MsgTemplate(text(answer, "msgid"), strings(answer, "fail_list"))

    async def get_groupmsg_list_v2(
        self,
        chat_type: Literal["single", "group"],
        start: datetime,
        end: datetime,
        *,
        creator: str = "",
        by_corp: bool = False,
    ) -> list[answers.GroupMsg]:
        """Return mass messages, the corp's and members' own, made in a span of at most a month.

        ``creator`` names one member whose messages are wanted; ``by_corp`` leaves out members' own.
        """
        body: dict[str, object] = {
            "chat_type": chat_type,
            "start_time": int(start.timestamp()),
            "end_time": int(end.timestamp()),
            "filter_type": 0 if by_corp else 2,
            "limit": _MESSAGES_A_PAGE,
        }
        if creator:
            body["creator"] = creator
        items = pages(self._client, "externalcontact/get_groupmsg_list_v2", body, "group_msg_list")
        return [answers.group_msg(item) async for item in items]

    async def get_groupmsg_task(self, msgid: str) -> list[answers.GroupMsgTask]:
        """Return which members have confirmed a mass message."""
        body: dict[str, object] = {"msgid": msgid, "limit": _RESULTS_A_PAGE}
        items = pages(self._client, "externalcontact/get_groupmsg_task", body, "task_list")
        return [answers.group_msg_task(item) async for item in items]

    async def get_groupmsg_send_result(
        self, msgid: str, userid: str
    ) -> list[answers.GroupMsgResult]:
        """Return what became of one member's part of a mass message, for each recipient."""
        body: dict[str, object] = {"msgid": msgid, "userid": userid, "limit": _RESULTS_A_PAGE}
        items = pages(self._client, "externalcontact/get_groupmsg_send_result", body, "send_list")
        return [answers.group_msg_result(item) async for item in items]

    async def remind_groupmsg_send(self, msgid: str) -> None:
        """Remind members who have not confirmed; at most 3 times in 24 hours (41094)."""
        await self._client.post("externalcontact/remind_groupmsg_send", {"msgid": msgid})

    async def cancel_groupmsg_send(self, msgid: str) -> None:
        """Take back what is not yet confirmed; done before, WeCom answers 41093."""
        await self._client.post("externalcontact/cancel_groupmsg_send", {"msgid": msgid})
