"""The half that listens: callbacks and health, on a database; it needs no index and no model."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.channels.aibot_webhook import AibotAcknowledger
from bot.channels.callback import AIBOT, CallbackEndpoint
from bot.config import Settings, require_aibot, require_wecom
from bot.config.parts import CallbackSettings
from bot.console.health import Health, health_routes
from bot.console.own_files import OwnFiles
from bot.errors import ConfigError, ContentError, DatabaseFailed
from bot.log import logger
from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.storage.notices import NoticeWriter
from bot.web_parts import lead_page, open_sidebar
from bot.wecom.crypto import CallbackCrypto
from bot.workers.complaints import Complaints
from bot.workers.happenings import StoredScripts
from bot.workers.lead_desk import desk_beside
from bot.workspace import Workspace

Role = Literal["both", "web", "workers"]
log = logger(__name__)
# aiohttp tells each malformed request of a stranger with a traceback: anybody could fill the
# disk. What fails in a handler of ours is told around it.
_server_log = logging.getLogger("zhilin.http")
_server_log.setLevel(logging.CRITICAL)
_REST_WITHIN_S = 1.0  # for the rest of a body that was refused before it was all there
_ANSWER_WITHIN_S = 5.0  # WeCom waits no longer for a callback, so neither does our end


def configurations(settings: Settings) -> dict[str, CallbackCrypto]:
    """Return the callback configurations by name; "" is the default one."""
    wecom, bot = settings.wecom, settings.aibot
    default = CallbackSettings(
        token=wecom.callback_token,
        aes_key=wecom.callback_aes_key,
        previous_token=wecom.previous_callback_token,
        previous_aes_key=wecom.previous_callback_aes_key,
    )
    found = {"": _crypto(default, wecom.corp_id, "BOT_WECOM__{}CALLBACK_")}
    for name, one in wecom.callbacks.items():
        if name == AIBOT:
            raise ConfigError(
                f"[wecom.callbacks] 里不能用 {AIBOT} 这个名字，它是留给智能机器人的。"
                "请换一个名字；智能机器人的 Token 和 EncodingAESKey 写在 [aibot] 里。"
            )
        found[name] = _crypto(one, wecom.corp_id, f"BOT_WECOM__CALLBACKS__{name.upper()}__{{}}")
    if bot.mode == "webhook":
        own = CallbackSettings(token=bot.token, aes_key=bot.aes_key)
        found[AIBOT] = _crypto(own, "", "BOT_AIBOT__{}")
    return found


def _crypto(keys: CallbackSettings, receive_id: str, setting: str) -> CallbackCrypto:
    """Return the keys of one configuration; of the previous ones, what is empty was not changed."""
    token, aes_key = keys.token.get_secret_value(), keys.aes_key.get_secret_value()
    old_token = keys.previous_token.get_secret_value()
    old_key = keys.previous_aes_key.get_secret_value()
    previous = None
    if old_token or old_key:
        before = setting.replace("{}", "PREVIOUS_")
        previous = CallbackCrypto(
            old_token or token, old_key or aes_key, receive_id, setting=before
        )
    return CallbackCrypto(token, aes_key, receive_id, previous, setting=setting.replace("{}", ""))


def checked(settings: Settings) -> Mapping[str, CallbackCrypto]:
    """Refuse missing settings and bad keys before anything slow is done."""
    require_wecom(settings)
    require_aibot(settings)
    return configurations(settings)


def open_endpoint(
    settings: Settings, cryptos: Mapping[str, CallbackCrypto], database: Database, clock: Clock
) -> CallbackEndpoint:
    """Return what answers callbacks."""
    writer = NoticeWriter(database, clock)
    bots = {AIBOT: AibotAcknowledger(database, clock)} if settings.aibot.mode == "webhook" else {}
    window = settings.wecom.replay_window_seconds
    return CallbackEndpoint(cryptos, writer, clock, window, bots)


def application_of(
    endpoint: CallbackEndpoint | None,
    health: Health,
    base_path: str = "",
    pages: Sequence[web.RouteDef] = (),
) -> web.Application:
    """Return the web application: health, pages, and callbacks unless this process has none."""
    routes = [*health_routes(health, base_path), *pages]
    if endpoint is not None:
        routes = [*endpoint.routes(base_path), *routes]
    complaints = Complaints()
    application = web.Application()
    for route in routes:
        handler = _quiet_failures(cast("Handler", route.handler), complaints)
        application.add_routes([web.RouteDef(route.method, route.path, handler, route.kwargs)])
    return application


def _quiet_failures(handler: Handler, complaints: Complaints) -> Handler:
    """Answer 503 or 500 to what failed, so that WeCom posts it again; told once a minute.

    It is no middleware: aiohttp keeps a thousand handlers that have one, for ever, and with each
    of them its bot, though that was closed.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except DatabaseFailed as error:
            complaints.note("callback", error)
            return web.Response(status=503, text="not stored, please post it again")
        except Exception as error:
            complaints.note("callback", error)
            return web.Response(status=500, text="failed, please post it again")

    return answer


async def open_database(
    settings: Settings, workspace: Workspace, *, in_place: bool = False
) -> Database:
    """Open the database that the settings name; ``in_place`` for what ends with the process."""
    url = _database_url(settings, workspace)
    database = settings.database
    return await Database.open(url, durable=database.durable, in_place=in_place, pool=database.pool)


def _database_url(settings: Settings, workspace: Workspace) -> str:
    """Return the database's address, a relative SQLite file from the workspace's root."""
    text = settings.database.url
    if not text.startswith("sqlite"):
        return text
    scheme, _, path = text.partition(":///")
    return f"{scheme}:///{workspace.resolve(path or 'data/zhilin.db').as_posix()}"


def require_shared(settings: Settings, role: Role) -> None:
    """Raise ``ConfigError`` where one of several processes is asked for on SQLite."""
    if role != "both" and settings.database.url.startswith("sqlite"):
        raise ConfigError(
            "SQLite 只能由一个进程使用，不能分成 --web-only 和 --workers-only。"
            "请去掉这个选项，或把 [database] url 换成 PostgreSQL。"
        )


async def serve_front(
    settings: Settings, workspace: Workspace, clock: Clock, port: int | None = None
) -> None:
    """Take callbacks until the process is told to stop; others on the database work on them."""
    require_shared(settings, "web")
    cryptos = checked(settings)
    stopping = stop_signals()
    async with AsyncExitStack() as stack:
        database = await open_database(settings, workspace)
        stack.push_async_callback(database.close)
        await upgrade(database)
        database.share_news(ring=True)
        health = Health(database, clock, "web", stopping)
        server = settings.server
        endpoint = open_endpoint(settings, cryptos, database, clock)
        pages = _own_pages(stack, settings, workspace, database, clock, stopping)
        application = application_of(endpoint, health, server.base_path, pages)
        async with listening(application, server.host, port or server.port) as address:
            log.info("bot_started", address=address, role="web")
            await stopping.wait()
    log.info("bot_stopped", role="web")


def _own_pages(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    database: Database,
    clock: Clock,
    stopping: asyncio.Event,
) -> Sequence[web.RouteDef]:
    """Return the sidebar's routes for a process in which nobody else reads the files."""
    if not settings.sidebar.enabled:
        return ()
    try:
        files = OwnFiles(workspace, clock)
    except ContentError as error:  # callbacks do without them
        log.warning("sidebar_has_no_files", problems=[str(one) for one in error.problems])
        return ()
    sidebar = open_sidebar(
        stack,
        settings,
        workspace,
        database,
        clock,
        files=files,
        script_of=StoredScripts().script,
        desk=desk_beside(
            lambda: files().bank,
            lambda: files().tables,
            settings.leads.assigning,
            page=lead_page(settings),
        ),
    )
    watching = asyncio.create_task(files.watch(stopping))
    stack.callback(watching.cancel)
    return sidebar.routes() if sidebar is not None else ()


def stop_signals() -> asyncio.Event:
    """Return what is set when the process is told to stop."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    return stopping


@asynccontextmanager
async def listening(application: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Listen, and give the address; raise ``ConfigError`` in a sentence where that fails.

    At the end no connection is taken any more, and what was taken is answered first.
    """
    runner = web.AppRunner(
        application,
        access_log=None,
        shutdown_timeout=_ANSWER_WITHIN_S,
        lingering_time=_REST_WITHIN_S,
        logger=_server_log,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(
                f"{host} 的端口 {port} 用不了，多半已被占用。"
                "请关掉占用它的程序，或换一个端口(BOT_SERVER__PORT)。"
            ) from error
        taken = runner.addresses[0][1]
        yield f"http://{host}:{taken}"
    finally:
        await runner.cleanup()
