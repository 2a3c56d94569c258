"""The whole 21-day story, played by ``zhilin demo --headless`` in a process of its own."""

from __future__ import annotations

import json
from typing import Any

from bot.bench.figures import Progress
from bot.bench.processes import python
from bot.workspace import Workspace

BAR_S, BAR_MB = 60.0, 600.0


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Play the story once; raise ``RuntimeError`` where it does not end well."""
    arguments = ["-m", "bot", "demo", "--headless", "--json", "-C", str(workspace.root)]
    output, code = await python(arguments)
    if code:
        raise RuntimeError(f"the story ended with code {code}")
    played = json.loads(output)
    broken = sum(played["violations"].values())
    return {
        "what": "20 groups, 400 members, 21 days",
        "wall_s": played["wall_seconds"],
        "bar_s": BAR_S,
        "memory_mb": played["peak_memory_mb"],
        "bar_mb": BAR_MB,
        "violations": broken,
        "met": played["wall_seconds"] <= BAR_S
        and played["peak_memory_mb"] <= BAR_MB
        and not broken,
    }
