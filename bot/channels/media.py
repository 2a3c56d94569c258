"""Files of the workspace as WeCom knows them: uploaded once, used for three days."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from bot.domain.ids import digest
from bot.errors import Retryable, Undeliverable, WeComError
from bot.ports import Clock
from bot.wecom.client import Unanswered, WeComClient
from bot.wecom.errcodes import as_channel_error

_LIFE = timedelta(days=3) - timedelta(hours=6)  # wecom_protocol §3.9, with room for a late owner
_FOR_GOOD = timedelta(days=365)
_MISSING = {"image": "picture_missing", "video": "video_missing", "file": "file_missing"}
_WRONG_SIZE = "file_size_refused"
Kind = Literal["image", "video", "file"]
Upload = Callable[[str, bytes], Awaitable[str]]


class MediaShelf:
    """Uploads files of ``sop/files`` and remembers by content what they are called at WeCom.

    Each raises ``Undeliverable`` where the file is gone or of a size that WeCom does not take.
    """

    def __init__(self, client: WeComClient, folder: Path, clock: Clock) -> None:
        self._client = client
        self._folder = folder
        self._clock = clock
        self._known: dict[str, tuple[str, datetime]] = {}

    async def image(self, file: str) -> str:
        """Return the media id of a picture."""
        return await self.media_id(file, "image")

    async def media_id(self, file: str, kind: Kind) -> str:
        """Return the media id of a file, for messages, welcomes and 微信客服."""

        async def upload(name: str, data: bytes) -> str:
            return await self._client.upload(kind, name, data)

        return await self._kept(f"message:{kind}", file, kind, _LIFE, upload)

    async def for_moment(self, file: str, kind: Kind) -> str:
        """Return the media id of a file that goes with a moment: WeCom keeps those apart."""

        async def upload(name: str, data: bytes) -> str:
            return await self._client.upload_for_moment(kind, name, data)

        return await self._kept(f"moment:{kind}", file, kind, _LIFE, upload)

    async def address(self, file: str) -> str:
        """Return the address under which WeCom shows a picture for good: a link's cover."""
        return await self._kept("address", file, "image", _FOR_GOOD, self._client.upload_picture)

    async def _kept(self, use: str, file: str, kind: Kind, life: timedelta, upload: Upload) -> str:
        try:
            data = await asyncio.to_thread((self._folder / file).read_bytes)
        except OSError as error:
            raise Undeliverable(_MISSING[kind]) from error
        key = digest(use, file, digest(data.hex()))
        known = self._known.get(key)
        if known is not None and known[1] > self._clock.now():
            return known[0]
        try:
            made = await upload(Path(file).name, data)
        except Unanswered as error:
            # Twice does no harm, and the message that it is for has not left.
            raise Retryable(error.reason, error.after) from None
        except ValueError as error:
            raise Undeliverable(_WRONG_SIZE) from error
        self._known[key] = (made, self._clock.now() + life)
        return made


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
