"""会话内容存档: what people write in customer groups, read by sequence number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.domain.events import Arrival, GroupMessageReceived, Notice, Received
from bot.domain.ids import GroupChatId
from bot.domain.messages import Outbound, Receipt
from bot.errors import Undeliverable, WeComError
from bot.ports import Archive
from bot.wecom.errcodes import as_channel_error

_PAGE = 500
_CUSTOMER_PREFIXES = ("wm", "wo")


class ArchiveChannel:
    """Reads groups; nothing can be sent through an archive."""

    name = "archive"

    def __init__(self, archive: Archive | None) -> None:
        self._archive = archive

    def cursor_of(self, notice: Notice) -> str | None:
        """Name the archive's cursor: the last sequence number that was pulled."""
        return "archive"

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Pull one page; the cursor moves past every kind of message, read or not."""
        if self._archive is None:
            return Received()
        try:
            items = await self._archive.pull(int(cursor or 0), _PAGE)
        except WeComError as error:
            raise as_channel_error(error) from error
        arrivals = [arrival for item in items if (arrival := _read(item)) is not None]
        last = max((int(str(item["seq"])) for item in items), default=int(cursor or 0))
        return Received(arrivals=tuple(arrivals), cursor=str(last), more=len(items) == _PAGE)

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Refuse: in a customer group no program may speak (wecom_protocol §0 b)."""
        raise Undeliverable("archive_is_read_only")


def _read(item: Mapping[str, Any]) -> Arrival | None:
    message = item.get("message", {})
    chat = str(message.get("roomid", ""))
    if not chat or message.get("action") != "send":
        return None
    sender = str(message.get("from", ""))
    form = str(message.get("msgtype", ""))
    event = GroupMessageReceived(
        chat=GroupChatId(chat),
        sender=sender,
        staff=not sender.startswith(_CUSTOMER_PREFIXES),
        msgid=str(item.get("msgid", "")),
        form=form,
        text=str(message.get("text", {}).get("content", "")) if form == "text" else "",
        sent_at=datetime.fromtimestamp(int(message.get("msgtime", 0)) / 1000, UTC),
    )
    lane = f"group:{chat}:{sender}"  # one person's words in their order; people do not wait
    return Arrival(key=f"archive:{event.msgid}", lane=lane, event=event)
