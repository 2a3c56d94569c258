"""Which mass-send tasks were made, asked of WeCom's own lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.doubt import MadeTask
from bot.errors import Retryable, WeComError
from bot.wecom.answers import GroupMsg
from bot.wecom.contact import ContactApi
from bot.wecom.errcodes import as_channel_error


class MadeTasks:
    """The corp's list of mass messages and an owner's own (wecom_protocol §5.7)."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api

    async def between(self, owner: str, start: datetime, end: datetime) -> Sequence[MadeTask]:
        """Return what both lists hold of a span, read to their ends."""
        try:
            made = await self._api.get_groupmsg_list_v2("group", start, end, by_corp=True)
            made += await self._api.get_groupmsg_list_v2("group", start, end, creator=owner)
        except WeComError as error:
            raise as_channel_error(error) from error
        return [_task(item) for item in {item.msgid: item for item in made}.values()]

    async def is_for(self, msgid: str, owner: str, chat: str) -> bool:
        """Tell whether a task is this owner's and goes to this group.

        Raise ``Retryable`` while WeCom does not know yet.
        """
        try:
            owners = [task.userid for task in await self._api.get_groupmsg_task(msgid)]
            if not owners:
                raise Retryable("task_not_listed_yet")
            if owner not in owners:
                return False
            results = await self._api.get_groupmsg_send_result(msgid, owner)
        except WeComError as error:
            raise as_channel_error(error) from error
        return any(result.chat_id == chat for result in results)


def _task(item: GroupMsg) -> MadeTask:
    return MadeTask(
        msgid=item.msgid,
        text=item.content,
        attachments=tuple(_words(attachment) for attachment in item.attachments),
    )


def _words(attachment: Mapping[str, object]) -> str:
    """Return an attachment as it can be compared: a picture comes back under another id."""
    kind = str(attachment.get("msgtype", ""))
    link = attachment.get("link")
    return f"link:{link.get('url', '')}" if isinstance(link, Mapping) else kind
