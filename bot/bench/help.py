"""How long ``zhilin --help`` takes."""

from __future__ import annotations

import time
from typing import Any

from bot.bench.figures import Progress
from bot.bench.processes import python
from bot.workspace import Workspace

BAR_S = 0.5
_TRIES = 3


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Run it once to warm the machine's caches, then three times; the best counts."""
    seconds = [await _timed(["-m", "bot", "--help"]) for _ in range(_TRIES + 1)][1:]
    empty = min([await _timed(["-c", "pass"]) for _ in range(_TRIES)])
    return {
        "best_s": round(min(seconds), 3),
        "worst_s": round(max(seconds), 3),
        "reference_empty_python_s": round(empty, 3),
        "bar_s": BAR_S,
        "met": min(seconds) <= BAR_S,
    }


async def _timed(arguments: list[str]) -> float:
    began = time.perf_counter()
    _, code = await python(arguments)
    if code:
        raise RuntimeError(f"it ended with code {code}")
    return time.perf_counter() - began
