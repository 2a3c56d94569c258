"""Thinks what becomes of a run whose time has come; pure, so that a batch can be thought first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.calendar import CalendarTables
from bot.domain.hold import LOOK_AGAIN_WHILE_PAUSED
from bot.domain.misfire import NEWEST, WINDOW_MISSED
from bot.domain.runs import FINAL_STEPS, Face, RunStep, Standing
from bot.domain.script_parts import MissedRule
from bot.sop.batch import Batch
from bot.sop.batch import BatchFacts as BatchFacts
from bot.sop.fire import Wordings
from bot.sop.opener import Opener
from bot.sop.thought import Advance as Advance
from bot.sop.thought import Played as Played
from bot.sop.walk import Walker

MAX_DURATION = "max_duration"


class Thinker:
    """Judges the runs of one batch: the same moment, the same files, the same subjects' facts."""

    def __init__(
        self, wordings: Wordings, facts: BatchFacts, now: datetime, tables: CalendarTables
    ) -> None:
        self._now = now
        self._batch = Batch(wordings, facts, now, tables)
        self._opener = Opener(self._batch)
        self._walker = Walker(self._batch, self._opener)

    def advance(self, standing: Standing, played: Played | None) -> Advance:
        """Say what becomes of a run now."""
        run, face = standing.run, standing.group
        thought = Advance(run, played.script if played else None)
        if played is None:
            thought.leave("script_gone")
            return thought
        if face is None or face.gone:
            gone = "group_dismissed" if run.subject_kind == "group" else "customer_lost"
            thought.leave(face.gone if face is not None else gone)
            return thought
        until = _longest(standing, played)
        if until is not None and self._now >= until:
            thought.leave(MAX_DURATION)
            return thought
        if played.flows:
            self._walker.advance(thought, played, face, standing.row)
            if until is not None and not thought.end:
                thought.wake_at = min(thought.wake_at or until, until)
        else:
            self._due(thought, played, face, standing)
        return thought

    def _due(self, thought: Advance, played: Played, face: Face, standing: Standing) -> None:
        """Open and close what is due of a run that was planned at its entry."""
        for row in standing.due:
            if row.state == "waiting":
                self._opener.close(thought, played, row)
            else:
                self._open(thought, played, face, row, standing.due)
            if thought.end:
                return
        self._rest(thought, standing)

    def _open(
        self,
        thought: Advance,
        played: Played,
        face: Face,
        row: RunStep,
        due: Sequence[RunStep],
    ) -> None:
        outcome = self._opener.open(thought, played, row, face)
        if outcome == "newest" and self._newer(played, row, due):
            self._opener.skip(thought, row, NEWEST)
        elif outcome in ("shift", "newest"):
            later = self._opener.next_window(thought, played, row, face)
            if later is None:
                self._opener.skip(thought, row, WINDOW_MISSED)
            elif outcome == "newest":
                self._opener.move(thought, row, later, NEWEST)
            else:
                # The step and all that follow are placed anew from today on, or from tomorrow.
                thought.replan = later.opens_at.astimezone(self._batch.zone).date()

    def _newer(self, played: Played, row: RunStep, due: Sequence[RunStep]) -> bool:
        """Tell whether a later step was missed too, which is then the one that is made up for."""
        later = due[due.index(row) + 1 :]
        missed = (each for each in later if each.state == "planned" and each.closes_at <= self._now)
        parts = (played.parts.get(each.step) for each in missed)
        rules = (played.script.missed_for(part).rule for part in parts if part is not None)
        return MissedRule.COALESCE in rules

    def _rest(self, thought: Advance, standing: Standing) -> None:
        """Sleep until the next step opens or closes; end the run once nothing is left."""
        if len(standing.due) == 1 and thought.letters:
            thought.wake_at = standing.later  # its one step is on its way: most of a wave
            return
        changed = {change.id: change for change in thought.changes}
        now_are = [changed.get(row.id, row) for row in standing.due]
        if not standing.unfinished and all(each.state in FINAL_STEPS for each in now_are):
            thought.end = "done"
            thought.note("run_done")
            return
        waiting = [each for each in now_are if each.state == "planned"]
        moments = [self._again(each.opens_at, each.id in changed) for each in waiting]
        if standing.later is not None:
            moments.append(standing.later)
        thought.wake_at = min(moments, default=None)

    def _again(self, opens_at: datetime, moved: bool) -> datetime:
        """Return when a step is looked at again that stays planned; what is paused waits long.

        One that was ``moved`` to hours that are open already is opened at once.
        """
        if opens_at > self._now:
            return opens_at
        return self._now if moved else self._now + LOOK_AGAIN_WHILE_PAUSED


def _longest(standing: Standing, played: Played) -> datetime | None:
    """Return when a run has lasted as long as any may (最长天数)."""
    run = standing.run
    if run.expires_at is not None or run.entered_at is None:
        return run.expires_at
    return run.entered_at + timedelta(days=played.script.max_days)
