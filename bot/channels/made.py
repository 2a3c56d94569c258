"""Which mass-send tasks and moments were made, asked of WeCom's own lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from bot.domain.doubt import MadeTask
from bot.domain.mass_messages import Broadcast, Moment, Task, sender_of
from bot.errors import Retryable, WeComError
from bot.wecom.answers import GroupMsg
from bot.wecom.contact import ContactApi
from bot.wecom.errcodes import as_channel_error
from bot.wecom.moments import ListedMoment


class MadeTasks:
    """The corp's list of mass messages and a sender's own (§5.7), and that of moments (§5.8)."""

    def __init__(self, api: ContactApi) -> None:
        self._api = api

    async def between(
        self, message: Task | Moment, start: datetime, end: datetime
    ) -> Sequence[MadeTask]:
        """Return what was made in a span that may be this message, lists read to their ends."""
        try:
            if isinstance(message, Moment):
                found = await self._api.get_moment_list(start, end)
                return [_moment(item) for item in found if not item.creator]
            return await self._tasks(message, start, end)
        except WeComError as error:
            raise as_channel_error(error) from error

    async def _tasks(self, message: Task, start: datetime, end: datetime) -> list[MadeTask]:
        form: Literal["group", "single"] = "group" if isinstance(message, Broadcast) else "single"
        owner = sender_of(message)
        made = await self._api.get_groupmsg_list_v2(form, start, end, by_corp=True)
        made += await self._api.get_groupmsg_list_v2(form, start, end, creator=owner)
        return [_task(item) for item in {item.msgid: item for item in made}.values()]

    async def receivers(self, made: str, message: Task | Moment) -> frozenset[str]:
        """Return whom a made task of this sender's reaches; of a moment, its sender.

        Empty where it is somebody else's. Raise ``Retryable`` while WeCom does not know yet.
        """
        sender = sender_of(message)
        try:
            if isinstance(message, Moment):
                tasks = await self._api.get_moment_task(made)
                return frozenset({sender} & {task.userid for task in tasks})
            owners = [task.userid for task in await self._api.get_groupmsg_task(made)]
            if not owners:
                raise Retryable("task_not_listed_yet")
            if sender not in owners:
                return frozenset()
            results = await self._api.get_groupmsg_send_result(made, sender)
        except WeComError as error:
            raise as_channel_error(error) from error
        return frozenset(result.chat_id or result.external_userid for result in results)


def _task(item: GroupMsg) -> MadeTask:
    return MadeTask(
        msgid=item.msgid,
        text=item.content,
        attachments=tuple(_words(attachment) for attachment in item.attachments),
    )


def _moment(item: ListedMoment) -> MadeTask:
    attached = ["image"] * item.pictures
    attached += [f"link:{item.link}"] if item.link else []
    attached += ["video"] if item.has_video else []
    return MadeTask(msgid=item.moment_id, text=item.content, attachments=tuple(attached))


def _words(attachment: Mapping[str, object]) -> str:
    """Return an attachment as it can be compared: a file comes back under another id."""
    kind = str(attachment.get("msgtype", ""))
    payload = attachment.get(kind)
    if not isinstance(payload, Mapping):
        return kind
    match kind:
        case "link":
            return f"link:{payload.get('url', '')}"
        case "miniprogram":
            return f"mini_program:{payload.get('appid', '')}/{payload.get('page', '')}"
        case _:
            return kind
