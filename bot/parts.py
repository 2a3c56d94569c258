"""Single parts, opened from the settings; each is closed by the stack it is opened on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from bot.ai.chat import open_chat
from bot.ai.offline import OfflineChat
from bot.ai.speech import open_speech
from bot.answering.answer import Answerer
from bot.answering.duty import Duty, duty_of
from bot.answering.meaning import Meaning
from bot.channels.app import AppChannel
from bot.channels.archive import ArchiveChannel
from bot.channels.contact import ContactChannel
from bot.channels.directory import SendResults, SessionStates, WeComDirectory
from bot.channels.hand_sends import HandSends
from bot.channels.inheritance import Inheritance
from bot.channels.kf import KfChannel
from bot.channels.made import MadeTasks
from bot.channels.media import MediaShelf, Recordings
from bot.channels.moments import MomentStates
from bot.channels.staff_side import StaffSide, open_staff_side
from bot.channels.tags import TagIds
from bot.channels.ways import WeComWays
from bot.config import Settings
from bot.domain.admission import Holdouts
from bot.domain.knowledge import Document
from bot.domain.quota import TenantCaps
from bot.domain.tickets import Times
from bot.errors import ConfigError
from bot.front import configurations as configurations
from bot.front import open_database as open_database
from bot.index_parts import open_index as open_index
from bot.index_parts import open_rerank as open_rerank
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.search import KnowledgeSearch
from bot.ports import Channel, ChatModel, Clock, Speech
from bot.storage.db import Database
from bot.web_parts import open_client as open_client
from bot.wecom.app import AppApi
from bot.wecom.archive import ArchiveClient
from bot.wecom.archive_child import LibraryArchive
from bot.wecom.archive_library import LibraryOrder
from bot.wecom.contact import ContactApi
from bot.wecom.kf import KfApi
from bot.wecom.transfers import TransferApi
from bot.wecom.ways import WayApi
from bot.workers.content import Content, Snapshot, tables_for
from bot.workers.voice import Ears
from bot.workspace import Workspace

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Wire:
    """Everything that talks to WeCom."""

    channels: Mapping[str, Channel]
    directory: WeComDirectory
    results: SendResults
    sessions: SessionStates
    made: MadeTasks
    hand_sends: HandSends
    moments: MomentStates
    ways: WeComWays
    inheritance: Inheritance
    ears: Ears
    staff_side: StaffSide
    archive: ArchiveChannel


async def open_wire(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    database: Database,
    clock: Clock,
) -> Wire:
    """Open the client of WeCom with everything that speaks over it."""
    client = open_client(settings, workspace, database, clock)
    stack.push_async_callback(client.close)
    archive = await _open_archive(stack, settings, workspace)
    contact, kf = ContactApi(client), KfApi(client)
    media, tags = MediaShelf(client, workspace.sop / "files", clock), TagIds(contact)
    staff_side = open_staff_side(stack, settings, workspace, database, clock)
    group_words = ArchiveChannel(archive, clock)
    channels: tuple[Channel, ...] = (
        KfChannel(kf, clock, settings.kf.repeated_msgid_code, media),
        AppChannel(AppApi(client, settings.wecom.agent_id), listens=not staff_side.has_bot),
        ContactChannel(contact, media, tags),
        group_words,
        *staff_side.channels,
    )
    return Wire(
        channels={channel.name: channel for channel in channels},
        directory=WeComDirectory(contact, tags),
        results=SendResults(contact),
        sessions=SessionStates(kf),
        made=MadeTasks(contact),
        hand_sends=HandSends(contact),
        moments=MomentStates(contact),
        ways=WeComWays(WayApi(client)),
        inheritance=Inheritance(TransferApi(client)),
        ears=Ears(await _speech(stack, settings), Recordings(client)),
        staff_side=staff_side,
        archive=group_words,
    )


def open_inheritance(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    database: Database,
    clock: Clock,
) -> Inheritance:
    """Open only what customers and groups are handed on by."""
    client = open_client(settings, workspace, database, clock)
    stack.push_async_callback(client.close)
    return Inheritance(TransferApi(client))


async def _speech(stack: AsyncExitStack, settings: Settings) -> Speech | None:
    """Open the model that hears voice messages, if the settings name one."""
    speech = settings.speech
    return await stack.enter_async_context(
        open_speech(
            speech.model,
            base_url=speech.base_url,
            api_key=speech.api_key.get_secret_value(),
            wait_for=speech.timeout_seconds,
        )
    )


async def _open_archive(
    stack: AsyncExitStack, settings: Settings, workspace: Workspace
) -> ArchiveClient | LibraryArchive | None:
    archive = _archive(settings, workspace)
    if archive is not None:
        stack.push_async_callback(archive.close)
    if isinstance(archive, LibraryArchive):
        await archive.start()
    return archive


def _archive(settings: Settings, workspace: Workspace) -> ArchiveClient | LibraryArchive | None:
    """Open the archive by the library, by a bridge, or not at all."""
    archive = settings.archive
    secret = archive.secret.get_secret_value()
    if archive.url and archive.library:
        raise ConfigError(
            "[archive] url 和 library 只能写一个：有桥就写 url，自己加载原生库就写 library。"
        )
    if archive.library:
        order = LibraryOrder(
            library=str(workspace.resolve(archive.library)),
            corp_id=settings.wecom.corp_id,
            secret=secret,
            keys={version: str(workspace.resolve(file)) for version, file in archive.keys.items()},
            proxy=archive.proxy,
            proxy_password=archive.proxy_password.get_secret_value(),
            timeout_s=archive.timeout_seconds,
        )
        return LibraryArchive(order)
    return ArchiveClient(archive.url, secret) if archive.url else None


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
    reranker = await open_rerank(stack, settings)
    search = KnowledgeSearch(
        index, snapshot.bank.zone, reranker, careful=settings.knowledge.caution == "careful"
    )

    def make_answerer(current: Snapshot) -> Answerer:
        duty = duty_of(current.bank, tables_for(clock.now().date()))
        return answerer_for(current, search, chat, settings.llm.timeout_seconds, index, duty)

    content = Content(
        workspace=workspace,
        snapshot=snapshot,
        answerer=make_answerer(snapshot),
        tables=tables_for(clock.now().date()),
        make_answerer=make_answerer,
        kf_link=settings.kf.link,
        sidebar=settings.sidebar.url if settings.sidebar.enabled else "",
        card_link=settings.staff.card_link,
        approval=settings.sop.approval,
        tenant_caps=tenant_caps(settings),
        hold_unknown_years=settings.sop.unknown_year == "hold",
        holdouts=holdouts_of(settings),
        handing_over=times_of(settings),
        assigning=settings.leads.assigning,
        scoring=settings.leads.scoring,
    )
    return index, content


def holdouts_of(settings: Settings) -> Holdouts:
    """Return the shares that no script may market to."""
    sop = settings.sop
    return Holdouts(everywhere=sop.global_holdout, programs=sop.program_holdout)


def times_of(settings: Settings) -> Times:
    """Return how long a talk may stand still before the bot has it again."""
    kf = settings.kf
    return Times(
        wait=timedelta(minutes=kf.wait_minutes),
        idle=timedelta(minutes=kf.idle_minutes),
        invite_again=timedelta(days=kf.invite_days) if kf.invite_days else None,
    )


def tenant_caps(settings: Settings) -> TenantCaps:
    """Return the bank's caps over all its scripts together."""
    sop = settings.sop
    return TenantCaps(
        marketing_a_week=sop.marketing_a_week,
        marketing_a_month=sop.marketing_a_month,
        group_a_day=sop.group_a_day,
        group_a_week=sop.group_a_week,
        fatigue=sop.fatigue,
    )


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


def answerer_for(
    snapshot: Snapshot,
    search: KnowledgeSearch,
    chat: ChatModel,
    write_within: float,
    index: KnowledgeIndex,
    duty: Duty | None = None,
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
        writes=not isinstance(chat, OfflineChat),
        meaning=Meaning(lambda: index.embedders),
        duty=duty,
    )
