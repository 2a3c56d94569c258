"""What reaches the bank's own staff beside the app's messages; only what the settings ask for."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot.channels.aibot import AibotChannel
from bot.channels.aibot_line import AibotLine, OpenSocket
from bot.channels.webhook import WebhookChannel
from bot.config import Settings
from bot.domain.staff_messages import ReplyTo
from bot.ports import Channel, Clock
from bot.storage.db import Database
from bot.wecom.aibot_socket import BotSocket, Frame
from bot.wecom.transport import Transport, trust
from bot.wecom.webhook import WebhookApi
from bot.workspace import Workspace

SoFar = Callable[[ReplyTo, str], Awaitable[None]]


@dataclass(frozen=True)
class StaffSide:
    """The channels, the line that keeps the AI bot's one connection, and how staff are told.

    With an AI bot the self-built app need not listen to what staff write; ``so_far`` shows an
    answer while it is written.
    """

    channels: tuple[Channel, ...] = ()
    line: AibotLine | None = None
    so_far: SoFar | None = None
    has_bot: bool = False
    has_group: bool = False
    card_link: str = ""


def open_staff_side(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    database: Database,
    clock: Clock,
) -> StaffSide:
    """Open the AI bot and the group's message push, each where it is set."""
    staff = settings.staff
    group_url = staff.group_webhook.get_secret_value()
    if not settings.aibot.mode and not group_url:
        return StaffSide(card_link=staff.card_link)
    wecom = settings.wecom
    proxy = wecom.proxy.get_secret_value()
    tls = trust(str(workspace.resolve(wecom.ca_file)) if wecom.ca_file else "")
    webhooks = WebhookApi(Transport(None, wecom.timeout_seconds, proxy=proxy, tls=tls))
    stack.push_async_callback(webhooks.close)
    channels: list[Channel] = []
    line = None
    if settings.aibot.mode == "websocket":
        line = AibotLine(_sockets(settings, proxy, tls), settings.aibot.bot_id, database, clock)
        stack.push_async_callback(line.close)
    so_far = None
    if settings.aibot.mode:
        bot = AibotChannel(line, webhooks, database, clock)
        channels.append(bot)
        so_far = bot.so_far
    if group_url:
        channels.append(WebhookChannel(webhooks, group_url))
    return StaffSide(
        channels=tuple(channels),
        line=line,
        so_far=so_far,
        has_bot=bool(settings.aibot.mode),
        has_group=bool(group_url),
        card_link=staff.card_link,
    )


def _sockets(settings: Settings, proxy: str, tls: ssl.SSLContext | None) -> OpenSocket:
    """Return what makes a new connection each time the last one has ended."""
    bot = settings.aibot

    def open_socket(on_callback: Callable[[Frame], Awaitable[None]]) -> BotSocket:
        secret = bot.secret.get_secret_value()
        return BotSocket(bot.ws_url, bot.bot_id, secret, on_callback, proxy=proxy, ssl_context=tls)

    return open_socket
