"""The story without a browser, as one function."""

from __future__ import annotations

import time
from typing import Any

from bot.demo.running import open_demo
from bot.demo.story import START, Story
from bot.memory import settled
from bot.parts import Progress
from bot.workspace import Workspace


async def play_headless(
    workspace: Workspace,
    *,
    days: int | None = None,
    seed: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Play the story until every run has ended, or so many days; return its figures."""
    began = time.monotonic()
    async with open_demo(workspace, START, seed=seed, progress=progress) as demo:
        index_seconds = time.monotonic() - began
        with settled():
            figures = await Story(demo, seed).play(days)
    return {"seed": seed, "index_seconds": round(index_seconds, 2), **figures}
