"""The index of knowledge, opened from the settings: models, stores, and what was there before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.ai.cache import CachedEmbedder, CacheUnusable, VectorCache
from bot.ai.chroma import Chroma, Imprint, open_server
from bot.ai.chroma_files import open_folder
from bot.ai.embed import open_embedder, open_folder_embedder
from bot.ai.folder import own_folder
from bot.ai.recent import RecentStore
from bot.ai.rerank import open_reranker
from bot.ai.stores import FileStore, MemoryStore
from bot.config import Settings
from bot.errors import ConfigError
from bot.knowledge.edition import Edition
from bot.knowledge.index import KnowledgeIndex, Standing
from bot.log import logger
from bot.ports import Embedder, Reranker
from bot.workspace import Workspace

RECORD = "index.json"
_BUNDLED = ""
log = logger(__name__)


async def open_index(
    stack: AsyncExitStack, settings: Settings, workspace: Workspace, *, tidies: bool = True
) -> KnowledgeIndex:
    """Open the models with their cache, and the stores of their vectors.

    Only who makes the index for those who answer from it ``tidies``: drops what other models
    made, and writes down how it stands. A command that only looks must not.
    """
    cache, [model, *others] = await open_models(stack, settings, workspace)
    second = others[0] if others else None
    if settings.knowledge.store == "memory":
        also = MemoryStore(second.dimensions) if second else None
        return KnowledgeIndex(model, MemoryStore(model.dimensions), second, also)
    folder = workspace.resolve(settings.knowledge.folder)
    chroma, folder = await _chroma(stack, settings, folder)
    imprint = Imprint(model.name, model.dimensions, _source(settings, workspace))
    newest = Edition(
        embedder=model,
        store=RecentStore(chroma.store(imprint)),
        second=second,
        second_store=RecentStore(FileStore(_second_file(folder, second))) if second else None,
        shared=chroma.shared,
        at_once=max(settings.embedding.batch, 16) if settings.embedding.base_url else 16,
    )
    older = await _older(stack, settings, workspace, chroma, imprint, newest, cache)
    if not tidies:
        return KnowledgeIndex.over(newest, older)
    return KnowledgeIndex.over(
        newest, older, _recorder(folder, imprint), _tidier(chroma, imprint, folder, second)
    )


async def open_rerank(stack: AsyncExitStack, settings: Settings) -> Reranker | None:
    """Open the model that puts what was found in order, if the settings name one."""
    rerank = settings.rerank
    return await stack.enter_async_context(
        open_reranker(
            rerank.model,
            base_url=rerank.base_url,
            api_key=rerank.api_key.get_secret_value(),
            wait_for=rerank.timeout_seconds,
        )
    )


async def open_models(
    stack: AsyncExitStack, settings: Settings, workspace: Workspace
) -> tuple[VectorCache, Sequence[CachedEmbedder]]:
    """Open the models of the settings, the second one last, and the vectors they made."""
    cache = _cache(settings, workspace)
    model = CachedEmbedder(await _model(stack, settings, workspace), cache)
    second = await _second(stack, settings, model.name, cache)
    return cache, [model, *([second] if second else [])]


async def drop_older(settings: Settings, workspace: Workspace) -> Sequence[str]:
    """Drop what other models made from a Chroma server; return their names.

    Only a person knows that no process searches it any more.
    """
    async with AsyncExitStack() as stack:
        _, [model, *_] = await open_models(stack, settings, workspace)
        chroma, _ = await _chroma(stack, settings, workspace.resolve(settings.knowledge.folder))
        old = [one for one in await chroma.kept() if one[:2] != (model.name, model.dimensions)]
        for imprint in old:
            await chroma.drop(imprint)
    return [imprint.model for imprint in old]


async def kept_on_server(settings: Settings) -> Mapping[Imprint, int]:
    """Return what made each collection of ours on the Chroma server, and its vectors' number."""
    token = settings.knowledge.token.get_secret_value()
    async with open_server(settings.knowledge.url, token) as chroma:
        return await chroma.kept()


def _cache(settings: Settings, workspace: Workspace) -> VectorCache:
    cache = workspace.resolve(settings.knowledge.cache)
    try:
        return VectorCache(cache)
    except (OSError, CacheUnusable) as error:
        raise ConfigError(
            f"向量缓存 {cache} 不能写入。请换一个地方([knowledge] cache)，或改好它的权限。"
        ) from error


async def _model(stack: AsyncExitStack, settings: Settings, workspace: Workspace) -> Embedder:
    embedding = settings.embedding
    if embedding.folder and embedding.base_url:
        raise ConfigError("[embedding] folder 和 base_url 只能写一个：本机的模型，或一个接口。")
    if embedding.folder:
        return await stack.enter_async_context(
            open_folder_embedder(
                workspace.resolve(embedding.folder),
                query_prefix=embedding.query_prefix,
                passage_prefix=embedding.passage_prefix,
            )
        )
    return await _named(stack, settings, embedding.model, embedding.dimensions)


async def _named(
    stack: AsyncExitStack, settings: Settings, model: str, dimensions: int
) -> Embedder:
    embedding = settings.embedding
    return await stack.enter_async_context(
        open_embedder(
            model,
            base_url=embedding.base_url,
            api_key=embedding.api_key.get_secret_value(),
            dimensions=dimensions,
            batch=embedding.batch,
            wait_for=embedding.timeout_seconds,
        )
    )


async def _second(
    stack: AsyncExitStack, settings: Settings, first: str, cache: VectorCache
) -> CachedEmbedder | None:
    """Open the model that scores once more what was found; none beside itself."""
    second = settings.embedding.second
    if not second or second == first:
        return None
    return CachedEmbedder(await stack.enter_async_context(open_embedder(second)), cache)


async def _chroma(stack: AsyncExitStack, settings: Settings, folder: Path) -> tuple[Chroma, Path]:
    """Open Chroma and return where this process keeps what is not in it."""
    knowledge = settings.knowledge
    if knowledge.store == "chroma-server":
        if not knowledge.url:
            raise ConfigError(
                "[knowledge] store 写了 chroma-server，还要写 url，例如 http://127.0.0.1:8000。"
            )
        token = knowledge.token.get_secret_value()
        return await stack.enter_async_context(open_server(knowledge.url, token)), folder
    folder = stack.enter_context(own_folder(folder))
    return await stack.enter_async_context(open_folder(folder)), folder


def _source(settings: Settings, workspace: Workspace) -> str:
    """Tell where the model is found: an address, a folder, or "" for a bundled one."""
    embedding = settings.embedding
    if embedding.folder:
        return str(workspace.resolve(embedding.folder))
    return embedding.base_url


def _second_file(folder: Path, second: Embedder) -> Path:
    name = Imprint(second.name, second.dimensions).collection
    return folder / f"second-{name}.sqlite"


async def _older(
    stack: AsyncExitStack,
    settings: Settings,
    workspace: Workspace,
    chroma: Chroma,
    imprint: Imprint,
    newest: Edition,
    cache: VectorCache,
) -> Edition | None:
    """Return what may answer until the newest edition is complete: the models before these.

    They are gone where another endpoint or another folder made them. Where only the second model
    is new, the first one answers alone.
    """
    kept = await chroma.kept()
    others = sorted((one for one in kept if one[:2] != imprint[:2]), key=lambda one: -kept[one])
    for other in others:
        model = await _opened_again(stack, settings, workspace, other)
        if model is not None:
            embedder = CachedEmbedder(model, cache)
            second = newest.second if newest.second and newest.second.name != model.name else None
            return Edition(
                embedder=embedder,
                store=RecentStore(chroma.store(other)),
                second=second,
                second_store=newest.second_store if second else None,
                shared=chroma.shared,
            )
    if newest.second is None:
        return None
    return Edition(newest.embedder, newest.store, shared=chroma.shared, at_once=newest.at_once)


async def _opened_again(
    stack: AsyncExitStack, settings: Settings, workspace: Workspace, imprint: Imprint
) -> Embedder | None:
    """Open the model that made vectors once; None where it cannot be had any more."""
    try:
        if imprint.source == _BUNDLED:
            model = await stack.enter_async_context(open_embedder(imprint.model))
        elif imprint.source == settings.embedding.base_url:
            model = await _named(stack, settings, imprint.model, imprint.dimensions)
        else:
            model = await stack.enter_async_context(
                open_folder_embedder(
                    workspace.resolve(imprint.source),
                    query_prefix=settings.embedding.query_prefix,
                    passage_prefix=settings.embedding.passage_prefix,
                )
            )
    except ConfigError:
        return None
    same = (model.name, model.dimensions) == imprint[:2]
    return model if same else None


def _recorder(folder: Path, imprint: Imprint) -> Callable[[Standing], None]:
    """Return what writes down how the index stands, for those who must not open it."""

    def record(standing: Standing) -> None:
        text = json.dumps(asdict(standing) | imprint._asdict(), ensure_ascii=False)
        beside = folder / f"{RECORD}.new"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            beside.write_text(text, "utf-8")
            beside.replace(folder / RECORD)
        except OSError as error:
            log.warning("index_not_recorded", reason=type(error).__name__)

    return record


def read_record(folder: Path) -> dict[str, Any]:
    """Return how the index in a folder stood last; empty where there is none."""
    try:
        found = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _tidier(
    chroma: Chroma, imprint: Imprint, folder: Path, second: Embedder | None
) -> Callable[[], Awaitable[None]]:
    """Return what drops older editions, once nobody searches them.

    On a server others may still search them: there a person drops them.
    """

    async def tidy() -> None:
        if chroma.shared:
            return
        for other in await chroma.kept():
            if other[:2] != imprint[:2]:
                await chroma.drop(other)
                log.info("older_index_dropped", model=other.model)
        mine = _second_file(folder, second) if second else None
        await asyncio.to_thread(_drop_files_but, mine, folder)

    return tidy


def _drop_files_but(mine: Path | None, folder: Path) -> None:
    for path in folder.glob("second-*.sqlite"):
        if path != mine:
            path.unlink(missing_ok=True)
