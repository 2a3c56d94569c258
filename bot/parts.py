"""Single parts, opened from the settings; each is closed by the stack it is opened on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from bot.ai.cache import CachedEmbedder, CacheUnusable, VectorCache
from bot.ai.chat import open_chat
from bot.ai.chroma import ChromaStore, MemoryStore
from bot.ai.embed import open_embedder
from bot.answering.answer import Answerer
from bot.channels.app import AppChannel
from bot.channels.archive import ArchiveChannel
from bot.channels.contact import ContactChannel
from bot.channels.directory import SendResults, SessionStates, WeComDirectory
from bot.channels.kf import KfChannel
from bot.channels.media import MediaShelf
from bot.config import Settings
from bot.domain.knowledge import Document
from bot.errors import ConfigError
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.search import KnowledgeSearch
from bot.ports import Channel, ChatModel, Clock, VectorStore
from bot.storage.db import Database
from bot.storage.tokens import DatabaseTokens
from bot.wecom.app import AppApi
from bot.wecom.archive import ArchiveClient
from bot.wecom.client import WeComClient
from bot.wecom.contact import ContactApi
from bot.wecom.crypto import CallbackCrypto
from bot.wecom.kf import KfApi
from bot.workers.content import Content, Snapshot, tables_for
from bot.workspace import Workspace

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Wire:
    """Everything that talks to WeCom."""

    channels: Mapping[str, Channel]
    directory: WeComDirectory
    results: SendResults
    sessions: SessionStates


async def open_wire(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    database: Database,
    clock: Clock,
) -> Wire:
    """Open the client of WeCom with everything that speaks over it."""
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
        ArchiveChannel(archive, clock),
    )
    return Wire(
        channels={channel.name: channel for channel in channels},
        directory=WeComDirectory(contact),
        results=SendResults(contact),
        sessions=SessionStates(kf),
    )


async def open_content(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    clock: Clock,
    snapshot: Snapshot,
) -> tuple[KnowledgeIndex, Content]:
    """Open the index, the model and what workers read of the files."""
    index = await open_index(stack, settings, workspace)
    chat = await open_model(stack, settings)
    search = KnowledgeSearch(index, snapshot.bank.zone)

    def make_answerer(current: Snapshot) -> Answerer:
        return answerer_for(current, search, chat, settings.llm.timeout_seconds)

    content = Content(
        workspace=workspace,
        snapshot=snapshot,
        answerer=make_answerer(snapshot),
        tables=tables_for(clock.now().date()),
        make_answerer=make_answerer,
        kf_link=settings.kf.link,
    )
    return index, content


async def open_model(stack: AsyncExitStack, settings: Settings) -> ChatModel:
    """Open the language model; without one in the settings, the model that adds nothing."""
    llm = settings.llm
    return await stack.enter_async_context(
        open_chat(
            llm.model,
            base_url=llm.base_url,
            api_key=llm.api_key.get_secret_value(),
            wait_for=llm.timeout_seconds,
        )
    )


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


def configurations(settings: Settings) -> dict[str, CallbackCrypto]:
    """Return the callback configurations by name; "" is the default one."""
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
