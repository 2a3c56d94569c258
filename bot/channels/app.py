"""The self-built app: cards and words for the bank's own staff, and the buttons they press."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.domain.events import Arrival, CardPressed, Notice, Received
from bot.domain.ids import RmId
from bot.domain.messages import Card, Outbound, Receipt, StaffCard, StaffCardUpdate, StaffText
from bot.errors import Undeliverable, WeComError
from bot.wecom.app import AppApi, Button, Row, Selection, button_card
from bot.wecom.crypto import listed, parse_xml
from bot.wecom.errcodes import as_channel_error

_CODE_USED = 60140  # each code updates a card once: on a repeat it tells that it did
_DEDUPE_SECONDS = 14_400  # wecom_protocol §3.4: the longest span of the duplicate check


class AppChannel:
    """Staff side: message/send, update_template_card, template_card_event."""

    name = "app"

    def __init__(self, api: AppApi) -> None:
        self._api = api

    def cursor_of(self, notice: Notice) -> str | None:
        """Return None: the notice itself is the news."""
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Read a pressed button; other messages of staff to the app ask nothing of us."""
        fields = parse_xml(notice.body)
        if fields.get("Event") != "template_card_event":
            return Received()
        task = str(fields.get("TaskId", ""))
        event = CardPressed(
            by=RmId(str(fields.get("FromUserName", ""))),
            key=str(fields.get("EventKey", "")),
            task=task,
            response_code=str(fields.get("ResponseCode", "")),
            selected=_selected(fields.get("SelectedItems")),
            at=datetime.fromtimestamp(int(str(fields.get("CreateTime", "0"))), UTC),
        )
        lane = f"card:{task}"
        return Received(arrivals=(Arrival(key=f"app:{notice.key}", lane=lane, event=event),))

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Send to staff; WeCom folds a repeated request by its duplicate check."""
        try:
            match message:
                case StaffCard():
                    sent = await self._api.send_card(
                        [message.to], _card(message.task, message.card), dedupe_s=_DEDUPE_SECONDS
                    )
                    return Receipt(ref=sent.msgid, response_code=sent.response_code)
                case StaffCardUpdate():
                    await self._update(message, repeated=repeated)
                    return Receipt()
                case StaffText():
                    sent = await self._api.send_text(message.to, message.text)
                    return Receipt(ref=sent.msgid)
                case _:
                    raise Undeliverable("not_a_staff_message")
        except WeComError as error:
            raise as_channel_error(error) from error

    async def _update(self, message: StaffCardUpdate, *, repeated: bool) -> None:
        try:
            await self._api.update_card(
                message.response_code, [message.to], replace_name=message.replace
            )
        except WeComError as error:
            if not (repeated and error.errcode == _CODE_USED):
                raise


def _card(task: str, card: Card) -> dict[str, object]:
    choice = card.choice
    return button_card(
        task_id=task,
        title=card.title,
        desc=card.description,
        quote=card.body,
        rows=[Row(name, value) for name, value in card.rows],
        buttons=[Button(button.text, button.key, button.style) for button in card.buttons],
        selection=None if choice is None else Selection(choice.key, choice.title, choice.options),
    )


def _selected(items: object) -> dict[str, str]:
    """Return question key → first chosen option."""
    found = {}
    for item in listed(items.get("SelectedItem")) if isinstance(items, Mapping) else []:
        if isinstance(item, Mapping) and isinstance(options := item.get("OptionIds"), Mapping):
            chosen = listed(options.get("OptionId"))
            found[str(item.get("QuestionKey", ""))] = str(chosen[0]) if chosen else ""
    return found
