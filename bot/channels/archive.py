"""会话内容存档: what is said in customer groups and between two, read by sequence number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.events import (
    ArchiveUnreadable,
    Arrival,
    GroupMessageReceived,
    Notice,
    PrivateMessageReceived,
    Received,
)
from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.messages import Outbound, Receipt
from bot.domain.text import whole
from bot.errors import Retryable, Undeliverable, WeComError
from bot.log import logger
from bot.ports import Archive, Clock
from bot.wecom.errcodes import as_channel_error

_PAGE = 500
_FIRST = "first:"
_OLD = timedelta(minutes=10)
log = logger(__name__)
_CUSTOMER_PREFIXES = ("wm", "wo")
_ANSWERS_TO_CONSENT = ("agree", "disagree")  # to the archive itself: no words


class ArchiveChannel:
    """Reads groups; nothing can be sent through an archive."""

    name = "archive"

    def __init__(self, archive: Archive | None, clock: Clock) -> None:
        self._archive = archive
        self._clock = clock

    def cursor_of(self, notice: Notice) -> str | None:
        """Name the archive's cursor: the last sequence number that was pulled."""
        return "archive"

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Pull one page; the cursor moves past every kind of message, read or not.

        A first start reads past the last days' messages and works on what is new only.
        """
        if self._archive is None:
            return Received()
        first = not cursor or cursor.startswith(_FIRST)
        seq = int(cursor.removeprefix(_FIRST) or 0)
        try:
            items = await self._archive.pull(seq, _PAGE)
        except WeComError as error:
            raise as_channel_error(error) from error
        since = self._clock.now() - _OLD if first else datetime.fromtimestamp(0, UTC)
        arrivals = [arrival for item in items if (arrival := _read_safely(item, since))]
        last = max((int(str(item["seq"])) for item in items), default=seq)
        more = len(items) == _PAGE
        mark = _FIRST if first and more else ""
        return Received(arrivals=tuple(arrivals), cursor=f"{mark}{last}", more=more)

    async def reread(self, seq: int) -> Arrival | None:
        """Return one message that could not be read before; None where it says nothing to us.

        Raise ``Retryable`` where it still cannot be read, or is not there any more.
        """
        if self._archive is None:
            raise Undeliverable("no_archive")
        try:
            items = await self._archive.pull(seq - 1, 1)
        except WeComError as error:
            raise as_channel_error(error) from error
        found = next((item for item in items if int(str(item["seq"])) == seq), None)
        if found is None:
            raise Retryable("archived_message_gone")
        arrival = _read_safely(found, datetime.fromtimestamp(0, UTC))
        if arrival is not None and isinstance(arrival.event, ArchiveUnreadable):
            raise Retryable(arrival.event.reason)
        return arrival

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Refuse: in a customer group no program may speak (wecom_protocol §0 b)."""
        raise Undeliverable("archive_is_read_only")


def _read_safely(item: Mapping[str, Any], since: datetime) -> Arrival | None:
    """Read one message; one that cannot be read must not hold up those behind it."""
    if "error" in item:
        return _unreadable(item)
    try:
        arrival = _read(item)
    except (ValueError, TypeError, AttributeError):
        log.warning("item_not_read", msgid=str(item.get("msgid", "")))
        return None
    event = arrival.event if arrival else None
    if not isinstance(event, GroupMessageReceived | PrivateMessageReceived):
        return None
    return arrival if event.sent_at >= since else None


def _unreadable(item: Mapping[str, Any]) -> Arrival:
    """Keep what could not be decrypted as an event of its own: the key may be there later."""
    event = ArchiveUnreadable(
        seq=int(item["seq"]), msgid=str(item.get("msgid", "")), reason=str(item["error"])
    )
    lane = f"archive:{event.seq}"
    return Arrival(key=f"archive-unread:{event.msgid or event.seq}", lane=lane, event=event)


def _words(message: Mapping[str, Any]) -> str:
    return whole(message.get("text", {}).get("content", ""))


def _read(item: Mapping[str, Any]) -> Arrival | None:
    message = item.get("message", {})
    chat = str(message.get("roomid", ""))
    if message.get("action") != "send":
        return None
    if not chat:
        return _read_private(item, message)
    sender = str(message.get("from", ""))
    form = str(message.get("msgtype", ""))
    event = GroupMessageReceived(
        chat=GroupChatId(chat),
        sender=sender,
        staff=not sender.startswith(_CUSTOMER_PREFIXES),
        msgid=str(item.get("msgid", "")),
        form=form,
        text=_words(message) if form == "text" else "",
        sent_at=datetime.fromtimestamp(int(message.get("msgtime", 0)) / 1000, UTC),
    )
    lane = f"group:{chat}:{sender}"  # one person's words in their order; people do not wait
    return Arrival(key=f"archive:{event.msgid}", lane=lane, event=event)


def _read_private(item: Mapping[str, Any], message: Mapping[str, Any]) -> Arrival | None:
    """Read what a customer and a member of staff wrote to each other.

    Of what staff write only the words are read: they tell what became of a draft.
    """
    sender, form = str(message.get("from", "")), str(message.get("msgtype", ""))
    others = [str(one) for one in message.get("tolist", ())]
    by_staff = not sender.startswith(_CUSTOMER_PREFIXES)
    partners = [one for one in others if one.startswith(_CUSTOMER_PREFIXES) is by_staff]
    if not partners or form in _ANSWERS_TO_CONSENT or (by_staff and form != "text"):
        return None
    customer, manager = (partners[0], sender) if by_staff else (sender, partners[0])
    event = PrivateMessageReceived(
        customer=CustomerId(customer),
        manager=RmId(manager),
        staff=by_staff,
        msgid=str(item.get("msgid", "")),
        form=form,
        text=_words(message) if form == "text" else "",
        sent_at=datetime.fromtimestamp(int(message.get("msgtime", 0)) / 1000, UTC),
    )
    return Arrival(key=f"archive:{event.msgid}", lane=f"private:{customer}", event=event)
