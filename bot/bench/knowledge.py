"""An answer without a language model, from an index of many passages: how long, how much memory.

Only the questions are embedded for real: the bundled model would need hours for the passages.
"""

from __future__ import annotations

import json
from typing import Any

from bot.bench.figures import Progress
from bot.bench.processes import python
from bot.workspace import Workspace

BARS_P95_MS = {10_000: 150.0, 100_000: 300.0}
BARS_MB = {10_000: 700}
PASSAGES = (10_000,)


async def measure(
    workspace: Workspace, progress: Progress, passages: tuple[int, ...] = PASSAGES
) -> dict[str, Any]:
    """Ask an index of each size in a process of its own, whose memory is counted whole."""
    found: dict[str, Any] = {
        "what": "a question to its whole answer without a language model, in one process"
    }
    met = True
    for size in passages:
        progress(f"  {size} 段资料：建索引，再问")
        figures = await _in_a_process(workspace, size)
        bar_ms = BARS_P95_MS.get(size, max(BARS_P95_MS.values()))
        slowest = max(figures[name]["p95_ms"] for name in ("all_shown", "half_hidden", "few_shown"))
        figures |= {"bar_p95_ms": bar_ms, "met": slowest <= bar_ms}
        if size in BARS_MB:
            figures["bar_mb"] = BARS_MB[size]
            figures["met"] = figures["met"] and figures["peak_mb"] <= BARS_MB[size]
        met = met and figures["met"]
        found[f"{size}_passages"] = figures
    return found | {"met": met}


async def _in_a_process(workspace: Workspace, passages: int) -> dict[str, Any]:
    output, code = await python(
        ["-m", "bot.bench.knowledge_run", str(workspace.root), str(passages)]
    )
    if code:
        raise RuntimeError(f"it ended with code {code}")
    figures: dict[str, Any] = json.loads(output)
    return figures
