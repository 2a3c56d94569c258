"""The first index is made while the bot works, however often its model fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from bot.ai.stores import MemoryStore
from bot.clock import FakeClock
from bot.errors import Retryable
from bot.knowledge.index import KnowledgeIndex
from bot.workers.content import Content
from bot.workers.editions import FirstIndex
from tests.make import NOON
from tests.rooms.knowledge.papers import CARD, PASSBOOK, BoxEmbedder
from tests.waiting import until


class Slow(BoxEmbedder):
    """A model that waits until it is let go, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.failures = failures
        self.loaded = False

    async def query(self, text: str) -> Sequence[float]:
        self.loaded = True
        return await super().query(text)

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        await self.go.wait()
        if self.failures:
            self.failures -= 1
            raise Retryable("embeddings endpoint: APIConnectionError")
        return await super().passages(texts)


def beginning(model: Slow, clock: FakeClock) -> tuple[KnowledgeIndex, FirstIndex]:
    index = KnowledgeIndex(model, MemoryStore(256))
    files = SimpleNamespace(snapshot=SimpleNamespace(documents=lambda: (PASSBOOK, CARD)))
    return index, FirstIndex(index, cast("Content", files), clock, None)


async def test_who_can_wait_has_the_index_before_anything_else() -> None:
    model = Slow()
    model.go.set()
    index, first = beginning(model, FakeClock(NOON))
    await first.begin(None, load=True)
    assert index.ready


async def test_every_model_that_answers_is_loaded_before_anybody_asks() -> None:
    model, second = Slow(), Slow()
    model.go.set()
    second.go.set()
    index = KnowledgeIndex(model, MemoryStore(256), second=second, second_store=MemoryStore(256))
    files = SimpleNamespace(snapshot=SimpleNamespace(documents=lambda: (PASSBOOK, CARD)))
    first = FirstIndex(index, cast("Content", files), FakeClock(NOON), None)
    await first.begin(None, load=True)
    assert model.loaded
    assert second.loaded


async def test_what_fails_at_once_refuses_the_start() -> None:
    model = Slow(failures=1)
    model.go.set()
    _, first = beginning(model, FakeClock(NOON))
    with pytest.raises(Retryable):
        await first.begin(5.0, load=False)


async def test_a_long_one_goes_on_while_the_bot_works_and_after_failures() -> None:
    model, clock = Slow(failures=2), FakeClock(NOON)
    index, first = beginning(model, clock)
    await first.begin(0.01, load=False)
    assert not index.ready
    finishing = asyncio.create_task(first.finish())
    model.go.set()

    def ready_by_and_by() -> bool:
        clock.advance(seconds=30)
        return index.ready

    await until(ready_by_and_by)
    await asyncio.wait_for(finishing, 5)
    assert index.report() == {
        "ready": True,
        "models": "boxes",
        "filling": "",
        "documents": 2,
        "passages": 6,
    }


async def test_one_that_is_given_up_leaves_nothing_running() -> None:
    model = Slow()
    _, first = beginning(model, FakeClock(NOON))
    before = asyncio.all_tasks()
    await first.begin(0.01, load=False)
    await first.close()
    assert asyncio.all_tasks() == before
