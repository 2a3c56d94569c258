"""Where WeCom calls us: verify, decrypt, store the notice, answer at once."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping

import aiohttp
from aiohttp import http_exceptions, web

from bot.channels.hiding import hide_in_json, hide_in_xml
from bot.domain.events import Notice
from bot.domain.ids import digest
from bot.errors import CallbackRejected
from bot.log import logger
from bot.ports import Acknowledger, Clock
from bot.storage.notices import NoticeWriter
from bot.wecom.crypto import MAX_BODY_BYTES, CallbackCrypto, open_echo, open_request

PATH = "/wecom/callback"
AIBOT = "aibot"
_KF = "kf_msg_or_event"
_DTD = ("<!DOCTYPE", "<!ENTITY")
_CHANNEL_OF_EVENT = {
    _KF: "kf",
    "kf_account_auth_change": "kf",
    "change_external_contact": "contact",
    "change_external_chat": "contact",
    "change_external_tag": "contact",
    "msgaudit_notify": "archive",
}
_DOORBELLS = frozenset({"kf", "archive"})
# What is looked at before the full parse in the worker. A CDATA section is passed over as a whole,
# so that nothing in it, which is what people typed, is taken for an element.
_MARKS = re.compile(
    r"<(Event|OpenKfId|MsgId|AgentID)>(?:<!\[CDATA\[)?([0-9A-Za-z_-]{1,64})(?:\]\]>)?</\1>"
    r"|<!\[CDATA\[(?:[^]]|](?!]>))*+"
    r"|<!(?:DOCTYPE|ENTITY)"
)
# A body whose sender hung up, or that is not what its head says.
_CUT = (
    ConnectionError,
    aiohttp.ClientError,
    http_exceptions.HttpProcessingError,
    web.RequestPayloadError,
)
_BODY_WITHIN_S = 5.0  # WeCom itself gives up after as long
_ANSWER_WITHIN_S = 4.5  # of the five seconds that WeCom waits
_LOG_EVERY_S = 1.0
log = logger(__name__)


class CallbackEndpoint:
    """Answers callbacks of several configurations; ``""`` is the default one.

    Where a configuration has an acknowledger, its callbacks are JSON and it words the answer.
    """

    def __init__(
        self,
        configurations: Mapping[str, CallbackCrypto],
        writer: NoticeWriter,
        clock: Clock,
        replay_window: int,
        acknowledgers: Mapping[str, Acknowledger] | None = None,
    ) -> None:
        self._configurations = configurations
        self._writer = writer
        self._clock = clock
        self._replay_window = replay_window
        self._acknowledgers = acknowledgers or {}
        self._refused = 0
        self._log_again_at = 0.0

    def routes(self, base_path: str = "") -> list[web.RouteDef]:
        """Return the routes of every configuration, below the path that a proxy passes on."""
        path = base_path + PATH
        return [
            web.get(path, self._verify),
            web.post(path, self._receive),
            web.get(path + "/{name}", self._verify),
            web.post(path + "/{name}", self._receive),
        ]

    def _named(self, request: web.Request) -> tuple[str, CallbackCrypto]:
        name = request.match_info.get("name", "")
        crypto = self._configurations.get(name)
        if crypto is None:
            raise web.HTTPNotFound(text="no such callback configuration")
        return name, crypto

    async def _verify(self, request: web.Request) -> web.Response:
        _, crypto = self._named(request)
        try:
            echo = open_echo(
                request.query, crypto, self._clock.now(), replay_window_s=self._replay_window
            )
            return web.Response(text=echo)
        except CallbackRejected as error:
            return self._refuse(error)

    async def _receive(self, request: web.Request) -> web.Response:
        name, crypto = self._named(request)
        query = request.query
        try:
            plain, keys = open_request(
                await _body(request),
                query,
                crypto,
                self._clock.now(),
                replay_window_s=self._replay_window,
            )
            if name in self._acknowledgers:
                return await self._acknowledge(name, plain, query.get("nonce", ""), keys)
            await self._writer.add(_notice(name, plain, query.get("nonce", "")))
        except CallbackRejected as error:
            return self._refuse(error)
        return web.Response()

    async def _acknowledge(
        self, name: str, plain: str, nonce: str, keys: CallbackCrypto
    ) -> web.Response:
        """Store what is news, then answer in the words of the configuration's acknowledger."""
        notice = _json_notice(name, plain)
        acknowledger = self._acknowledgers[name]
        if acknowledger.keeps(plain):
            await self._writer.add(notice)
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                words = await acknowledger.acknowledge(plain)
        except Exception:  # the notice is stored: to be asked again would not bring better words
            log.exception("acknowledgement_failed", configuration=name)
            words = ""
        if not words:
            return web.Response()
        moment = str(int(self._clock.now().timestamp()))
        return web.Response(
            text=keys.reply_json(words, nonce, moment), content_type="application/json"
        )

    def _refuse(self, error: CallbackRejected) -> web.Response:
        """Answer a stranger; the log says it once a second, however many come."""
        self._refused += 1
        now = asyncio.get_running_loop().time()
        if now >= self._log_again_at:
            log.warning("callback_rejected", reason=error.reason, count=self._refused)
            self._refused, self._log_again_at = 0, now + _LOG_EVERY_S
        return web.Response(status=error.status, text="refused")


async def _body(request: web.Request) -> bytes:
    """Return the body, which is nearly always here in full; raise ``CallbackRejected``."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise CallbackRejected("body_too_large", 413)
    content = request.content
    try:
        if content.is_eof():
            return content.read_nowait()
        async with asyncio.timeout(_BODY_WITHIN_S):
            body = await content.read(MAX_BODY_BYTES + 1)
            while len(body) <= MAX_BODY_BYTES and not content.at_eof():
                body += await content.read(MAX_BODY_BYTES + 1 - len(body))
    except TimeoutError:
        raise CallbackRejected("body_too_slow", 408) from None
    except _CUT:
        raise CallbackRejected("body_cut") from None
    return body


def _notice(name: str, plain: str, nonce: str) -> Notice:
    """Sort a callback by a look at a few elements; the worker is the one who parses it."""
    if name == AIBOT:
        return _json_notice(name, plain)
    seen = _seen(plain)
    event, msgid = seen.get("Event"), seen.get("MsgId", "")
    if event is None:
        parts = ("text", plain)
        if msgid.isdecimal() and int(msgid):
            parts = ("message", f"{seen.get('AgentID', '')} {msgid}")
        return Notice(key=digest(name, *parts), channel="app", body=hide_in_xml(plain))
    # An event has no id: whatever of it differs makes it another one. A doorbell carries no news
    # itself, and two of one second look the same: each is kept, for pulling twice does no harm
    # and pulling too seldom loses a message.
    channel = _CHANNEL_OF_EVENT.get(event, "app")
    ring = nonce if channel in _DOORBELLS else ""
    lane = "archive" if channel == "archive" else ""
    if channel == "kf":
        lane = f"kf:{seen.get('OpenKfId', '')}"
    return Notice(key=digest(name, "event", plain, ring), channel=channel, body=plain, lane=lane)


def _seen(plain: str) -> dict[str, str]:
    """Return the first value of each mark, as far as is needed to sort the callback."""
    seen: dict[str, str] = {}
    for mark in _MARKS.finditer(plain):
        element, value = mark.groups()
        if element is not None:
            seen.setdefault(element, value)
            if element == "OpenKfId" or (element == "Event" and value != _KF):
                break
        elif mark[0] in _DTD:
            raise CallbackRejected("dtd")
    return seen


def _json_notice(name: str, plain: str) -> Notice:
    """Sort a JSON callback by its own id (wecom_protocol §6.2); the channel bears its name."""
    try:
        fields = json.loads(plain)
    except (ValueError, RecursionError):
        raise CallbackRejected("json") from None
    if not isinstance(fields, dict):
        raise CallbackRejected("json")
    msgid = fields.get("msgid")
    known = isinstance(msgid, str) and msgid.isascii() and msgid
    parts = ("message", msgid) if known else ("text", plain)
    return Notice(key=digest(name, *parts), channel=name, body=hide_in_json(plain))
