"""The AI bot's webhook: a callback is answered in its own response, then asked after."""

from __future__ import annotations

import json
from datetime import timedelta

from bot.channels.aibot_line import FIRST_WORDS
from bot.domain.staff_question import WELCOME, chosen_title, read_chosen
from bot.ports import Clock
from bot.storage.db import Database
from bot.wecom.aibot import (
    Told,
    chosen_body,
    read_told,
    stream_body,
    stream_id,
    welcome_body,
)

_KEPT_FOR = timedelta(hours=1)  # a stream lives for six minutes (wecom_protocol §6.3)


class AibotAcknowledger:
    """Says at once that a question was heard; then gives out what is written so far."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def keeps(self, body: str) -> bool:
        """Tell whether this callback is news; raise ``CallbackRejected`` where it is none."""
        return read_told(body).msgtype != "stream"

    async def acknowledge(self, body: str) -> str:
        """Return the first frame for a question, the frame so far for a refresh."""
        told = read_told(body)
        if told.msgtype == "event":
            return self._of_event(told)
        if told.msgtype == "stream":
            return await self._so_far(told.stream)
        stream, now = stream_id(told.msgid), self._clock.now()
        async with self._database.begin() as tx:
            # WeCom repeats a callback it had no answer to: the answer may be there by now.
            fresh = await tx.streams.open(stream, now)
            if fresh:
                await tx.streams.drop_before(now - _KEPT_FOR)
        if not fresh:
            return await self._so_far(stream)
        return _json(stream_body(stream, FIRST_WORDS, finish=False, first=True))

    def _of_event(self, told: Told) -> str:
        """Greet who comes in; grey the card whose button was pressed, which says what it was."""
        if told.event == "enter_chat":
            return _json(welcome_body(WELCOME))
        chosen = read_chosen(told.pressed.key) if told.pressed is not None else None
        if told.pressed is None or chosen is None:
            return ""
        return _json(chosen_body(told.pressed.task, chosen_title(chosen.name)))

    async def _so_far(self, stream: str) -> str:
        async with self._database.read() as tx:
            found = await tx.streams.get(stream)
        if found is None:
            # It was forgotten long ago, or never ours: nothing is to be waited for.
            return _json(stream_body(stream, "", finish=True))
        words = found.content or FIRST_WORDS
        return _json(stream_body(stream, words, finish=found.finished))


def _json(body: object) -> str:
    return json.dumps(body, ensure_ascii=False)
