"""What steps became in a batch, so that the next run of which the same is known is not judged anew.

Thousands of groups get a step at the same moment: of most of them everything that decides is the
same, and only the key, the group and the numbers of the run and the step are their own.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bot.domain.runs import Face, GroupFace, Run, RunStep
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.batch import Batch
from bot.sop.fire import called, step_key, ways_of
from bot.sop.stencil import Stencil
from bot.sop.thought import Advance, Played


class Ready(NamedTuple):
    """A step that goes out: its letter with the names left open, and what is written of it."""

    stencil: Stencil
    text: str
    closes_at: datetime
    way: SendBy
    named: str
    part: Step | Overlay


class Alike:
    """The steps of one batch that went out, by all that decided so."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._known: dict[tuple[object, ...], Ready] = {}

    def send(self, thought: Advance, played: Played, row: RunStep, face: Face) -> bool:
        """Send a step as those before it, where nothing else is known of it; tell whether."""
        run, batch = thought.run, self._batch
        ready = self._known.get(_all_that_decides(run, row, face))
        if ready is None:
            return False
        if batch.taken(run.subject) and batch.obstacle(
            run, played, ready.part, row.round, batch.today, ready.way
        ):
            return False  # whose places are free has room where others had some
        iteration = row.iteration + 1
        key = step_key(run.id, row.step, iteration, row.round)
        thought.letters.append(ready.stencil.letter(key, run, row.id, called(face)))
        thought.queue(row, iteration, ready.text, ready.closes_at, ready.named)
        thought.note("step_queued", step=row.step, time=iteration, round=row.round)
        return True

    def keep(self, run: Run, row: RunStep, face: Face, ready: Ready) -> None:
        """Keep what a step became, unless something was asked about its subject alone."""
        if not self._batch.same_for_all or not isinstance(face, GroupFace):
            return
        part = ready.part
        if isinstance(part, Step) and (part.guard is not None or part.bodies):
            return
        if ready.way is next(iter(ways_of(part)), SendBy.BROADCAST):
            self._known[_all_that_decides(run, row, face)] = ready


def _all_that_decides(run: Run, row: RunStep, face: Face) -> tuple[object, ...]:
    return (
        *(run.script, run.version, run.branch, face.owner, run.weekly_cap),
        *(run.marketing_stopped, run.product_stopped, run.subject_kind),
        *(row.step, row.round, row.iteration, row.way, row.planned_on),
        *(row.opens_at, row.closes_at),
    )
