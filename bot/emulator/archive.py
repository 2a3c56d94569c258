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

from bot.emulator.archive_consent import DISAGREE, Consent
from bot.emulator.limits import MINUTE
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

RETENTION = timedelta(days=5)
ARCHIVE_AGENT = -1
"""Whose token the archive's own secret gives, among agent ids."""
MAX_LIMIT = 1000
BAD_SECRET = 40001
NOT_ENABLED = 301053
BAD_ADDRESS, LAPSED = 301042, 301052
REDUCE_LIMIT = 301058
SECRET_HEADER = "X-Archive-Secret"  # noqa: S105 - a header's name


@dataclass(frozen=True)
class Entry:
    """One archived message."""

    seq: int
    msgid: str
    at: datetime
    message: Mapping[str, object]
    key_version: int = 1
    """The version of the public key that was the newest when it came in."""

    def as_json(self) -> dict[str, object]:
        """Return one item of ``chatdata``."""
        return {
            "seq": self.seq,
            "msgid": self.msgid,
            "publickey_ver": self.key_version,
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
    editions: dict[str, int] = field(default_factory=dict)
    """A seat's edition: 1 office, 2 service, 3 enterprise; 1 unless it stands here."""
    allowed_ips: frozenset[str] | None = None
    """The addresses that may pull (301042 else); ``None`` means all."""
    expired: bool = False
    consent: Consent = field(default_factory=Consent)
    public_keys: dict[int, str] = field(default_factory=dict)
    """The RSA public keys in PEM by version, for the sealed form."""
    files: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    robots: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name and creator of robots by robot_id."""
    last_seq: int = 0
    pulled_seq: int = 0
    rung_at: datetime | None = None
    """When the ring went out that no complete pull has answered."""
    ring_planned: bool = False
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
    if not book.consent.allows(sender, receivers, chat_id):
        return None
    fields = {
        "action": "send",
        "from": sender,
        "tolist": list(receivers),
        "roomid": chat_id,
        "msgtime": int(world.now().timestamp() * 1000),
        "msgtype": msgtype,
        msgtype: dict(payload),
    }
    return _put(world, fields)


def revoke(world: World, msgid: str) -> Entry:
    """Archive that the sender took a message back."""
    for entry in world.archive.entries:
        if entry.msgid == msgid:
            fields = {key: entry.message[key] for key in ("from", "tolist", "roomid")}
            moment = int(world.now().timestamp() * 1000)
            more = {"msgtime": moment, "msgtype": "revoke", "revoke": {"pre_msgid": msgid}}
            return _put(world, {"action": "recall", **fields, **more})
    raise ApiError(40058, "no such msgid in the archive")


def disagrees(world: World, userid: str, external_userid: str) -> bool:
    """Tell whether this member's talk with a customer would be archived against his will."""
    book = world.archive
    if not book.secret or not _seated(book, userid, ()):
        return False
    return book.consent.status(userid, external_userid)[0] == DISAGREE


def answered(world: World, external_userid: str, receivers: Sequence[str], *, agree: bool) -> None:
    """Archive a customer's answer to the question of consent."""
    if not world.archive.secret:
        return
    kind, moment = "agree" if agree else "disagree", int(world.now().timestamp() * 1000)
    fields: dict[str, object] = {
        "action": "send",
        "from": external_userid,
        "tolist": list(receivers),
        "roomid": "",
        "msgtime": moment,
        "msgtype": kind,
        kind: {"userid": external_userid, "agree_time": moment},
    }
    _put(world, fields)


def switch(world: World, userid: str) -> Entry:
    """Archive that a member changed the corp he acts for."""
    moment = int(world.now().timestamp() * 1000)
    return _put(world, {"action": "switch", "time": moment, "user": userid})


def put_file(world: World, data: bytes) -> str:
    """Store a file of the archive; return its sdkfileid."""
    sdkfileid = world.new_id("CtYB")
    world.archive.files[sdkfileid] = (data, world.now())
    return sdkfileid


def _put(world: World, fields: Mapping[str, object]) -> Entry:
    book, now = world.archive, world.now()
    book.forget_before(now - RETENTION)
    book.last_seq += 1
    msgid = world.new_id("") + "_external"
    version = max(book.public_keys, default=1)
    entry = Entry(book.last_seq, msgid, now, {"msgid": msgid, **fields}, version)
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
    found = asked(world, request)
    return {"errcode": 0, "errmsg": "ok", "chatdata": [entry.as_json() for entry in found]}


def admit(world: World, request: web.Request) -> None:
    """Refuse a reader without the secret, from a strange address, or of an expired archive."""
    book = world.archive
    if not book.secret:
        raise ApiError(NOT_ENABLED)
    if request.headers.get(SECRET_HEADER) != book.secret:
        raise ApiError(BAD_SECRET)
    if book.allowed_ips is not None and request.remote not in book.allowed_ips:
        raise ApiError(BAD_ADDRESS)
    if book.expired:
        raise ApiError(LAPSED)


def asked(world: World, request: web.Request) -> list[Entry]:
    """Return the entries a request asks for, by ``seq`` and ``limit``."""
    world.later.run_due()
    admit(world, request)
    often = world.assumed.archive_pulls_per_minute
    if often:
        world.limits.spend("archive", world.now(), (MINUTE, often))
    seq, limit = _number(request, "seq", 0), _number(request, "limit", MAX_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        raise ApiError(REDUCE_LIMIT, f"limit is 1..{MAX_LIMIT}")
    return pull(world, seq, limit)


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
    pause = timedelta(seconds=world.assumed.archive_ring_s)
    if book.rung_at is not None and now - book.rung_at < pause:
        if not book.ring_planned:
            book.ring_planned = True
            world.later.after(book.rung_at + pause - now, lambda: _ring_again(world))
        return
    book.rung_at = now
    fields = {"FromUserName": "sys", "MsgType": "event", "Event": "msgaudit_notify"}
    world.ring(book.callback, fields)


def _ring_again(world: World) -> None:
    """Ring for what came too soon after the last ring, unless it was read meanwhile."""
    book = world.archive
    book.ring_planned = False
    if book.pulled_seq < book.last_seq:
        _ring(world, world.now())
