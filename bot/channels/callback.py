"""Where WeCom calls us: verify, decrypt, store the notice, answer at once."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.domain.events import Notice
from bot.domain.ids import digest
from bot.errors import CallbackRejected
from bot.log import logger
from bot.ports import Clock
from bot.storage.notices import NoticeWriter
from bot.wecom.crypto import MAX_BODY_BYTES, CallbackCrypto, open_echo, open_envelope, parse_xml

PATH = "/wecom/callback"
_CHANNEL_OF_EVENT = {
    "kf_msg_or_event": "kf",
    "change_external_contact": "contact",
    "change_external_chat": "contact",
    "msgaudit_notify": "archive",
}
_DOORBELLS = frozenset({"kf", "archive"})
log = logger(__name__)


class CallbackEndpoint:
    """Answers callbacks of several configurations; ``""`` is the default one."""

    def __init__(
        self,
        configurations: Mapping[str, CallbackCrypto],
        writer: NoticeWriter,
        clock: Clock,
        replay_window: int,
    ) -> None:
        self._configurations = configurations
        self._writer = writer
        self._clock = clock
        self._replay_window = replay_window

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of every configuration."""
        return [
            web.get(PATH, self._verify),
            web.post(PATH, self._receive),
            web.get(PATH + "/{name}", self._verify),
            web.post(PATH + "/{name}", self._receive),
        ]

    def _crypto(self, request: web.Request) -> CallbackCrypto:
        name = request.match_info.get("name", "")
        if name not in self._configurations:
            raise web.HTTPNotFound(text="no such callback configuration")
        return self._configurations[name]

    async def _verify(self, request: web.Request) -> web.Response:
        crypto = self._crypto(request)
        try:
            echo = open_echo(
                request.query, crypto, self._clock.now(), replay_window_s=self._replay_window
            )
            return web.Response(text=echo)
        except CallbackRejected as error:
            return _refuse(error)

    async def _receive(self, request: web.Request) -> web.Response:
        crypto = self._crypto(request)
        try:
            body = await _body(request)
            plain = open_envelope(
                body,
                request.query,
                crypto,
                self._clock.now(),
                replay_window_s=self._replay_window,
            )
            channel = _channel(parse_xml(plain))
            # A doorbell carries no news itself, and two of one second look the same: each is
            # kept, for pulling twice does no harm and pulling too seldom loses a message.
            ring = request.query.get("nonce", "") if channel in _DOORBELLS else ""
            notice = Notice(key=digest(request.path, plain, ring), channel=channel, body=plain)
        except CallbackRejected as error:
            return _refuse(error)
        await self._writer.add(notice)
        return web.Response()


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise CallbackRejected("body_too_large", 413)
    body = await request.content.read(MAX_BODY_BYTES + 1)
    while len(body) <= MAX_BODY_BYTES and not request.content.at_eof():
        body += await request.content.read(MAX_BODY_BYTES + 1 - len(body))
    return body


def _channel(fields: Mapping[str, object]) -> str:
    return _CHANNEL_OF_EVENT.get(str(fields.get("Event", "")), "app")


def _refuse(error: CallbackRejected) -> web.Response:
    log.warning("callback_rejected", reason=error.reason)
    return web.Response(status=error.status, text="refused")
