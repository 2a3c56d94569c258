"""Places a planned run anew whose missed step moves all that follow (后面一起顺延); in memory."""

from __future__ import annotations

from datetime import date, datetime

from bot.sop.enrol import plan_steps
from bot.sop.move import begun, move
from bot.sop.places import places_of
from bot.sop.simulation.player import Player
from bot.sop.simulation.stage import Stage


class Replanning:
    """Does for the runs of a simulation what the worker's replanning does in the database."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        stage.replan = self.replan

    def replan(self, player: Player, not_before: date, now: datetime) -> None:
        """Put what has not begun where the plan has it from that day on."""
        case, run = self._stage.case, player.run
        rows = sorted((*player.ended, *player.steps.values()), key=lambda row: row.opens_at)
        steps = plan_steps(
            case.script,
            run.anchor,
            run.branch,
            case.bank,
            case.tables,
            begun=begun(rows),
            weekly_cap=run.weekly_cap,
            not_before=not_before,
            shift=True,
        )
        moved = move(run, rows, steps, case.parts.keys(), run.version, now)
        for key in moved.released:
            player.release(key)
        for number in moved.gone:
            del player.steps[number]
        for number, step in moved.placed:
            values: dict[str, object] = {
                "planned_on": step.planned_on,
                "opens_at": step.opens_at,
                "closes_at": step.closes_at,
                "state": "skipped" if step.skip else "planned",
                "reason": step.skip,
            }
            player.put(player.steps[number].model_copy(update=values))
        for step in moved.fresh:
            player.put(self._stage.new_row(run.id, step))
        again = [*moved.fresh, *(step for _, step in moved.placed)]
        for held in places_of(run, case.script, again):
            player.release(held.key)
            player.hold(held, case.bank.zone)
        self._stage.diary.note(now, "replanned", run.subject, run=run.id, on=str(not_before))
        self._stage.wake(player, moved.wake_at)
