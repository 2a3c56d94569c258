"""What customers say aloud: fetched from WeCom and written down, where the bank has the means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from bot.domain.events import MessageReceived
from bot.domain.text import whole
from bot.errors import ChannelError, Retryable
from bot.log import logger
from bot.ports import Speech

log = logger(__name__)
_FORM = "amr"  # what sync_msg gives unless it is asked for Silk (wecom_protocol §4.4)


class Recordings(Protocol):
    """Where WeCom keeps what was sent."""

    async def fetch(self, media_id: str) -> bytes:
        """Return a recording; raise ``ChannelError`` where it cannot be had."""


class Ears:
    """Hears voice messages; without a speech model they stay unheard."""

    def __init__(self, speech: Speech | None, recordings: Recordings) -> None:
        self._speech = speech
        self._recordings = recordings

    @property
    def deaf(self) -> bool:
        """Tell whether nothing can be heard here at all."""
        return self._speech is None

    async def listen(
        self, messages: Iterable[MessageReceived], known: dict[str, str]
    ) -> dict[str, str]:
        """Return the words of each voice message by its id; "" where they cannot be made out.

        ``known`` holds what was heard before, so that nothing is listened to twice.
        """
        for message in messages:
            if message.form == "voice" and message.msgid not in known:
                known[message.msgid] = await self._words(message.media)
        return known

    async def _words(self, media_id: str) -> str:
        if self._speech is None or not media_id:
            return ""
        try:
            audio = await self._recordings.fetch(media_id)
            return whole(await self._speech.transcribe(audio, _FORM)).strip()
        except (ChannelError, Retryable) as error:
            log.warning("voice_not_heard", reason=str(error))
            return ""
