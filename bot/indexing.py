"""The index built by hand, kept in step with the files, and looked at from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import date
from typing import Any

from bot.ai.cache import VectorCache
from bot.ai.folder import in_use
from bot.config import Settings
from bot.domain.knowledge import Document, passages_of
from bot.errors import ContentError
from bot.index_parts import kept_on_server, open_index, open_models, read_record
from bot.knowledge.edition import Progress
from bot.knowledge.index import Published
from bot.workers.content import read_snapshot, signature
from bot.workspace import Workspace

_LOOK_EVERY_S = 1.0


def belongs_to_another(settings: Settings, workspace: Workspace) -> bool:
    """Tell whether a running bot has the index: then only vectors can be made for it."""
    folder = workspace.resolve(settings.knowledge.folder)
    return settings.knowledge.store == "chroma" and in_use(folder)


async def build(
    settings: Settings, workspace: Workspace, today: date, progress: Progress
) -> Published:
    """Bring the index up to date, or make the vectors that the bot who has it will need."""
    if belongs_to_another(settings, workspace):
        memory = settings.knowledge.model_copy(update={"store": "memory"})
        settings = settings.model_copy(update={"knowledge": memory})
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings, workspace)
        return await index.publish(read_snapshot(workspace, today).documents(), progress)


async def keep_in_step(
    settings: Settings,
    workspace: Workspace,
    today: Callable[[], date],
    tell: Callable[[Published | ContentError], None],
    stopping: asyncio.Event,
) -> None:
    """Build the index again whenever a file was saved and has stood still, until told to stop."""
    seen = signature(workspace)
    settling = seen
    while not stopping.is_set():
        try:
            await asyncio.wait_for(stopping.wait(), _LOOK_EVERY_S)
        except TimeoutError:
            now = await asyncio.to_thread(signature, workspace)
            if now == seen or now != settling:
                settling = now
                continue
            seen = now
            try:
                tell(await build(settings, workspace, today(), lambda done, total: None))
            except ContentError as error:
                tell(error)  # the last good index stays


async def standing(settings: Settings, workspace: Workspace, today: date) -> dict[str, Any]:
    """Tell which models make the index, what it holds, and what still waits for a vector."""
    knowledge = settings.knowledge
    folder = workspace.resolve(knowledge.folder)
    documents = read_snapshot(workspace, today).documents()
    async with AsyncExitStack() as stack:
        cache, models = await open_models(stack, settings, workspace)
        texts, waiting = await asyncio.to_thread(
            _waiting, cache, [m.name for m in models], documents
        )
        first, *others = [{"model": m.name, "dimensions": m.dimensions} for m in models]
    found: dict[str, Any] = {
        "store": knowledge.store,
        "place": knowledge.url if knowledge.store == "chroma-server" else str(folder),
        **first,
        "second": others[0]["model"] if others else "",
        "documents": len(documents),
        "passages": texts,
        "waiting": waiting,
        "in_use": belongs_to_another(settings, workspace),
        "built": read_record(folder) if knowledge.store != "memory" else {},
    }
    if knowledge.store == "chroma-server":
        found["on_server"] = [
            {"model": one.model, "dimensions": one.dimensions, "vectors": count}
            for one, count in (await kept_on_server(settings)).items()
        ]
    return found


def _waiting(
    cache: VectorCache, models: Sequence[str], documents: Sequence[Document]
) -> tuple[int, dict[str, int]]:
    texts = [passage.text for document in documents for passage in passages_of(document)]
    return len(texts), {model: cache.missing(model, texts) for model in models}
