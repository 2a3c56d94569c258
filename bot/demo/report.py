"""The story's figures: what the bot wrote down, and what the local WeCom delivered."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bot.demo.running import Demo
from bot.domain.runs import FINAL_STEPS
from bot.emulator.violations import audit
from bot.memory import peak_mb
from bot.sop.measures import MEASURED_KINDS, measure
from bot.storage.db import Tx

_ANSWERED = ("approved", "written", "identity", "courtesy")


async def report(demo: Demo, script: str, wall_seconds: float) -> dict[str, Any]:
    """Return the figures as one JSON object."""
    async with demo.bot.database.read() as tx:
        kinds = await tx.ledger.counts()
        figures = {
            **_talks(kinds),
            "drafts": await tx.drafts.counts(),
            **await _steps(tx, demo, script),
            "steps_put_off": kinds.get("step_put_off", 0),
            **await _leads(tx),
            "opted_out": kinds.get("opted_out", 0),
            "outbox": await tx.outbox.counts(),
            "measures": measure(
                demo.bot.content.snapshot.scripts[script],
                await tx.ledger.of_kinds(MEASURED_KINDS),
            ),
        }
    return {
        **figures,
        "violations": audit(demo.town.world),
        "wall_seconds": round(wall_seconds, 2),
        "peak_memory_mb": round(peak_mb(), 1),
        "ended_at": demo.clock.now().isoformat(),
    }


def _talks(kinds: dict[str, int]) -> dict[str, int]:
    return {
        "messages_in": kinds.get("message_in", 0),
        "answered": sum(kinds.get(f"answer_{kind}", 0) for kind in _ANSWERED),
        "declined": kinds.get("answer_declined", 0),
        "red_flags": kinds.get("answer_red_flag", 0),
        "handed_over": kinds.get("handed_over", 0),
        "replies_sent": kinds.get("reply_sent", 0),
        "interactions": kinds.get("interaction", 0),
    }


async def _steps(tx: Tx, demo: Demo, script: str) -> dict[str, Any]:
    """Count what became of every step: planned = confirmed + each reason's skips and failures."""
    runs = await tx.runs.of_script(script)
    steps = await tx.runs.all_steps(script)
    over = [step for step in steps if step.state in FINAL_STEPS]
    reasons = Counter(step.reason for step in over if step.state != "confirmed")
    if len(steps) > len(over):
        reasons["not_over"] = len(steps) - len(over)  # only where the story was cut short
    subjects = {run.id: run.subject for run in runs}
    texts = {(subjects[step.run], step.text) for step in over}
    return {
        "groups": len(demo.town.groups),
        "holdout_groups": sum(run.state == "held_out" for run in runs),
        "runs_ended": sum(run.state in ("done", "exited") for run in runs),
        "steps_planned": len(steps),
        "steps_pending": len(steps) - len(over),
        "steps_confirmed": sum(step.state == "confirmed" for step in over),
        "steps_delivered": _delivered(demo, texts),
        "steps_skipped": dict(sorted(reasons.items())),
    }


async def _leads(tx: Tx) -> dict[str, Any]:
    leads: Counter[str] = Counter()
    stages: Counter[str] = Counter()
    for need, stage, count in await tx.leads.counts():
        leads[need] += count
        stages[stage] += count
    return {
        "leads": dict(sorted(leads.items())),
        "leads_by_stage": dict(sorted(stages.items())),
    }


def _delivered(demo: Demo, texts: set[tuple[str, str]]) -> int:
    """Count the steps whose words reached their group, by what the local WeCom delivered."""
    reached = {
        (delivery.to, delivery.text)
        for delivery in demo.town.world.deliveries
        if delivery.kind == "group" and delivery.source.startswith(("broadcast:", "sidebar"))
    }
    return len(reached & texts)
