"""客户联系: customers and groups that come and go, mass-send tasks, tags."""

from __future__ import annotations

from collections.abc import Sequence

from bot.channels.contact_events import read_change
from bot.channels.media import MediaShelf
from bot.channels.tags import TagIds
from bot.domain.events import Notice, Received, TagsChanged
from bot.domain.messages import (
    Broadcast,
    BroadcastCancel,
    BroadcastReminder,
    Content,
    CustomerWelcome,
    GroupWelcome,
    Outbound,
    Receipt,
    TagChange,
)
from bot.errors import Retryable, Undeliverable, WeComError
from bot.wecom.contact import ContactApi
from bot.wecom.crypto import parse_xml
from bot.wecom.errcodes import as_channel_error

_ALREADY_CANCELLED = 41093
_BAD_TAG = 40068
# Too late, chatting already, no consent to the archive: nobody's failure, and final (§5.2).
_NO_WELCOME = {41050: "welcome_too_late", 41051: "already_welcomed", 41053: "no_archive_consent"}
_BUSY = frozenset({-1, 41096})  # another app is just welcoming, or WeCom has too much to do
_WELCOME_AGAIN_S = 2.0


class ContactChannel:
    """Customer contact: events in, tasks and tags out."""

    name = "contact"

    def __init__(self, api: ContactApi, media: MediaShelf, tags: TagIds | None = None) -> None:
        self._api = api
        self._media = media
        self._tags = tags or TagIds(api)

    def cursor_of(self, notice: Notice) -> str | None:
        """Return None: the notice itself is the news."""
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Read a change of a customer, a group or a tag; what we do not know changes nothing."""
        arrival = read_change(parse_xml(notice.body))
        if arrival is not None and isinstance(arrival.event, TagsChanged):
            self._tags.forget()
        return Received(arrivals=() if arrival is None else (arrival,))

    async def prepare(self, message: Outbound) -> None:
        """Upload a message's pictures, which may take long, ahead of its call."""
        if not isinstance(message, Broadcast | CustomerWelcome):
            return
        try:
            await self._parts(message.contents)
        except WeComError as error:
            raise as_channel_error(error) from error

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Welcome a new friend; create, remind of or cancel a task; put tags on a customer."""
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
                await self._mark(message)
            case CustomerWelcome():
                return await self._welcome(message)
            case _:
                raise Undeliverable("not_a_contact_message")
        return Receipt()

    async def _broadcast(self, message: Broadcast) -> Receipt:
        words, attachments = await self._parts(message.contents)
        task = await self._api.add_msg_template(
            "group", message.owner, message.chats, words, attachments
        )
        return Receipt(ref=task.msgid, failed=task.fail_list)

    async def _parts(self, contents: Sequence[Content]) -> tuple[str, list[dict[str, object]]]:
        """Return the words in one, and the attachments."""
        words = "\n".join(content.text for content in contents if content.kind == "text")
        rest = [content for content in contents if content.kind != "text"]
        return words, [await self._attachment(content) for content in rest]

    async def _welcome(self, message: CustomerWelcome) -> Receipt:
        words, attachments = await self._parts(message.contents)
        try:
            await self._api.send_welcome_msg(message.code, words, attachments)
        except WeComError as error:
            if error.errcode in _NO_WELCOME:
                return Receipt(skipped=_NO_WELCOME[error.errcode])
            if error.errcode in _BUSY:  # there are only 20 seconds
                raise Retryable(f"wecom_{error.errcode}", _WELCOME_AGAIN_S) from error
            raise
        return Receipt()

    async def _mark(self, message: TagChange) -> None:
        """Put tags on and take tags off; an id that is gone by now is looked up once more."""
        try:
            await self._mark_once(message)
        except WeComError as error:
            if error.errcode != _BAD_TAG:
                raise
            self._tags.forget()
            await self._mark_once(message)

    async def _mark_once(self, message: TagChange) -> None:
        add = [await self._tags.id_of(name) for name in message.add]
        remove = await self._tags.known(message.remove)
        if add or remove:
            await self._api.mark_tag(message.manager, message.customer, add, remove)

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
