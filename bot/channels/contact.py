"""客户联系: customers and groups that come and go, mass-send tasks, tags."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.channels.media import MediaShelf
from bot.channels.tags import TagIds
from bot.domain.events import Arrival, CustomerChanged, GroupChanged, Notice, Received
from bot.domain.messages import (
    Broadcast,
    BroadcastCancel,
    BroadcastReminder,
    Content,
    GroupWelcome,
    Outbound,
    Receipt,
    TagChange,
)
from bot.errors import Undeliverable, WeComError
from bot.wecom.contact import ContactApi
from bot.wecom.crypto import parse_xml
from bot.wecom.errcodes import as_channel_error

_CUSTOMER_CHANGES = {
    "add_external_contact": "added",
    "add_half_external_contact": "added",
    "edit_external_contact": "edited",
    "del_external_contact": "lost",
    "del_follow_user": "lost",
}
_GROUP_CHANGES = {"create": "created", "update": "updated", "dismiss": "dismissed"}
_ALREADY_CANCELLED = 41093


class ContactChannel:
    """Customer contact: events in, tasks and tags out."""

    name = "contact"

    def __init__(self, api: ContactApi, media: MediaShelf) -> None:
        self._api = api
        self._media = media
        self._tags = TagIds(api)

    def cursor_of(self, notice: Notice) -> str | None:
        """Return None: the notice itself is the news."""
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Read a change of a customer or a group; what we do not know changes nothing."""
        arrival = _read(notice, parse_xml(notice.body))
        return Received(arrivals=() if arrival is None else (arrival,))

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Create, remind of or cancel a task; put tags on a customer."""
        try:
            return await self._send(message)
        except WeComError as error:
            raise as_channel_error(error) from error

    async def _send(self, message: Outbound) -> Receipt:
        match message:
            case Broadcast():
                return await self._broadcast(message)
            case BroadcastReminder():
                await self._api.remind_groupmsg_send(message.task)
            case BroadcastCancel():
                await self._cancel(message.task)
            case GroupWelcome():
                template = await self._api.group_welcome_template_add(message.text)
                return Receipt(ref=template)
            case TagChange():
                tags = [await self._tags.id_of(name) for name in message.add]
                await self._api.mark_tag(message.manager, message.customer, add_tag=tags)
            case _:
                raise Undeliverable("not_a_contact_message")
        return Receipt()

    async def _broadcast(self, message: Broadcast) -> Receipt:
        texts = [content.text for content in message.contents if content.kind == "text"]
        attachments = [
            await self._attachment(content)
            for content in message.contents
            if content.kind != "text"
        ]
        task = await self._api.add_msg_template(
            "group", message.owner, message.chats, "\n".join(texts), attachments
        )
        return Receipt(ref=task.msgid, failed=task.fail_list)

    async def _attachment(self, content: Content) -> dict[str, object]:
        match content.kind:
            case "image":
                media_id = await self._media.image(content.file)
                return {"msgtype": "image", "image": {"media_id": media_id}}
            case "link":
                link = {"title": content.title, "url": content.url, "desc": content.description}
                return {"msgtype": "link", "link": link}
            case _:
                raise Undeliverable(f"cannot_attach_{content.kind}")

    async def _cancel(self, task: str) -> None:
        try:
            await self._api.cancel_groupmsg_send(task)
        except WeComError as error:
            if error.errcode != _ALREADY_CANCELLED:
                raise


def _read(notice: Notice, fields: Mapping[str, Any]) -> Arrival | None:
    at = datetime.fromtimestamp(int(str(fields.get("CreateTime", "0"))), UTC)
    change = str(fields.get("ChangeType", ""))
    key = f"contact:{notice.key}"
    if fields.get("Event") == "change_external_contact" and change in _CUSTOMER_CHANGES:
        customer = str(fields.get("ExternalUserID", ""))
        event = CustomerChanged.model_validate(
            {
                "change": _CUSTOMER_CHANGES[change],
                "customer": customer,
                "manager": fields.get("UserID", ""),
                "state": fields.get("State", ""),
                "welcome_code": fields.get("WelcomeCode", ""),
                "at": at,
            }
        )
        return Arrival(key=key, lane=f"customer:{customer}", event=event)
    if fields.get("Event") == "change_external_chat" and change in _GROUP_CHANGES:
        chat = str(fields.get("ChatId", ""))
        changed = GroupChanged.model_validate(
            {
                "change": _GROUP_CHANGES[change],
                "chat": chat,
                "detail": fields.get("UpdateDetail", ""),
                "at": at,
            }
        )
        return Arrival(key=key, lane=f"group:{chat}", event=changed)
    return None
