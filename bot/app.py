"""The only place where parts are joined."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from bot.channels.callback import CallbackEndpoint
from bot.channels.doorbells import own_doorbell
from bot.config import Settings
from bot.console.health import Health
from bot.front import Role, application_of, checked, open_endpoint, require_shared, stop_signals
from bot.front import listening as listening
from bot.knowledge.index import KnowledgeIndex
from bot.leads.desk import LeadDesk
from bot.log import logger
from bot.memory import settled
from bot.parts import Progress, Wire, open_content, open_database, open_wire
from bot.ports import Clock
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.workers.adoption import DraftWorker
from bot.workers.approval_notes import ApprovalNotes
from bot.workers.archive import Rereader
from bot.workers.brief import BriefWorker
from bot.workers.calendar_news import CalendarNews
from bot.workers.catching_up import CatchUp
from bot.workers.content import Content, Snapshot, read_snapshot, signature, tables_for
from bot.workers.customers import CustomerWorker
from bot.workers.editions import go_over, tell_progress
from bot.workers.effects import Effects
from bot.workers.entry_worker import EntryPlanner, EntryWorker
from bot.workers.events import EventWorker
from bot.workers.greeting import Greeting
from bot.workers.group_talk import GroupTalk
from bot.workers.groups import GroupLister, GroupWorker
from bot.workers.hearing import Hearing
from bot.workers.inbox import InboxWorker
from bot.workers.kf_scene import Reader
from bot.workers.loop import Manner, Worker, run_for_ever, run_until_idle, side_by_side
from bot.workers.moments import MomentWorker
from bot.workers.outbox import OutboxWorker
from bot.workers.people_desk import PeopleDesk
from bot.workers.people_pass import PeoplePass, begin_comparing
from bot.workers.private_talk import PrivateTalk
from bot.workers.publish import publish
from bot.workers.readback import ReadbackWorker, begin_reading_back
from bot.workers.reconcile import DoubtWorker
from bot.workers.retention import RetentionWorker
from bot.workers.runs import RunWorker
from bot.workers.sessions import SessionDesk
from bot.workers.staff import StaffDesk
from bot.workers.staff_talk import StaffTalk
from bot.workers.talk import Talk
from bot.workers.tasks import TaskWorker
from bot.workers.ticker import ContentWorker, LeadWorker
from bot.workers.transfers import TransferWorker
from bot.workers.unanswered import Unanswered
from bot.workers.ways import WayPlanner, WayWorker
from bot.workspace import Workspace

log = logger(__name__)
_FIRST_WORDS = "您好"


@dataclass
class App:
    """A bot, assembled: its workers are stepped by hand or run for ever."""

    settings: Settings
    workspace: Workspace
    clock: Clock
    database: Database
    content: Content
    index: KnowledgeIndex
    endpoint: CallbackEndpoint
    content_worker: ContentWorker
    workers: tuple[Worker, ...]

    async def tick(self) -> int:
        """Work until nothing is due; return how many pieces were worked on."""
        return await run_until_idle(self.workers, self.database, self.clock)

    def web(self) -> web.Application:
        """Return the web application: callbacks and health."""
        base_path = self.settings.server.base_path
        return application_of(self.endpoint, self.health(), base_path)

    def health(self, role: Role = "both", stopping: asyncio.Event | None = None) -> Health:
        """Return what this process can say of itself."""
        return Health(self.database, self.clock, role, stopping, self.content_worker.report)

    async def run(self, stopping: asyncio.Event) -> None:
        """Run every worker until told to stop, and then until nothing is in hand any more."""
        drain_s = self.settings.server.drain_seconds
        watching = asyncio.gather(
            self.content_worker.watch(stopping), go_over(self.index, self.clock)
        )
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
) -> AsyncIterator[App]:
    """Open every part in order and close them in reverse; raise ``ConfigError`` in a sentence.

    ``in_place`` asks a database that is not durable without a thread: see ``Database.open``.
    ``warm`` loads the model now: at the first question it would hold up callbacks.
    """
    cryptos = checked(settings)
    async with AsyncExitStack() as stack:
        seen = signature(workspace)
        files = read_snapshot(workspace, clock.now().date())
        database = await _own_database(stack, settings, workspace, clock, in_place=in_place)
        snapshot = await _begin(database, files, settings, clock)
        wire = await open_wire(stack, settings, workspace, database, clock)
        index, content = await open_content(stack, settings, workspace, clock, snapshot)
        reindex = partial(_reindex, index, progress)
        load = warm and not settings.embedding.base_url
        await _ready(index, snapshot, progress, hurried=warm, warm=load)
        content_worker = ContentWorker(database, content, reindex, clock, settings.sop, files, seen)
        yield App(
            settings=settings,
            workspace=workspace,
            clock=clock,
            database=database,
            content=content,
            index=index,
            endpoint=open_endpoint(settings, cryptos, database, clock),
            content_worker=content_worker,
            workers=_workers(settings, database, wire, content, content_worker, clock, manner),
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


async def _ready(
    index: KnowledgeIndex,
    snapshot: Snapshot,
    progress: Progress | None,
    *,
    hurried: bool,
    warm: bool,
) -> None:
    # An older edition may answer first only where somebody goes on filling the new one.
    await index.publish(snapshot.documents(), progress, hurried=hurried)
    if warm:
        await index.embedder.query(_FIRST_WORDS)


async def _reindex(index: KnowledgeIndex, progress: Progress | None, snapshot: Snapshot) -> None:
    await index.publish(snapshot.documents(), progress)


def _workers(
    settings: Settings,
    database: Database,
    wire: Wire,
    content: Content,
    content_worker: ContentWorker,
    clock: Clock,
    manner: Manner,
) -> tuple[Worker, ...]:
    store = Greeting(content).after(Hearing(content).store)
    side = wire.staff_side
    desk = LeadDesk(lambda: content.bank, staff_group=side.has_group)
    return (
        CatchUp(database, own_doorbell, clock),
        InboxWorker(database, wire.channels, clock, store=store, manner=manner),
        _event_worker(database, wire, content, clock, manner),
        OutboxWorker(database, wire.channels, content, clock, manner=manner),
        GroupLister(database, wire.directory, clock),
        GroupWorker(database, wire.directory, content, clock),
        EntryPlanner(database, content, clock),
        EntryWorker(database, content, clock),
        CustomerWorker(database, wire.directory, content, clock),
        PeoplePass(database, wire.directory, content, clock),
        WayPlanner(database, content, clock),
        WayWorker(database, wire.ways, clock),
        TransferWorker(database, wire.inheritance, clock),
        RunWorker(database, content, clock, effects=Effects(desk, content)),
        TaskWorker(database, wire.results, content, clock),
        DoubtWorker(database, wire.made, content, clock),
        ReadbackWorker(database, wire.hand_sends, wire.results, content, clock),
        MomentWorker(database, wire.moments, clock),
        LeadWorker(database, content, clock, card_link=side.card_link),
        DraftWorker(database, clock),
        ApprovalNotes(database, content, clock),
        content_worker,
        *((side.line,) if side.line else ()),
        *((BriefWorker(database, content, clock, side.brief_hour),) if side.has_group else ()),
        RetentionWorker(database, settings.retention, content, clock),
    )


def _event_worker(
    database: Database, wire: Wire, content: Content, clock: Clock, manner: Manner
) -> EventWorker:
    """Join everybody who works on some kind of event."""
    desk = LeadDesk(lambda: content.bank, staff_group=wire.staff_side.has_group)
    effects = Effects(desk, content)
    reader = Reader(database, content, wire.sessions, desk, clock)
    talk = Talk(database, content, wire.directory, reader, effects, wire.ears, clock)
    sessions = SessionDesk(content, Unanswered(effects))
    group_talk = GroupTalk(database, content, effects, clock)
    private_talk = PrivateTalk(database, content, effects, clock)
    return EventWorker(
        database,
        talk,
        sessions,
        group_talk,
        private_talk,
        StaffDesk(content),
        StaffTalk(database, content, clock, wire.staff_side.so_far),
        PeopleDesk(content),
        Rereader(database, wire.archive, clock),
        clock,
        manner=manner,
    )


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
            )
            address = await stack.enter_async_context(
                listening(web_half, server.host, port or server.port)
            )
        log.info("bot_started", address=address, role=role)
        with settled():
            await app.run(stopping)
    log.info("bot_stopped", role=role)
