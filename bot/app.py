"""The only place where parts are joined."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from bot.ai.cache import CachedEmbedder, CacheUnusable, VectorCache
from bot.ai.chat import open_chat
from bot.ai.chroma import ChromaStore, MemoryStore
from bot.ai.embed import open_embedder
from bot.answering.answer import Answerer
from bot.channels.app import AppChannel
from bot.channels.archive import ArchiveChannel
from bot.channels.callback import CallbackEndpoint
from bot.channels.contact import ContactChannel
from bot.channels.directory import SendResults, SessionStates, WeComDirectory
from bot.channels.kf import KfChannel
from bot.channels.media import MediaShelf
from bot.config import Settings, require_wecom
from bot.console.health import health_routes
from bot.domain.knowledge import Document
from bot.errors import ConfigError
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.search import KnowledgeSearch
from bot.leads.desk import LeadDesk
from bot.log import logger
from bot.ports import Channel, ChatModel, Clock, VectorStore
from bot.storage.db import Database
from bot.storage.migrate import upgrade
from bot.storage.notices import NoticeWriter
from bot.storage.tokens import DatabaseTokens
from bot.wecom.app import AppApi
from bot.wecom.archive import ArchiveClient
from bot.wecom.client import WeComClient
from bot.wecom.contact import ContactApi
from bot.wecom.crypto import CallbackCrypto
from bot.wecom.kf import KfApi
from bot.workers.content import Content, Snapshot, read_snapshot, tables_for
from bot.workers.effects import Effects
from bot.workers.events import EventWorker
from bot.workers.group_talk import GroupTalk
from bot.workers.groups import GroupLister, GroupWorker
from bot.workers.inbox import InboxWorker
from bot.workers.loop import Worker, run_for_ever, run_until_idle
from bot.workers.outbox import OutboxWorker
from bot.workers.runs import RunWorker
from bot.workers.staff import StaffDesk
from bot.workers.talk import Talk
from bot.workers.tasks import TaskWorker
from bot.workers.ticker import ContentWorker, LeadWorker, publish
from bot.workspace import Workspace

log = logger(__name__)
Progress = Callable[[int, int], None]


@dataclass
class App:
    """A bot, assembled: its workers are stepped by hand or run for ever."""

    settings: Settings
    workspace: Workspace
    clock: Clock
    database: Database
    content: Content
    index: KnowledgeIndex
    search: KnowledgeSearch
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
        loops = [
            run_for_ever(worker, self.database, self.clock, stopping) for worker in self.workers
        ]
        await asyncio.gather(*loops)


@dataclass(frozen=True)
class _Wire:
    """Everything that talks to WeCom."""

    channels: Mapping[str, Channel]
    directory: WeComDirectory
    results: SendResults
    sessions: SessionStates


@asynccontextmanager
async def assemble(
    settings: Settings,
    workspace: Workspace,
    clock: Clock,
    *,
    progress: Progress | None = None,
    at_once: int = 10,
) -> AsyncIterator[App]:
    """Open every part in order and close them in reverse; raise ``ConfigError`` in a sentence."""
    require_wecom(settings)
    async with AsyncExitStack() as stack:
        snapshot = read_snapshot(workspace, clock.now().date())
        database = await open_database(settings, workspace)
        stack.push_async_callback(database.close)
        await upgrade(database)
        wire = await _wire(stack, settings, workspace, database, clock)
        index, search, content = await _content(stack, settings, workspace, clock, snapshot)

        async def reindex(snapshot: Snapshot) -> None:
            await index.publish(snapshot.documents(), progress)

        await reindex(snapshot)
        await publish(database, content, clock.now())
        content_worker = ContentWorker(database, content, reindex, clock)
        yield App(
            settings=settings,
            workspace=workspace,
            clock=clock,
            database=database,
            content=content,
            index=index,
            search=search,
            endpoint=CallbackEndpoint(
                _configurations(settings),
                NoticeWriter(database, clock),
                clock,
                settings.wecom.replay_window_seconds,
            ),
            content_worker=content_worker,
            workers=_workers(database, wire, content, content_worker, clock, at_once),
        )


async def _wire(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    database: Database,
    clock: Clock,
) -> _Wire:
    wecom = settings.wecom
    client = WeComClient(
        wecom.api_base,
        wecom.corp_id,
        wecom.secret.get_secret_value(),
        DatabaseTokens(database),
        clock,
        timeout_s=wecom.timeout_seconds,
    )
    stack.push_async_callback(client.close)
    archive = None
    if settings.archive.url:
        archive = ArchiveClient(settings.archive.url, settings.archive.secret.get_secret_value())
        stack.push_async_callback(archive.close)
    contact, kf = ContactApi(client), KfApi(client)
    media = MediaShelf(client, workspace.sop / "files", clock)
    channels: tuple[Channel, ...] = (
        KfChannel(kf, clock, settings.kf.repeated_msgid_code),
        AppChannel(AppApi(client, wecom.agent_id)),
        ContactChannel(contact, media),
        ArchiveChannel(archive),
    )
    return _Wire(
        channels={channel.name: channel for channel in channels},
        directory=WeComDirectory(contact),
        results=SendResults(contact),
        sessions=SessionStates(kf),
    )


async def _content(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    clock: Clock,
    snapshot: Snapshot,
) -> tuple[KnowledgeIndex, KnowledgeSearch, Content]:
    index = await open_index(stack, settings, workspace)
    llm = settings.llm
    chat = await stack.enter_async_context(
        open_chat(
            llm.model,
            base_url=llm.base_url,
            api_key=llm.api_key.get_secret_value(),
            wait_for=llm.timeout_seconds,
        )
    )
    search = KnowledgeSearch(index, snapshot.bank.zone)

    def make_answerer(current: Snapshot) -> Answerer:
        return answerer_for(current, search, chat, llm.timeout_seconds)

    content = Content(
        workspace=workspace,
        snapshot=snapshot,
        answerer=make_answerer(snapshot),
        tables=tables_for(clock.now().date()),
        make_answerer=make_answerer,
        kf_link=settings.kf.link,
    )
    return index, search, content


async def open_index(
    stack: AsyncExitStack, settings: Settings, workspace: Workspace
) -> KnowledgeIndex:
    """Open the embedder with its cache, and the vector store of its model."""
    embedding = settings.embedding
    model = await stack.enter_async_context(
        open_embedder(
            embedding.model,
            base_url=embedding.base_url,
            api_key=embedding.api_key.get_secret_value(),
            dimensions=embedding.dimensions,
        )
    )
    cache = workspace.resolve(settings.knowledge.cache)
    try:
        embedder = CachedEmbedder(model, VectorCache(cache))
    except (OSError, CacheUnusable) as error:
        raise ConfigError(
            f"向量缓存 {cache} 不能写入。请换一个地方([knowledge] cache),或改好它的权限。"
        ) from error
    store: VectorStore = MemoryStore(embedder.dimensions)
    if settings.knowledge.store == "chroma":
        store = ChromaStore(workspace.resolve(settings.knowledge.folder), embedder.name)
    return KnowledgeIndex(embedder, store)


def answerer_for(
    snapshot: Snapshot, search: KnowledgeSearch, chat: ChatModel, write_within: float
) -> Answerer:
    """Make the answerer of one reading of the files."""
    documents: dict[str, Document] = {
        document.id: document for document in snapshot.knowledge.documents
    }
    return Answerer(
        search.find,
        documents.get,
        chat,
        next(iter(snapshot.personas.values())),
        snapshot.rules,
        snapshot.bank.zone,
        timedelta(seconds=write_within),
    )


def _workers(
    database: Database,
    wire: _Wire,
    content: Content,
    content_worker: ContentWorker,
    clock: Clock,
    at_once: int,
) -> tuple[Worker, ...]:
    desk = LeadDesk(lambda: content.bank)
    effects = Effects(desk, content)
    talk = Talk(database, content, wire.directory, wire.sessions, desk, effects, clock)
    group_talk = GroupTalk(database, content, desk, effects, clock)
    return (
        InboxWorker(database, wire.channels, clock),
        EventWorker(
            database, talk, group_talk, StaffDesk(lambda: content.bank), clock, at_once=2 * at_once
        ),
        OutboxWorker(database, wire.channels, content, clock, at_once=at_once),
        GroupLister(database, wire.directory, clock),
        GroupWorker(database, wire.directory, content, clock),
        RunWorker(database, content, clock),
        TaskWorker(database, wire.results, content, clock),
        LeadWorker(database, content, clock),
        content_worker,
    )


def _configurations(settings: Settings) -> dict[str, CallbackCrypto]:
    wecom = settings.wecom

    def crypto(token: str, aes_key: str) -> CallbackCrypto:
        return CallbackCrypto(token, aes_key, wecom.corp_id)

    default = crypto(
        wecom.callback_token.get_secret_value(), wecom.callback_aes_key.get_secret_value()
    )
    named = {
        name: crypto(one.token.get_secret_value(), one.aes_key.get_secret_value())
        for name, one in wecom.callbacks.items()
    }
    return {"": default} | named


async def open_database(settings: Settings, workspace: Workspace) -> Database:
    """Open the database that the settings name."""
    url = _database_url(settings, workspace)
    return await Database.open(url, durable=settings.database.durable)


def _database_url(settings: Settings, workspace: Workspace) -> str:
    """Return the database's address, a relative SQLite file from the workspace's root."""
    text = settings.database.url
    if not text.startswith("sqlite"):
        return text
    scheme, _, path = text.partition(":///")
    return f"{scheme}:///{workspace.resolve(path or 'data/zhilin.db').as_posix()}"


async def serve(settings: Settings, workspace: Workspace, clock: Clock) -> None:
    """Run web and workers until the process is told to stop."""
    import signal

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with assemble(settings, workspace, clock, progress=_log_progress) as app:
        async with listening(app.web(), settings.server.host, settings.server.port) as address:
            log.info("bot_started", address=address)
            await app.run(stopping)
        log.info("bot_stopped")


def _log_progress(done: int, total: int) -> None:
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
                f"{host} 的端口 {port} 用不了,多半已被占用。"
                "请关掉占用它的程序,或换一个端口(BOT_SERVER__PORT)。"
            ) from error
        taken = runner.addresses[0][1]
        yield f"http://{host}:{taken}"
    finally:
        await runner.cleanup()
