"""Files: three days under a media_id, pictures for good under an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import BodyPartReader, web

from bot.emulator.limits import DAY, MONTH
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

LIFE = timedelta(days=3)
_MB = 1024 * 1024
_MIN_BYTES = 5
_MAX_BYTES: Mapping[str, int] = {
    "image": 10 * _MB,
    "voice": 2 * _MB,
    "video": 10 * _MB,
    "file": 20 * _MB,
}
_PICTURE_BYTES = 2 * _MB
_PIECE = 20 * _MB
_LONGEST_VOICE_S = 60
_AMR_FRAME = (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)
"""The bytes of a frame by its mode, with the one that says the mode."""
_PNG, _JPG, _AMR = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"#!AMR"


@dataclass(frozen=True)
class Media:
    """One stored file; ``scene`` is the attachment_type it was uploaded for, 0 for none."""

    media_id: str
    kind: str
    filename: str
    content_type: str
    data: bytes
    created_at: datetime
    scene: int = 0


@dataclass
class MediaBook:
    """All files of the enterprise, shared by its apps."""

    world: World = field(repr=False)
    _files: dict[str, Media] = field(default_factory=dict)
    _pictures: dict[str, bytes] = field(default_factory=dict)

    def keep(self, kind: str, filename: str, data: bytes, content_type: str = "") -> Media:
        """Store a file that a person sent, whatever its format."""
        media = Media(
            self.world.new_id("1"),
            kind,
            filename,
            content_type or "application/octet-stream",
            data,
            self.world.now(),
        )
        self._files[media.media_id] = media
        return media

    def put(
        self, kind: str, filename: str, data: bytes, content_type: str = "", *, scene: int = 0
    ) -> Media:
        """Store a file for three days, checked as WeCom checks it."""
        _check(kind, data, _MAX_BYTES.get(kind, 0))
        media = Media(
            self.world.new_id("3"),
            kind,
            filename,
            content_type or "application/octet-stream",
            data,
            self.world.now(),
            scene,
        )
        self._files[media.media_id] = media
        return media

    def get(self, media_id: str) -> Media:
        """Return a file; refuse an unknown one and one older than three days."""
        media = self._files.get(media_id)
        if media is None or self._expired(media):
            raise ApiError(40007)
        return media

    def holds(self, media_id: str, kind: str) -> bool:
        """Tell whether there is a file of this kind under a media_id that is still good."""
        media = self._files.get(media_id)
        return media is not None and media.kind == kind and not self._expired(media)

    def ever(self, media_id: str) -> tuple[bytes, datetime] | None:
        """Return a file and when it came, however old: the archive keeps its own copy."""
        media = self._files.get(media_id)
        return (media.data, media.created_at) if media is not None else None

    def put_picture(self, data: bytes) -> str:
        """Store a picture for good and return its address (JPG or PNG, at most 2 MB)."""
        _check("image", data, _PICTURE_BYTES)
        url = f"http://p.qpic.cn/pic_wework/{self.world.new_id('')}/0"
        self._pictures[url] = data
        return url

    def picture(self, url: str) -> bytes | None:
        """Return a picture given out by ``uploadimg``, or nothing: then it is not one of ours."""
        return self._pictures.get(url)

    def _expired(self, media: Media) -> bool:
        return media.created_at + LIFE <= self.world.now()


def _check(kind: str, data: bytes, max_bytes: int) -> None:
    if kind not in _MAX_BYTES:
        raise ApiError(40004)
    if not data:
        raise ApiError(44001)
    if len(data) <= _MIN_BYTES:
        raise ApiError(40006)
    if len(data) > max_bytes:
        raise ApiError(45001)
    if kind == "image" and not data.startswith((_PNG, _JPG)):
        raise ApiError(40123)
    if kind == "voice" and not data.startswith(_AMR):
        raise ApiError(40004, "voice must be AMR")
    if kind == "voice" and _amr_seconds(data) > _LONGEST_VOICE_S:
        raise ApiError(45007)
    if kind == "video" and data[4:8] != b"ftyp":
        raise ApiError(40004, "video must be MP4")


def _amr_seconds(data: bytes) -> float:
    """Return how long a narrow-band AMR file plays: every frame holds 20 ms."""
    if not data.startswith(b"#!AMR\n"):
        return 0.0
    position, frames = len(b"#!AMR\n"), 0
    while position < len(data):
        position += _AMR_FRAME[data[position] >> 3 & 0xF]
        frames += 1
    return frames * 0.02


async def _upload(world: World, call: Call) -> Answer:
    return await _store(world, call, call.param("type", code=40005), 0)


async def _upload_attachment(world: World, call: Call) -> Answer:
    scene = call.param("attachment_type")
    if scene not in ("1", "2"):
        raise ApiError(40058, "attachment_type must be 1 or 2")
    return await _store(world, call, call.param("media_type", code=40005), int(scene))


async def _store(world: World, call: Call, kind: str, scene: int) -> Answer:
    if kind not in _MAX_BYTES:
        raise ApiError(40005)
    filename, content_type, data = await read_part(call, _MAX_BYTES[kind])
    media = world.media.put(kind, filename, data, content_type, scene=scene)
    return {
        "type": kind,
        "media_id": media.media_id,
        "created_at": str(int(media.created_at.timestamp())),
    }


async def _uploadimg(world: World, call: Call) -> Answer:
    limits = world.limits
    rules = (DAY, limits.pictures_per_day), (MONTH, limits.pictures_per_month)
    limits.spend("pictures", world.now(), *rules)
    _, _, data = await read_part(call, _PICTURE_BYTES)
    return {"url": world.media.put_picture(data)}


async def read_part(call: Call, max_bytes: int) -> tuple[str, str, bytes]:
    """Read the multipart field ``media`` and stop at the limit."""
    if not call.http.content_type.startswith("multipart/"):
        raise ApiError(41006, "the body is not multipart/form-data")
    reader = await call.http.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name != "media":
            continue
        data = bytearray()
        while chunk := await part.read_chunk():
            data += chunk
            if len(data) > max_bytes:
                raise ApiError(45001)
        content_type = part.headers.get("Content-Type", "")
        return part.filename or "media", content_type, bytes(data)
    raise ApiError(41006, "no part named media")


async def _get(world: World, call: Call) -> Answer:
    media = world.media.get(call.param("media_id", code=41006))
    name = quote(media.filename)
    headers = {
        "Content-Type": media.content_type,
        "Content-Disposition": f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}",
    }
    if "Range" not in call.http.headers:
        if len(media.data) > _PIECE:
            raise ApiError(830002)
        return web.Response(body=media.data, headers=headers)
    try:
        start, stop, _ = call.http.http_range.indices(len(media.data))
    except ValueError:
        raise ApiError(40058, "Range") from None
    if not start < stop <= start + _PIECE:
        raise ApiError(830002)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(media.data)}"
    return web.Response(status=206, body=media.data[start:stop], headers=headers)


async def _picture(world: World, call: Call) -> Answer:
    data = world.media.picture(call.param("url"))
    if data is None:
        raise ApiError(40058, "no such picture")
    kind = "image/png" if data.startswith(_PNG) else "image/jpeg"
    return web.Response(body=data, content_type=kind)


APIS: tuple[Api, ...] = (
    Api("POST", "media/upload", _upload),
    Api("POST", "media/upload_attachment", _upload_attachment),
    Api("POST", "media/uploadimg", _uploadimg),
    Api("GET", "media/get", _get),
)
CONTROLS: tuple[Api, ...] = (
    Api("GET", "picture", _picture, token=False),
    Api("GET", "media", _get, token=False),
)
