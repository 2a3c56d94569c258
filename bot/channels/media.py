"""Pictures of the workspace as WeCom knows them: uploaded once, used for three days."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.ids import digest
from bot.errors import Retryable, Undeliverable, WeComError
from bot.ports import Clock
from bot.wecom.client import Unanswered, WeComClient
from bot.wecom.errcodes import as_channel_error

_LIFE = timedelta(days=3) - timedelta(hours=6)  # wecom_protocol §3.9, with room for a late owner


class MediaShelf:
    """Uploads files of ``sop/files`` and remembers their media ids by content."""

    def __init__(self, client: WeComClient, folder: Path, clock: Clock) -> None:
        self._client = client
        self._folder = folder
        self._clock = clock
        self._known: dict[str, tuple[str, datetime]] = {}

    async def image(self, file: str) -> str:
        """Return the media id of a picture; raise ``Undeliverable`` where the file is gone."""
        try:
            data = await asyncio.to_thread((self._folder / file).read_bytes)
        except OSError as error:
            raise Undeliverable("picture_missing") from error
        key = digest(file, data.hex())
        known = self._known.get(key)
        if known is not None and known[1] > self._clock.now():
            return known[0]
        try:
            media_id = await self._client.upload("image", Path(file).name, data)
        except Unanswered as error:
            # Twice does no harm, and the message that it is for has not left.
            raise Retryable(error.reason, error.after) from None
        self._known[key] = (media_id, self._clock.now() + _LIFE)
        return media_id


class Recordings:
    """What customers sent, as WeCom keeps it for three days."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client

    async def fetch(self, media_id: str) -> bytes:
        """Return a voice message; raise ``ChannelError`` where it cannot be had."""
        try:
            return await self._client.download(media_id)
        except WeComError as error:
            raise as_channel_error(error) from error
