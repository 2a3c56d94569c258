"""客户联系: customers and groups that come and go, mass-send tasks, moments, tags."""

from __future__ import annotations

from bot.channels.attachments import Attachments
from bot.channels.contact_events import read_change
from bot.channels.media import MediaShelf
from bot.channels.tags import TagIds
from bot.domain.events import Notice, Received, TagsChanged
from bot.domain.mass_messages import receivers_of, sender_of
from bot.domain.messages import (
    Broadcast,
    BroadcastCancel,
    BroadcastReminder,
    CustomerBroadcast,
    CustomerWelcome,
    GroupWelcome,
    Moment,
    MomentCancel,
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
_MOMENT_IS_OVER = frozenset({40058, 41060})  # cancelled before, or known no more
# Too late, chatting already, no consent to the archive: nobody's failure, and final (§5.2).
_NO_WELCOME = {41050: "welcome_too_late", 41051: "already_welcomed", 41053: "no_archive_consent"}
_BUSY = frozenset({-1, 41096})  # another app is just welcoming, or WeCom has too much to do
_WELCOME_AGAIN_S = 2.0


class ContactChannel:
    """Customer contact: events in, tasks and tags out."""

    name = "contact"

    def __init__(self, api: ContactApi, media: MediaShelf, tags: TagIds | None = None) -> None:
        self._api = api
        self._attachments = Attachments(media)
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
        """Upload a message's files, which may take long, ahead of its call."""
        try:
            match message:
                case Broadcast() | CustomerBroadcast() | CustomerWelcome():
                    await self._attachments.mass(message.contents)
                case Moment():
                    await self._attachments.moment(message.contents)
                case GroupWelcome(attached=attached) if attached is not None:
                    await self._attachments.of_mass(attached)
                case _:
                    pass
        except WeComError as error:
            raise as_channel_error(error) from error

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Welcome a new friend; make, remind of or cancel a task or a moment; change tags."""
        try:
            return await self._send(message)
        except WeComError as error:
            raise as_channel_error(error) from error

    async def _send(self, message: Outbound) -> Receipt:
        match message:
            case Broadcast() | CustomerBroadcast():
                return await self._task(message)
            case BroadcastReminder():
                await self._api.remind_groupmsg_send(message.task)
            case BroadcastCancel():
                await self._cancel(message.task)
            case Moment():
                return await self._moment(message)
            case MomentCancel():
                await self._cancel_moment(message.moment)
            case GroupWelcome():
                return await self._group_welcome(message)
            case TagChange():
                await self._mark(message)
            case CustomerWelcome():
                return await self._welcome(message)
            case _:
                raise Undeliverable("not_a_contact_message")
        return Receipt()

    async def _task(self, message: Broadcast | CustomerBroadcast) -> Receipt:
        """Make a task for groups or customers, who are always named: else WeCom takes them all."""
        words, attachments = await self._attachments.mass(message.contents)
        made = await self._api.add_msg_template(
            "group" if isinstance(message, Broadcast) else "single",
            sender_of(message),
            receivers_of(message),
            words,
            attachments,
        )
        return Receipt(ref=made.msgid, failed=made.fail_list)

    async def _moment(self, message: Moment) -> Receipt:
        """Ask a manager to post; a tag that nobody has narrows nothing down, and is refused."""
        tags = await self._tags.known(message.tags)
        if len(tags) < len(message.tags):
            raise Undeliverable("unknown_tag")
        words, attachments = await self._attachments.moment(message.contents)
        return Receipt(
            ref=await self._api.add_moment_task(message.manager, tags, words, attachments)
        )

    async def _cancel_moment(self, moment: str) -> None:
        try:
            await self._api.cancel_moment_task(moment)
        except WeComError as error:
            if error.errcode not in _MOMENT_IS_OVER:
                raise

    async def _group_welcome(self, message: GroupWelcome) -> Receipt:
        attached = message.attached
        attachment = None if attached is None else await self._attachments.of_mass(attached)
        template = await self._api.group_welcome_template_add(message.text, attachment)
        return Receipt(ref=template)

    async def _welcome(self, message: CustomerWelcome) -> Receipt:
        words, attachments = await self._attachments.mass(message.contents)
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

    async def _cancel(self, task: str) -> None:
        try:
            await self._api.cancel_groupmsg_send(task)
        except WeComError as error:
            if error.errcode != _ALREADY_CANCELLED:
                raise
