"""Files that a bot sends up its WebSocket in chunks, checked as WeCom checks them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.emulator.limits import HOUR, MINUTE
from bot.emulator.wire import ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

CHUNK_BYTES = 512 * 1024
MAX_CHUNKS = 100
MIN_BYTES = 5
SESSION_LIFE = timedelta(minutes=30)
PER_MINUTE, PER_HOUR = 30, 1000
_MB = 1024 * 1024
_MAX_BYTES = {"image": 10 * _MB, "voice": 2 * _MB, "video": 10 * _MB, "file": 20 * _MB}
_NAME_BYTES = 256


@dataclass
class _Session:
    bot_id: str
    kind: str
    filename: str
    total_size: int
    total_chunks: int
    md5: str
    began_at: datetime
    chunks: dict[int, bytes] = field(default_factory=dict)


@dataclass
class Uploads:
    """The uploads under way, by their id."""

    world: World = field(repr=False)
    _sessions: dict[str, _Session] = field(default_factory=dict)

    def begin(self, bot_id: str, call: Call) -> dict[str, object]:
        """Open an upload: the sizes are promised here and checked at the end."""
        rules = (MINUTE, PER_MINUTE), (HOUR, PER_HOUR)
        self.world.limits.spend(f"aibot-upload:{bot_id}", self.world.now(), *rules)
        kind = call.text("type", code=40004)
        if kind not in _MAX_BYTES:
            raise ApiError(40004)
        filename = call.text("filename", max_bytes=_NAME_BYTES)
        size = call.integer("total_size", low=MIN_BYTES, code=40006)
        if size > _MAX_BYTES[kind]:
            raise ApiError(45001)
        chunks = call.integer("total_chunks", low=1, high=MAX_CHUNKS)
        if not chunks <= size <= chunks * CHUNK_BYTES:
            raise ApiError(40058, "total_size does not fit total_chunks")
        md5 = call.text("md5", required=False)
        upload_id = self.world.new_id("up")
        now = self.world.now()
        self._sessions[upload_id] = _Session(bot_id, kind, filename, size, chunks, md5, now)
        return {"upload_id": upload_id}

    def chunk(self, bot_id: str, call: Call) -> dict[str, object]:
        """Take one chunk; any order will do, and the same one again changes nothing."""
        session = self._session(bot_id, call)
        index = call.integer("chunk_index", low=0, high=session.total_chunks - 1)
        try:
            data = base64.b64decode(call.text("base64_data"), validate=True)
        except (ValueError, binascii.Error):
            raise ApiError(40058, "base64_data is not base64") from None
        if len(data) > CHUNK_BYTES:
            raise ApiError(45001, "a chunk has at most 512 KB")
        session.chunks.setdefault(index, data)
        return {}

    def finish(self, bot_id: str, call: Call) -> dict[str, object]:
        """Put the chunks together; refuse a missing one, a wrong size and a wrong md5."""
        session = self._session(bot_id, call)
        if len(session.chunks) < session.total_chunks:
            raise ApiError(40058, "chunks are missing")
        data = b"".join(session.chunks[number] for number in range(session.total_chunks))
        if len(data) != session.total_size:
            raise ApiError(40006, "total_size is wrong")
        if session.md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != session.md5:
            raise ApiError(40058, "md5 is wrong")
        del self._sessions[call.text("upload_id")]
        media = self.world.media.put(session.kind, session.filename, data)
        created_at = int(media.created_at.timestamp())
        return {"type": session.kind, "media_id": media.media_id, "created_at": created_at}

    def _session(self, bot_id: str, call: Call) -> _Session:
        session = self._sessions.get(call.text("upload_id"))
        if session is None or session.bot_id != bot_id:
            raise ApiError(40058, "no such upload")
        if session.began_at + SESSION_LIFE <= self.world.now():
            raise ApiError(40058, "the upload has expired")
        return session
