"""``zhilin bench``: what was promised, measured, each figure beside its reference."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from bot.bench.figures import Progress, machine
from bot.errors import ConfigError
from bot.workspace import Workspace

NAMES = (
    "help",
    "index",
    "statements",
    "callbacks",
    "answer",
    "knowledge",
    "duplicates",
    "crash",
    "plan",
    "timers",
    "reschedule",
    "sop",
    "workers",
    "leads",
    "story",
)

Measure = Callable[..., Awaitable[dict[str, Any]]]


async def run_bench(
    names: Sequence[str],
    workspace: Workspace,
    progress: Progress,
    passages: Sequence[int] = (),
) -> dict[str, object]:
    """Run the named measures, all where none is named; return their figures by name.

    Each measure says what it measured, in which unit, its bar and whether it was met, and how
    busy the machine was at its end (it makes about 2 of load itself). ``passages`` are the sizes
    of the index that "knowledge" asks. Raise ``ConfigError`` for a name that is not there.
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ConfigError(f"没有这一项测试：{'、'.join(unknown)}。可以测：{'、'.join(NAMES)}。")
    chosen = [name for name in NAMES if not names or name in names]
    before = machine()
    found: dict[str, object] = {}
    for name in chosen:
        progress(f"正在测 {name} ……")
        measure = _measure(name)
        if name == "knowledge" and passages:
            measure = partial(measure, passages=tuple(passages))
        found[name] = await measure(workspace, progress) | {"load": machine()["load"]}
    return {"machine": before, **found}


def _measure(name: str) -> Measure:
    """Import a measure only when it is wanted: some stand on heavy libraries."""
    from importlib import import_module

    measure: Measure = import_module(f"bot.bench.{name}").measure
    return measure
