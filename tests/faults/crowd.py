"""Customers who keep asking, each one question, and what they were answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.bench.questions import various
from bot.bench.scene import Scene

_AT_ONCE = 3


@dataclass
class Crowd:
    """Who asked, and the words that came back."""

    scene: Scene
    pause_s: float
    asked: list[str] = field(default_factory=list)

    async def ask(self, count: int = 1) -> None:
        """Let so many new customers ask one question each."""
        customers = await self.scene.town.customers(count)
        questions = various(self.scene.questions, count, start=len(self.asked))
        for customer, question in zip(customers, questions, strict=True):
            await self.scene.town.ask(customer, question)
            self.asked.append(customer)

    async def keep_asking(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.ask(_AT_ONCE)
            await asyncio.sleep(self.pause_s)

    async def counted(self, within_s: float) -> Counter[str]:
        """Wait until everybody has an answer; return how many are lost, and answered twice."""
        await self.scene.town.all_answered(self.asked, within_s)
        answers = await self.scene.town.answers(self.asked)
        return Counter(
            asked=len(self.asked),
            lost=sum(not texts for texts in answers.values()),
            twice=sum(len(texts) > 1 for texts in answers.values()),
        )


@asynccontextmanager
async def asking(scene: Scene, pause_s: float) -> AsyncIterator[Crowd]:
    """Let a crowd ask as long as the block lasts."""
    crowd = Crowd(scene, pause_s)
    task = asyncio.create_task(crowd.keep_asking())
    try:
        yield crowd
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
