"""The message archive (会话内容存档): a log with sequence numbers, rung for and pulled.

WeCom has no HTTP form of it, only a native library; the one here is our own and stands outside
``/cgi-bin``. Messages come out as the library would have decrypted them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from aiohttp import web

from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

RETENTION = timedelta(days=5)
RING_AGAIN_AFTER = timedelta(seconds=15)
MAX_LIMIT = 1000
BAD_SECRET = 40001
NOT_ENABLED = 301053
REDUCE_LIMIT = 301058
SECRET_HEADER = "X-Archive-Secret"  # noqa: S105 - a header's name


@dataclass(frozen=True)
class Entry:
    """One archived message."""

    seq: int
    msgid: str
    at: datetime
    message: Mapping[str, object]

    def as_json(self) -> dict[str, object]:
        """Return one item of ``chatdata``."""
        return {
            "seq": self.seq,
            "msgid": self.msgid,
            "publickey_ver": 1,
            "message": dict(self.message),
        }


@dataclass
class ArchiveBook:
    """The log of the last five days; with no ``secret`` the bank has not bought the archive."""

    secret: str = ""
    callback: str = "contact"
    """The callback configuration that hears of news."""
    seats: frozenset[str] | None = None
    """Members with a seat, whose conversations are archived; ``None`` means everybody."""
    last_seq: int = 0
    pulled_seq: int = 0
    rung_at: datetime | None = None
    """When the ring went out that no complete pull has answered."""
    entries: deque[Entry] = field(default_factory=deque)

    def forget_before(self, moment: datetime) -> None:
        """Drop what is older than ``moment``."""
        while self.entries and self.entries[0].at < moment:
            self.entries.popleft()

    def after(self, seq: int, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries behind ``seq`` that are still kept."""
        first = self.entries[0].seq if self.entries else 0
        start = max(0, seq + 1 - first)
        return list(islice(self.entries, start, start + limit))


def append(
    world: World,
    sender: str,
    receivers: Sequence[str],
    chat_id: str,
    msgtype: str,
    payload: Mapping[str, object],
) -> Entry | None:
    """Archive a message (``chat_id`` "" is one to one) and ring if nobody was rung for news.

    Returns nothing where no seat takes part or the bank has no archive.
    """
    book = world.archive
    if not book.secret or not _seated(book, sender, receivers):
        return None
    now = world.now()
    book.forget_before(now - RETENTION)
    book.last_seq += 1
    msgid = world.new_id("") + "_external"
    message = {
        "msgid": msgid,
        "action": "send",
        "from": sender,
        "tolist": list(receivers),
        "roomid": chat_id,
        "msgtime": int(now.timestamp() * 1000),
        "msgtype": msgtype,
        msgtype: dict(payload),
    }
    entry = Entry(book.last_seq, msgid, now, message)
    book.entries.append(entry)
    _ring(world, now)
    return entry


def pull(world: World, seq: int, limit: int) -> list[Entry]:
    """Return what came behind ``seq``; a pull that reaches the end answers the ring."""
    book = world.archive
    book.forget_before(world.now() - RETENTION)
    found = book.after(seq, limit)
    reached = found[-1].seq if found else book.last_seq
    book.pulled_seq = max(book.pulled_seq, reached)
    if book.pulled_seq == book.last_seq:
        book.rung_at = None
    return found


def routes(world: World) -> list[web.RouteDef]:
    """Return the HTTP form of the archive, to be mounted beside ``/cgi-bin``."""

    async def chatdata(request: web.Request) -> web.Response:
        try:
            return web.json_response(_chatdata(world, request))
        except ApiError as error:
            return web.json_response(error.body(f"archive_{world.timestamp()}"))

    return [web.get("/archive/chatdata", chatdata)]


def _chatdata(world: World, request: web.Request) -> dict[str, object]:
    if not world.archive.secret:
        raise ApiError(NOT_ENABLED)
    if request.headers.get(SECRET_HEADER) != world.archive.secret:
        raise ApiError(BAD_SECRET)
    seq, limit = _number(request, "seq", 0), _number(request, "limit", MAX_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        raise ApiError(REDUCE_LIMIT, f"limit is 1..{MAX_LIMIT}")
    found = pull(world, seq, limit)
    return {"errcode": 0, "errmsg": "ok", "chatdata": [entry.as_json() for entry in found]}


def _number(request: web.Request, key: str, default: int) -> int:
    text = request.query.get(key, str(default))
    if not text.isascii() or not text.isdecimal():
        raise ApiError(40058, f"{key} must be a whole number")
    return int(text)


def _seated(book: ArchiveBook, sender: str, receivers: Sequence[str]) -> bool:
    if book.seats is None:
        return True
    return sender in book.seats or not book.seats.isdisjoint(receivers)


def _ring(world: World, now: datetime) -> None:
    book = world.archive
    if book.rung_at is not None and now - book.rung_at < RING_AGAIN_AFTER:
        return
    book.rung_at = now
    fields = {"FromUserName": "sys", "MsgType": "event", "Event": "msgaudit_notify"}
    world.ring(book.callback, fields)
