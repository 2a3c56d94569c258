"""The story's figures: what the bot wrote down, and what the local WeCom delivered."""

from __future__ import annotations

import resource
from collections import Counter
from typing import Any

from bot.demo.running import Demo
from bot.emulator.violations import audit
from bot.sop.measures import MEASURED_KINDS, measure

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
        entries = await tx.ledger.of_kinds(MEASURED_KINDS)
    subjects = {run.id: run.subject for run in runs}
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
        "steps_delivered": _delivered(demo, {(subjects[step.run], step.text) for step in steps}),
        "steps_skipped": dict(sorted(reasons.items())),
        "leads": dict(sorted(leads.items())),
        "leads_by_stage": dict(sorted(stages.items())),
        "opted_out": kinds.get("opted_out", 0),
        "outbox": dict(sorted(outbox.items())),
        "measures": measure(demo.bot.content.snapshot.scripts[script], entries),
        "violations": audit(demo.town.world),
        "wall_seconds": round(wall_seconds, 2),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTE, 1),
        "ended_at": demo.clock.now().isoformat(),
    }


def _delivered(demo: Demo, texts: set[tuple[str, str]]) -> int:
    """Count the steps whose words reached their group, by what the local WeCom delivered."""
    reached = {
        (delivery.to, delivery.text)
        for delivery in demo.town.world.deliveries
        if delivery.kind == "group" and delivery.source.startswith(("broadcast:", "sidebar"))
    }
    return len(reached & texts)
