"""The story's figures: what the bot wrote down, and what the local WeCom delivered."""

from __future__ import annotations

import resource
from collections import Counter
from typing import Any

from bot.demo.running import Demo
from bot.emulator.violations import audit

_ANSWERED = ("approved", "written", "identity", "courtesy")
_KILOBYTE = 1024


async def report(demo: Demo, script: str, wall_seconds: float) -> dict[str, Any]:
    """Return the figures as one JSON object."""
    async with demo.bot.database.read() as tx:
        kinds = await tx.ledger.counts()
        runs = await tx.runs.of_script(script)
        steps = await tx.runs.all_steps(script)
        lead_counts = await tx.leads.counts()
        drafts = await tx.drafts.counts()
        outbox = await tx.outbox.counts()
    states = Counter(step.state for step in steps)
    reasons = Counter(step.reason for step in steps if step.state in ("skipped", "failed"))
    leads: Counter[str] = Counter()
    stages: Counter[str] = Counter()
    for need, stage, count in lead_counts:
        leads[need] += count
        stages[stage] += count
    over = {step.id for step in steps if step.state in ("confirmed", "skipped", "failed")}
    return {
        "messages_in": kinds.get("message_in", 0),
        "answered": sum(kinds.get(f"answer_{kind}", 0) for kind in _ANSWERED),
        "declined": kinds.get("answer_declined", 0),
        "red_flags": kinds.get("answer_red_flag", 0),
        "handed_over": kinds.get("handed_over", 0),
        "replies_sent": kinds.get("reply_sent", 0),
        "drafts": dict(sorted(drafts.items())),
        "interactions": kinds.get("interaction", 0),
        "groups": len(demo.town.groups),
        "holdout_groups": sum(run.state == "held_out" for run in runs),
        "runs_ended": sum(run.state in ("done", "exited") for run in runs),
        "steps_planned": len(over),
        "steps_pending": len(steps) - len(over),
        "steps_confirmed": states["confirmed"],
        "steps_delivered": _delivered(demo),
        "steps_skipped": dict(sorted(reasons.items())),
        "leads": dict(sorted(leads.items())),
        "leads_by_stage": dict(sorted(stages.items())),
        "opted_out": kinds.get("opted_out", 0),
        "outbox": dict(sorted(outbox.items())),
        "violations": audit(demo.town.world),
        "wall_seconds": round(wall_seconds, 2),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTE, 1),
        "ended_at": demo.clock.now().isoformat(),
    }


def _delivered(demo: Demo) -> int:
    """Count the messages of steps that reached groups, by what the local WeCom delivered."""
    sources = ("broadcast:", "sidebar")
    return sum(
        delivery.kind == "group"
        and delivery.source.startswith(sources)
        and delivery.meta.get("part", 0) == 0
        for delivery in demo.town.world.deliveries
    )
