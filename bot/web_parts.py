"""What listens needs of WeCom: the client of its API, and the sidebar that speaks over it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web

from bot.channels.client_page import ClientPage
from bot.config import Settings
from bot.console.room import Files, Room, ScriptOf
from bot.console.session import Sessions
from bot.console.sidebar import Corp, Sidebar
from bot.console.web import Place, origin_of
from bot.domain.pace import SENDING_APIS
from bot.errors import ConfigError
from bot.leads.desk import LeadDesk
from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.rates import SharedRates
from bot.storage.tokens import DatabaseTokens
from bot.wecom.client import WeComClient
from bot.wecom.login import LoginApi
from bot.wecom.tickets import JsapiTicket
from bot.wecom.transport import trust
from bot.workers.content import Content
from bot.workers.lead_desk import desk_of
from bot.workspace import Workspace

PATH = "/sidebar"


def open_client(
    settings: Settings, workspace: Workspace, database: Database, clock: Clock
) -> WeComClient:
    """Return the client of WeCom's API; raise ``ConfigError`` for a proxy or certificate file."""
    wecom = settings.wecom
    proxy = wecom.proxy.get_secret_value()
    ca_file = str(workspace.resolve(wecom.ca_file)) if wecom.ca_file else ""
    return WeComClient(
        wecom.api_base,
        wecom.corp_id,
        wecom.secret.get_secret_value(),
        DatabaseTokens(database, clock),
        clock,
        timeout_s=wecom.timeout_seconds,
        rates=SharedRates(database, clock, SENDING_APIS),
        proxy=proxy,
        tls=trust(ca_file),
    )


def open_sidebar(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    database: Database,
    clock: Clock,
    *,
    files: Callable[[], Files],
    script_of: ScriptOf,
    desk: LeadDesk,
) -> Sidebar | None:
    """Return the sidebar, None where it is switched off; raise ``ConfigError`` in a sentence."""
    if not settings.sidebar.enabled:
        return None
    place = place_of(settings)
    client = open_client(settings, workspace, database, clock)
    stack.push_async_callback(client.close)
    wecom, tokens = settings.wecom, DatabaseTokens(database, clock)
    secret = wecom.secret.get_secret_value()
    page = ClientPage(
        LoginApi(client, settings.sidebar.oauth_url, wecom.corp_id, wecom.agent_id),
        JsapiTicket(client, "config", wecom.corp_id, secret, tokens, clock),
        JsapiTicket(client, "agent_config", wecom.corp_id, secret, tokens, clock),
        clock,
    )
    room = Room(database, clock, files, script_of, desk, settings.kf.link)
    lasts = timedelta(hours=settings.sidebar.session_hours)
    sessions = Sessions(_secret_of(settings), lasts)
    return Sidebar(room, page, sessions, place, Corp(wecom.corp_id, wecom.agent_id))


def open_pages(
    stack: AsyncExitStack, settings: Settings, database: Database, content: Content, clock: Clock
) -> Sequence[web.RouteDef]:
    """Open what people see in a browser beside a bot that works."""

    def files() -> Files:
        snapshot = content.snapshot
        return Files(snapshot.bank, snapshot.rules, snapshot.talk, content.tables)

    sidebar = open_sidebar(
        stack,
        settings,
        content.workspace,
        database,
        clock,
        files=files,
        script_of=content.script,
        desk=desk_of(content, staff_group=bool(settings.staff.group_webhook.get_secret_value())),
    )
    return sidebar.routes() if sidebar is not None else ()


def lead_page(settings: Settings) -> Callable[[int], str]:
    """Return what gives the page on which a member of staff sees one lead; "" for none."""
    sidebar, other = settings.sidebar, settings.staff.card_link
    url = sidebar.url.rstrip("/") if sidebar.enabled else ""
    return lambda lead: f"{url}?lead={lead}" if url else other


def place_of(settings: Settings) -> Place:
    """Return where the sidebar stands; raise ``ConfigError`` for an address that cannot be."""
    sidebar, path = settings.sidebar, settings.server.base_path + PATH
    url = sidebar.url.rstrip("/")
    for address in (sidebar.sdk_url, sidebar.oauth_url, *([url] if url else [])):
        origin_of(address)
    parts = urlsplit(url)
    if url and (parts.path != path or parts.query or parts.fragment):
        raise ConfigError(
            f"[sidebar] url 写的是 {sidebar.url}，路径要正好是 {path}"
            "（[server] base_path 加 /sidebar）。请改成一样的。"
        )
    return Place(path, url, sidebar.sdk_url)


def _secret_of(settings: Settings) -> bytes:
    """Return what signs the sessions: the same in all processes, and no use for anything else."""
    own = settings.sidebar.secret.get_secret_value()
    app = settings.wecom.secret.get_secret_value()
    return hmac.new((own or app).encode(), b"zhilin sidebar", hashlib.sha256).digest()
