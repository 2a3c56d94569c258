"""The only place where parts are joined."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from bot.channels.callback import CallbackEndpoint
from bot.config import Settings, require_wecom
from bot.console.health import health_routes
from bot.errors import ConfigError
from bot.knowledge.index import KnowledgeIndex
from bot.leads.desk import LeadDesk
from bot.log import logger
from bot.parts import Progress, Wire, configurations, open_content, open_database, open_wire
from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.storage.notices import NoticeWriter
from bot.wecom.crypto import CallbackCrypto
from bot.workers.content import Content, Snapshot, read_snapshot
from bot.workers.effects import Effects
from bot.workers.events import EventWorker
from bot.workers.group_talk import GroupTalk
from bot.workers.groups import GroupLister, GroupWorker
from bot.workers.inbox import InboxWorker
from bot.workers.loop import Manner, Worker, run_for_ever, run_until_idle, side_by_side
from bot.workers.outbox import OutboxWorker
from bot.workers.runs import RunWorker
from bot.workers.staff import StaffDesk
from bot.workers.talk import Talk
from bot.workers.tasks import TaskWorker
from bot.workers.ticker import ContentWorker, LeadWorker, publish
from bot.workspace import Workspace

log = logger(__name__)
_FIRST_WORDS = "您好"
_TELL_EVERY = 160  # passages, some seconds' work of the bundled model


@dataclass
class App:
    """A bot, assembled: its workers are stepped by hand or run for ever."""

    settings: Settings
    workspace: Workspace
    clock: Clock
    database: Database
    content: Content
    endpoint: CallbackEndpoint
    content_worker: ContentWorker
    workers: tuple[Worker, ...]

    async def tick(self) -> int:
        """Work until nothing is due; return how many pieces were worked on."""
        return await run_until_idle(self.workers, self.database, self.clock)

    def web(self) -> web.Application:
        """Return the web application: callbacks and health."""
        application = web.Application()
        application.add_routes(self.endpoint.routes())
        application.add_routes(health_routes(self.database))
        return application

    async def run(self, stopping: asyncio.Event) -> None:
        """Run every worker until told to stop."""
        await run_for_ever(self.workers, self.database, self.clock, stopping)


@asynccontextmanager
async def assemble(
    settings: Settings,
    workspace: Workspace,
    clock: Clock,
    *,
    progress: Progress | None = None,
    manner: Manner = side_by_side,
    warm: bool = False,
) -> AsyncIterator[App]:
    """Open every part in order and close them in reverse; raise ``ConfigError`` in a sentence.

    ``warm`` loads the model now: at the first question it would hold up callbacks.
    """
    cryptos = _checked(settings)
    async with AsyncExitStack() as stack:
        snapshot = read_snapshot(workspace, clock.now().date())
        database = await open_database(settings, workspace)
        stack.push_async_callback(database.close)
        await upgrade(database)
        await database.take_over(clock.now())
        wire = await open_wire(stack, settings, workspace, database, clock)
        index, content = await open_content(stack, settings, workspace, clock, snapshot)

        reindex = partial(_reindex, index, progress)
        await reindex(snapshot)
        if warm and not settings.embedding.base_url:
            await index.embedder.query(_FIRST_WORDS)
        await publish(database, content, clock.now())
        files = ContentWorker(database, content, reindex, clock)
        yield App(
            settings=settings,
            workspace=workspace,
            clock=clock,
            database=database,
            content=content,
            endpoint=_endpoint(settings, cryptos, database, clock),
            content_worker=files,
            workers=_workers(database, wire, content, files, clock, manner),
        )


async def _reindex(index: KnowledgeIndex, progress: Progress | None, snapshot: Snapshot) -> None:
    await index.publish(snapshot.documents(), progress)


def _checked(settings: Settings) -> Mapping[str, CallbackCrypto]:
    """Refuse missing settings and bad keys before anything slow is done."""
    require_wecom(settings)
    return configurations(settings)


def _endpoint(
    settings: Settings, cryptos: Mapping[str, CallbackCrypto], database: Database, clock: Clock
) -> CallbackEndpoint:
    writer = NoticeWriter(database, clock)
    window = settings.wecom.replay_window_seconds
    return CallbackEndpoint(cryptos, writer, clock, window)


def _workers(
    database: Database,
    wire: Wire,
    content: Content,
    content_worker: ContentWorker,
    clock: Clock,
    manner: Manner,
) -> tuple[Worker, ...]:
    desk = LeadDesk(lambda: content.bank)
    effects = Effects(desk, content)
    talk = Talk(database, content, wire.directory, wire.sessions, desk, effects, clock)
    group_talk = GroupTalk(database, content, desk, effects, clock)
    return (
        InboxWorker(database, wire.channels, clock),
        EventWorker(
            database, talk, group_talk, StaffDesk(lambda: content.bank), clock, manner=manner
        ),
        OutboxWorker(database, wire.channels, content, clock, manner=manner),
        GroupLister(database, wire.directory, clock),
        GroupWorker(database, wire.directory, content, clock),
        RunWorker(database, content, clock),
        TaskWorker(database, wire.results, content, clock),
        LeadWorker(database, content, clock),
        content_worker,
    )


async def serve(settings: Settings, workspace: Workspace, clock: Clock) -> None:
    """Run web and workers until the process is told to stop."""
    import signal

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with assemble(settings, workspace, clock, progress=_log_progress, warm=True) as app:
        async with listening(app.web(), settings.server.host, settings.server.port) as address:
            log.info("bot_started", address=address)
            await app.run(stopping)
        log.info("bot_stopped")


def _log_progress(done: int, total: int) -> None:
    if done == total or done % _TELL_EVERY == 0:
        log.info("passages_embedded", done=done, total=total)


@asynccontextmanager
async def listening(application: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Listen, and give the address; raise ``ConfigError`` in a sentence where that fails."""
    runner = web.AppRunner(application, access_log=None)
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
