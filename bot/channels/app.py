"""The self-built app: cards and words for the bank's own staff, what they press and ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.channels.staff_cards import notice_card, poll_card, pressed_card
from bot.domain.events import Arrival, CardPressed, Event, Notice, Received, StaffAsked
from bot.domain.ids import RmId
from bot.domain.messages import Outbound, Receipt
from bot.domain.staff_messages import (
    ReplyTo,
    StaffCard,
    StaffCardUpdate,
    StaffNotice,
    StaffPoll,
    StaffText,
)
from bot.errors import Undeliverable, WeComError
from bot.wecom.app import AppApi, SentCard
from bot.wecom.cards import Fields
from bot.wecom.crypto import listed, parse_xml
from bot.wecom.errcodes import as_channel_error

_CODE_USED = 60140  # each code updates a card once: on a repeat it tells that it did
_DEDUPE_SECONDS = 14_400  # wecom_protocol §3.4: the longest span of the duplicate check
_PRESSES = frozenset({"template_card_event", "template_card_menu_event"})
_MESSAGES = frozenset({"text", "image", "voice", "video", "location", "link", "file"})


class AppChannel:
    """Staff side: message/send, update_template_card, presses, and what staff write to the app.

    Without ``listens`` what they write asks nothing of us: the AI bot is there for that.
    """

    name = "app"

    def __init__(self, api: AppApi, *, listens: bool = True) -> None:
        self._api = api
        self._listens = listens

    def cursor_of(self, notice: Notice) -> str | None:
        """Return None: the notice itself is the news."""
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Read a pressed button or a member's question."""
        fields = parse_xml(notice.body)
        event: Event | None = None
        lane = ""
        if fields.get("Event") in _PRESSES:
            pressed = _press(fields)
            event, lane = pressed, f"card:{pressed.task}"
        elif self._listens and fields.get("MsgType") in _MESSAGES:
            asked = _question(fields)
            event, lane = asked, f"staff:{asked.by}"
        if event is None:
            return Received()
        return Received(arrivals=(Arrival(key=f"app:{notice.key}", lane=lane, event=event),))

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Send to staff; WeCom folds a repeated request by its duplicate check."""
        try:
            match message:
                case StaffCard():
                    sent = await self._card(message.to, pressed_card(message.task, message.card))
                case StaffNotice():
                    sent = await self._card(message.to, notice_card(message))
                case StaffPoll():
                    sent = await self._card(message.to, poll_card(message))
                case StaffText():
                    sent = await self._api.send_text(message.to, message.text)
                case StaffCardUpdate():
                    await self._update(message, repeated=repeated)
                    return Receipt()
                case _:
                    raise Undeliverable("not_a_staff_message")
        except WeComError as error:
            raise as_channel_error(error) from error
        return Receipt(ref=sent.msgid, response_code=sent.response_code)

    async def _card(self, to: RmId, card: Fields) -> SentCard:
        return await self._api.send_card([to], card, dedupe_s=_DEDUPE_SECONDS)

    async def _update(self, message: StaffCardUpdate, *, repeated: bool) -> None:
        try:
            await self._api.update_card(
                message.response_code,
                [message.to],
                replace_name=message.replace,
                card=pressed_card(message.task, message.card) if message.card else None,
            )
        except WeComError as error:
            if not (repeated and error.errcode == _CODE_USED):
                raise


def _press(fields: Mapping[str, object]) -> CardPressed:
    chosen = _chosen(fields.get("SelectedItems"))
    return CardPressed(
        by=_by(fields),
        key=str(fields.get("EventKey", "")),
        task=str(fields.get("TaskId", "")),
        response_code=str(fields.get("ResponseCode", "")),
        selected={question: ids[0] if ids else "" for question, ids in chosen.items()},
        chosen=chosen,
        at=_at(fields),
    )


def _question(fields: Mapping[str, object]) -> StaffAsked:
    form = str(fields.get("MsgType", ""))
    words = {"text": "Content", "voice": "Recognition"}.get(form, "")
    return StaffAsked(
        by=_by(fields),
        msgid=str(fields.get("MsgId", "")),
        form=form,
        text=str(fields.get(words, "")),
        reply=ReplyTo(via="app"),
        at=_at(fields),
    )


def _by(fields: Mapping[str, object]) -> RmId:
    return RmId(str(fields.get("FromUserName", "")))


def _at(fields: Mapping[str, object]) -> datetime:
    return datetime.fromtimestamp(int(str(fields.get("CreateTime", "0"))), UTC)


def _chosen(items: object) -> dict[str, tuple[str, ...]]:
    """Return the ids of the chosen options by question."""
    found = {}
    for item in listed(items.get("SelectedItem")) if isinstance(items, Mapping) else []:
        if isinstance(item, Mapping) and isinstance(options := item.get("OptionIds"), Mapping):
            ids = tuple(str(one) for one in listed(options.get("OptionId")))
            found[str(item.get("QuestionKey", ""))] = ids
    return found
