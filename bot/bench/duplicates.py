"""The same callback three times at once: one answer."""

from __future__ import annotations

from typing import Any

from bot.bench.crash import until_idle
from bot.bench.figures import Progress
from bot.bench.questions import various
from bot.bench.scene import SMALL_BOT, open_scene
from bot.workspace import Workspace

COPIES = 3
_CUSTOMERS = 10
_PATIENCE_S = 30.0


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Have ten customers ask with every callback posted three times; count the answers."""
    async with open_scene(workspace, copies=COPIES, settings=SMALL_BOT) as scene:
        customers = await scene.town.customers(_CUSTOMERS)
        questions = various(scene.questions, _CUSTOMERS)
        for count, (customer, question) in enumerate(zip(customers, questions, strict=True), 1):
            await scene.town.ask(customer, question)
            await scene.relay.received(count)  # WeCom folds doorbells that still wait
        await scene.town.all_answered(customers, _PATIENCE_S)
        await until_idle(scene.bot.database, _PATIENCE_S)
        answers = await scene.town.answers(customers)
        posted = scene.relay.acknowledged
    counts = [len(texts) for texts in answers.values()]
    return {
        "what": f"every callback posted {COPIES} times at once",
        "questions": len(customers),
        "callbacks_acknowledged": posted,
        "answers": sum(counts),
        "answered_twice": sum(count > 1 for count in counts),
        "unanswered": counts.count(0),
        "met": counts == [1] * len(customers),
    }
