"""What scripts are promised to take: simulating, entering, planning, checking, downtime."""

from __future__ import annotations

import gc
import time
from datetime import date
from statistics import median
from typing import Any

from bot.bench.figures import Progress
from bot.bench.sop_crowd import enter_and_plan
from bot.bench.sop_downtime import downtime
from bot.bench.sop_files import check_a_long_script, reload_a_saved_script
from bot.calendars import calendar_tables
from bot.domain.audience import bucket
from bot.sop.simulation import Case, report_of, simulate
from bot.workers.content import Snapshot, read_snapshot, version_of
from bot.workspace import Workspace

SCRIPT = "senior-21d"
START = date(2026, 10, 12)
SIMULATE_BAR_S = 5.0
_GROUPS, _ROUNDS = 1_000, 3
_HASHES = 20_000


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Measure each promise beside a loop of hashes, which says how fast the machine was."""
    snapshot = read_snapshot(workspace, START)
    found: dict[str, Any] = {"reference": _reference()}
    progress("  预演")
    found["simulate"] = _simulate(snapshot)
    progress("  进入、排步骤")
    found |= await enter_and_plan(workspace, snapshot)
    progress("  检查")
    found["check"] = check_a_long_script(workspace, START)
    progress("  保存后生效")
    found["reload"] = await reload_a_saved_script(workspace)
    progress("  停机 26 小时")
    found["downtime"] = await downtime(workspace, snapshot)
    return {
        "what": "the script engine and its tools, on one core and SQLite",
        **found,
        "met": all(part.get("met", True) for part in found.values()),
    }


def _reference() -> dict[str, Any]:
    """Count hashes a second: pure Python, as most of what is measured beside it."""
    began = time.process_time()
    for number in range(_HASHES):
        bucket("reference", f"unit-{number}")
    return {"hashes_per_s": round(_HASHES / (time.process_time() - began))}


def _simulate(snapshot: Snapshot) -> dict[str, Any]:
    """Let 1,000 groups run through the 21 days, with the report; best told by its median."""
    script = snapshot.scripts[SCRIPT]
    case = Case(
        script=script,
        version=version_of(script),
        bank=snapshot.bank,
        tables=calendar_tables(range(START.year, START.year + 2)),
        product=snapshot.knowledge.product,
        start=START,
        subjects=_GROUPS,
        kf_link="https://example.com/kf",
    )
    seconds, steps = [], 0
    for _ in range(_ROUNDS):
        gc.collect()
        gc.disable()  # as the command does
        began = time.process_time()
        steps = report_of(simulate(case))["funnel"]["planned"]
        seconds.append(round(time.process_time() - began, 2))
        gc.enable()
    return {
        "groups": _GROUPS,
        "steps": steps,
        "seconds": median(seconds),
        "rounds": seconds,
        "bar_s": SIMULATE_BAR_S,
        "met": median(seconds) <= SIMULATE_BAR_S,
    }
