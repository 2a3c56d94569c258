"""The AI bot (智能机器人): what the bank's own staff ask, and the answers that fill up."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.channels.aibot_line import AibotLine
from bot.channels.staff_cards import pressed_card
from bot.domain.events import (
    AnswerRated,
    Arrival,
    CardPressed,
    Event,
    Notice,
    Received,
    StaffAsked,
    StaffCame,
)
from bot.domain.ids import RmId
from bot.domain.messages import Outbound, Receipt
from bot.domain.staff_messages import (
    BotCard,
    BotCardUpdate,
    ReplyTo,
    StaffMarkdown,
    StaffStream,
    StaffWelcome,
)
from bot.domain.text import whole
from bot.errors import Retryable, Undeliverable, WeComError
from bot.ports import Clock
from bot.storage.db import Database
from bot.wecom.aibot import (
    CLOSED,
    STREAM_EXPIRED,
    Told,
    card_body,
    chosen_body,
    markdown_body,
    push_body,
    push_card_body,
    read_told,
    stream_body,
    stream_id,
    welcome_body,
)
from bot.wecom.errcodes import as_channel_error
from bot.wecom.transport import Unanswered
from bot.wecom.webhook import WebhookApi

STREAM_CLOSED = "stream_closed"
_TOO_OFTEN = 45009
_CODE_USED, _TASK_USED = 60140, 40058
_SOCKET_STREAM_LIFE = timedelta(minutes=10)  # wecom_protocol §6.5
# The webhook's stream lives for 6 minutes (§6.3), and the last question may come a little early.
WEBHOOK_STREAM_LIFE = timedelta(minutes=5, seconds=50)
_MENTION = re.compile(r"^@\S+\s*")
_VERDICTS = {1: "right", 2: "wrong", 3: "withdrawn"}
_REASONS = {1: "答非所问", 2: "不完整", 3: "有错误", 4: "数据分析有误"}


class AibotChannel:
    """Staff side: answers over the WebSocket, or through the webhook's streams."""

    name = "aibot"

    def __init__(
        self, line: AibotLine | None, webhooks: WebhookApi, database: Database, clock: Clock
    ) -> None:
        self._line = line
        self._webhooks = webhooks
        self._database = database
        self._clock = clock

    @property
    def reachable(self) -> bool:
        """Tell whether this process can send; over the WebSocket only the one connected can."""
        return self._line is None or self._line.connected

    def cursor_of(self, notice: Notice) -> str | None:
        """Return None: the notice itself is the news."""
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Read a question, a press, a rating or somebody's coming in."""
        told = read_told(notice.body)
        event = _event(told)
        if event is None or not told.userid:
            return Received()
        arrival = Arrival(key=f"aibot:{told.msgid}", lane=f"staff:{told.userid}", event=event)
        return Received(arrivals=(arrival,))

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Answer where the question came from; a closed message is told as ``stream_closed``."""
        try:
            match message:
                case StaffStream(reply=ReplyTo(via="socket")):
                    await self._stream(message, repeated=repeated)
                case StaffStream(reply=ReplyTo(via="webhook")):
                    await self._fill(message, repeated=repeated)
                case StaffMarkdown():
                    await self._say(message)
                case BotCard():
                    await self._card(message, repeated=repeated)
                case BotCardUpdate():
                    await self._update(message, repeated=repeated)
                case StaffWelcome():
                    await self._socket().send(
                        "aibot_respond_welcome_msg",
                        welcome_body(message.text),
                        req_id=message.reply.req_id,
                    )
                case _:
                    raise Undeliverable("not_for_the_ai_bot")
        except WeComError as error:
            if error.errcode == _TOO_OFTEN:  # one talk's limit: the others are not held up
                raise Retryable("too_often_in_this_talk", 60.0) from error
            raise as_channel_error(error) from error
        return Receipt()

    async def so_far(self, reply: ReplyTo, words: str) -> None:
        """Show what is written of an answer so far; it is replaced by the answer itself."""
        if reply.via == "socket" and self._line is not None:
            self._line.so_far(reply.req_id, words)
        elif reply.via == "webhook":
            async with self._database.begin() as tx:
                await tx.streams.write(reply.stream, words, finished=False)

    def _socket(self) -> AibotLine:
        if self._line is None:
            raise Undeliverable("no_websocket")
        return self._line

    async def _stream(self, message: StaffStream, *, repeated: bool) -> None:
        """Show the whole answer; without an acknowledgement it is sent once more, to be sure."""
        line, req_id = self._socket(), message.reply.req_id
        first = not line.begun(req_id)
        body = stream_body(message.reply.stream, message.text, finish=True, first=first)
        try:
            try:
                await line.send("aibot_respond_msg", body, req_id=req_id)
            except Unanswered:
                repeated = True
                await line.send("aibot_respond_msg", body, req_id=req_id)
        except WeComError as error:
            if error.errcode not in CLOSED:
                raise
            if not repeated:
                raise Undeliverable(STREAM_CLOSED) from error
            # Our own last frame closed it, whose acknowledgement was lost on the way; unless its
            # time was over: then nobody knows what is shown, and twice would be worse.
            lives = self._clock.now() - message.asked_at < _SOCKET_STREAM_LIFE
            if error.errcode != STREAM_EXPIRED or not lives:
                raise Undeliverable("in_doubt") from error

    async def _fill(self, message: StaffStream, *, repeated: bool) -> None:
        """Write the answer where WeCom fetches it; too late for that, use the response_url."""
        if self._clock.now() - message.asked_at < WEBHOOK_STREAM_LIFE:
            async with self._database.begin() as tx:
                await tx.streams.open(message.reply.stream, message.asked_at)
                await tx.streams.write(message.reply.stream, message.text, finished=True)
            return
        if not message.reply.response_url:
            raise Undeliverable(STREAM_CLOSED)
        try:
            await self._webhooks.post(message.reply.response_url, markdown_body(message.text))
        except WeComError as error:
            if not (repeated and error.errcode == _CODE_USED):
                raise

    async def _card(self, message: BotCard, *, repeated: bool) -> None:
        """Send a card; the second of the same task, or to a used address, is refused by WeCom."""
        card, reply = pressed_card(message.task, message.card), message.reply
        try:
            if reply.via == "webhook":
                if not reply.response_url:
                    raise Undeliverable("no_response_url")
                await self._webhooks.post(reply.response_url, card_body(card))
            else:
                await self._socket().send("aibot_send_msg", push_card_body(message.to, card))
        except WeComError as error:
            if not (repeated and error.errcode in (_CODE_USED, _TASK_USED)):
                raise

    async def _update(self, message: BotCardUpdate, *, repeated: bool) -> None:
        body, req_id = chosen_body(message.task, message.title), message.reply.req_id
        try:
            await self._socket().send("aibot_respond_update_msg", body, req_id=req_id)
        except WeComError as error:
            if not (repeated and error.errcode in CLOSED):
                raise

    async def _say(self, message: StaffMarkdown) -> None:
        reply = message.reply
        if reply.via == "webhook":
            if not reply.response_url:
                raise Undeliverable("no_response_url")
            await self._webhooks.post(reply.response_url, markdown_body(message.text))
            return
        await self._socket().send("aibot_send_msg", push_body(message.to, reply.chat, message.text))


def _event(told: Told) -> Event | None:
    by = RmId(told.userid)
    reply = ReplyTo(
        via="socket" if told.req_id else "webhook",
        chat=told.chatid,
        req_id=told.req_id,
        response_url=told.response_url,
        stream=stream_id(told.msgid),
    )
    if told.msgtype == "stream":
        return None
    if told.msgtype != "event":
        said = whole(told.text)
        words = _MENTION.sub("", said) if told.chatid else said
        return StaffAsked(
            by=by, msgid=told.msgid, form=told.msgtype, text=words, reply=reply, at=told.at
        )
    if told.event == "enter_chat":
        return StaffCame(by=by, msgid=told.msgid, reply=reply, at=told.at)
    if told.rated is not None:
        return _rating(told, by)
    return _press(told, by, reply)


def _rating(told: Told, by: RmId) -> AnswerRated | None:
    rated = told.rated or {}
    verdict = rated.get("type")
    if verdict not in _VERDICTS:
        return None
    found = rated.get("inaccurate_reason_list")
    reasons = found if isinstance(found, list) else []
    return AnswerRated(
        by=by,
        answer=str(rated.get("id", "")),
        verdict=_VERDICTS[verdict],
        reasons=tuple(_REASONS.get(one, str(one)) for one in reasons),
        at=told.at,
    )


def _press(told: Told, by: RmId, reply: ReplyTo) -> CardPressed | None:
    pressed = told.pressed
    if pressed is None:
        return None
    return CardPressed(
        by=by,
        key=pressed.key,
        task=pressed.task,
        selected={name: ids[0] if ids else "" for name, ids in pressed.chosen.items()},
        chosen=dict(pressed.chosen),
        reply=reply,
        at=told.at,
    )
