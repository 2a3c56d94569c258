"""The room where the bot is taught, opened for one command: the index with what works on it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import NamedTuple

from bot.ai.offline import OfflineChat
from bot.config import Settings
from bot.knowledge.search import KnowledgeSearch
from bot.parts import Progress, open_index, open_model
from bot.ports import Clock
from bot.storage.db import Database
from bot.workers.collecting import Collector
from bot.workers.files import read_snapshot
from bot.workers.placing import Placer
from bot.workers.teaching_desk import TeachingDesk
from bot.workspace import Workspace


class Room(NamedTuple):
    """All who work on what should be taught."""

    collector: Collector
    placer: Placer
    desk: TeachingDesk


async def open_room(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    database: Database,
    clock: Clock,
    progress: Progress | None = None,
) -> Room:
    """Open the index of the files as they are saved, and the model where one is set."""
    snapshot = read_snapshot(workspace, clock.now().date())
    index = await open_index(stack, settings, workspace, tidies=False)
    await index.publish(snapshot.documents(), progress)
    chat = await open_model(stack, settings)
    find = KnowledgeSearch(index, snapshot.bank.zone).find
    return Room(
        collector=Collector(database, lambda: snapshot, clock),
        placer=Placer(database, index, find, clock),
        desk=TeachingDesk(
            database,
            workspace,
            snapshot,
            index,
            find,
            clock,
            None if isinstance(chat, OfflineChat) else chat,
        ),
    )
