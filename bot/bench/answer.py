"""A customer asks on 微信客服, and the answer lies in his hand: end to end over HTTP."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from bot.bench.figures import Progress, spread
from bot.bench.questions import read_window, various
from bot.bench.scene import open_scene
from bot.bench.town import Ear, Town
from bot.workspace import Workspace

BAR_P95_MS = 500.0
_QUESTIONS = 60
_AT_ONCE = 10
_PATIENCE_S = 20.0


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Ask 60 questions one by one, then 60 more with ten customers asking at once.

    A wait is counted from the end of the window in which the rest of a question may come.
    """
    window = read_window(workspace)
    async with open_scene(workspace) as scene:
        ear = Ear(scene.town)
        progress(f"  {_QUESTIONS} 个问题，一个一个问")
        first = various(scene.questions, _QUESTIONS)
        [warming] = await scene.town.customers(1)
        await _ask(scene.town, ear, warming, first[0])
        alone = await _ask_all(scene.town, ear, first, 1, window)
        progress(f"  {_QUESTIONS} 个问题，{_AT_ONCE} 位客户一起问")
        more = various(scene.questions, _QUESTIONS, start=_QUESTIONS)
        together = await _ask_all(scene.town, ear, more, _AT_ONCE, window)
    slowest = max(alone.get("p95_ms", 0.0), together.get("p95_ms", 0.0))
    unanswered = alone["unanswered"] + together["unanswered"]
    return {
        "what": "kf message to its answer in the local WeCom, every customer a new one",
        "counted_after_window_s": window.total_seconds(),
        "one_by_one": alone,
        f"{_AT_ONCE}_at_once": together,
        "bar_p95_ms": BAR_P95_MS,
        "met": slowest <= BAR_P95_MS and not unanswered,
    }


async def _ask_all(
    town: Town, ear: Ear, questions: list[str], at_once: int, window: timedelta
) -> dict[str, Any]:
    customers = await town.customers(len(questions))
    left = list(zip(customers, questions, strict=True))
    waited: list[float | None] = []

    async def one_after_another() -> None:
        while left:
            customer, question = left.pop()
            waited.append(await _ask(town, ear, customer, question))

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    spent = window.total_seconds() * 1000
    answered = [value - spent for value in waited if value is not None]
    figures: dict[str, Any] = dict(spread(answered)) if answered else {}
    return figures | {"unanswered": len(waited) - len(answered)}


async def _ask(town: Town, ear: Ear, customer: str, question: str) -> float | None:
    """Return the milliseconds until the answer; None where none came in time."""
    asked_at = await town.ask(customer, question)
    answered_at = await ear.heard(customer, _PATIENCE_S)
    return None if answered_at is None else (answered_at - asked_at) * 1000
