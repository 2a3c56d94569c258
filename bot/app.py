"""The only place where parts are joined."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.channels.callback import CallbackEndpoint
from bot.config import Settings
from bot.console.health import Health
from bot.crew import crew_of
from bot.front import Role, application_of, checked, open_endpoint, require_shared, stop_signals
from bot.front import listening as listening
from bot.knowledge.index import KnowledgeIndex
from bot.log import logger
from bot.memory import settled
from bot.parts import Progress, open_content, open_database, open_wire
from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.web_parts import open_pages
from bot.workers.calendar_news import CalendarNews
from bot.workers.content import Content, Snapshot, read_snapshot, signature, tables_for
from bot.workers.editions import FirstIndex, tell_progress
from bot.workers.loop import Manner, Worker, run_for_ever, run_until_idle, side_by_side
from bot.workers.people_pass import begin_comparing
from bot.workers.publish import publish
from bot.workers.readback import begin_reading_back
from bot.workers.ticker import ContentWorker
from bot.workspace import Workspace

log = logger(__name__)
# Some hundred passages of the bundled model; who has more is not kept from WeCom so long.
_INDEX_WITHIN_S = 20.0


@dataclass
class App:
    """A bot, assembled: its workers are stepped by hand or run for ever."""

    settings: Settings
    workspace: Workspace
    clock: Clock
    database: Database
    content: Content
    first_index: FirstIndex
    endpoint: CallbackEndpoint
    pages: Sequence[web.RouteDef]
    content_worker: ContentWorker
    workers: tuple[Worker, ...]

    @property
    def index(self) -> KnowledgeIndex:
        """Return what questions are looked up in."""
        return self.first_index.index

    async def tick(self) -> int:
        """Work until nothing is due; return how many pieces were worked on."""
        return await run_until_idle(self.workers, self.database, self.clock)

    def web(self) -> web.Application:
        """Return the web application: callbacks, pages and health."""
        base_path = self.settings.server.base_path
        return application_of(self.endpoint, self.health(), base_path, self.pages)

    def health(self, role: Role = "both", stopping: asyncio.Event | None = None) -> Health:
        """Return what this process can say of itself."""
        files, knowledge = self.content_worker.report, self.index.report
        return Health(self.database, self.clock, role, stopping, files, knowledge)

    async def run(self, stopping: asyncio.Event) -> None:
        """Run every worker until told to stop, and then until nothing is in hand any more."""
        drain_s = self.settings.server.drain_seconds
        watching = asyncio.gather(self.content_worker.watch(stopping), self.first_index.finish())
        try:
            await run_for_ever(self.workers, self.database, self.clock, stopping, drain_s=drain_s)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


@asynccontextmanager
async def assemble(
    settings: Settings,
    workspace: Workspace,
    clock: Clock,
    *,
    progress: Progress | None = None,
    manner: Manner = side_by_side,
    in_place: bool = False,
    warm: bool = False,
    index_within: float = _INDEX_WITHIN_S,
) -> AsyncIterator[App]:
    """Open every part in order and close them in reverse; raise ``ConfigError`` in a sentence.

    ``in_place`` asks a database that is not durable without a thread: see ``Database.open``.
    ``warm`` loads the model now, and makes an index of over ``index_within`` seconds meanwhile.
    """
    cryptos = checked(settings)
    async with AsyncExitStack() as stack:
        seen, files = signature(workspace), read_snapshot(workspace, clock.now().date())
        database = await _own_database(stack, settings, workspace, clock, in_place=in_place)
        snapshot = await _begin(database, files, settings, clock)
        wire = await open_wire(stack, settings, workspace, database, clock)
        index, content = await open_content(stack, settings, workspace, clock, snapshot)
        first = FirstIndex(index, content, clock, progress)
        await _make(first, stack, settings, index_within if warm else None)
        reader = ContentWorker(database, content, first.again, clock, settings.sop, files, seen)
        crew = crew_of(settings, database, wire, content, reader, index, clock, manner)
        yield App(
            settings=settings,
            workspace=workspace,
            clock=clock,
            database=database,
            content=content,
            first_index=first,
            endpoint=open_endpoint(settings, cryptos, database, clock),
            pages=open_pages(stack, settings, database, content, clock),
            content_worker=reader,
            workers=crew,
        )


async def _own_database(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    clock: Clock,
    *,
    in_place: bool,
) -> Database:
    database = await open_database(settings, workspace, in_place=in_place)
    stack.push_async_callback(database.close)
    await upgrade(database)
    await database.take_over(clock.now())
    return database


async def _begin(database: Database, files: Snapshot, settings: Settings, clock: Clock) -> Snapshot:
    """Put the files in force, as far as people have allowed it; return what is."""
    published = await publish(database, files, clock.now(), settings.sop)
    await CalendarNews(database, clock).look(tables_for(clock.now().date()))
    await begin_comparing(database, clock.now())
    await begin_reading_back(database, clock.now())
    return published.snapshot


async def _make(
    index: FirstIndex, stack: AsyncExitStack, settings: Settings, wait_for: float | None
) -> None:
    stack.push_async_callback(index.close)
    # At the first question a model of this process would hold up callbacks while it is loaded.
    load = wait_for is not None and not settings.embedding.base_url
    await index.begin(wait_for, load=load)


async def serve(
    settings: Settings,
    workspace: Workspace,
    clock: Clock,
    role: Role = "both",
    port: int | None = None,
) -> None:
    """Run workers, and web unless others have it, until the process is told to stop.

    Workers alone listen only where a ``port`` is given, and tell their health there.
    """
    require_shared(settings, role)
    stopping = stop_signals()
    async with (
        assemble(settings, workspace, clock, progress=tell_progress, warm=True) as app,
        AsyncExitStack() as stack,
    ):
        app.database.share_news(ring=False)
        server, address = settings.server, ""
        if role == "both" or port is not None:
            web_half = application_of(
                app.endpoint if role == "both" else None,
                app.health(role, stopping),
                server.base_path,
                app.pages if role == "both" else (),
            )
            address = await stack.enter_async_context(
                listening(web_half, server.host, port or server.port)
            )
        log.info("bot_started", address=address, role=role)
        with settled():
            await app.run(stopping)
    log.info("bot_stopped", role=role)
