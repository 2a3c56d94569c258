"""A run with a token on its way through one pass: where it stands, and where it goes; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.domain.flow import END_OF_RUN, Split
from bot.domain.placing import Asked, Place, nominal_day
from bot.domain.runs import Face, NewStep, Phase, Run, RunStep, Token
from bot.domain.splitting import arm_of, unit_of
from bot.domain.steps import Step
from bot.sop.anchors import relative_day, valid_until
from bot.sop.batch import Batch
from bot.sop.thought import Advance, Played
from bot.sop.turn import repeat_over


@dataclass(slots=True)
class Stride:
    """A run on its way through one pass."""

    batch: Batch
    thought: Advance
    played: Played
    face: Face
    row: RunStep | None
    node: str
    phase: Phase
    at: datetime
    round: int
    shifted: int
    arms: dict[str, str] = field(default_factory=dict)
    been: tuple[str, ...] = ()
    nominal: date | None = None  # of a round, which the one before it gives
    heard_at: datetime | None = None  # when that happened which ended the wait
    timed_out_at: datetime | None = None

    @property
    def run(self) -> Run:
        """Return the run."""
        return self.thought.run

    def token(self) -> Token:
        """Return where the run stands now."""
        return Token(self.node, self.phase, self.at, self.round, self.arms, self.shifted, self.been)

    def split(self, split: Split) -> None:
        """Give the run its arm of an experiment, for as long as the file has that arm."""
        if self.arms.get(split.experiment) in split.shares:
            return
        unit = unit_of(split, self.run)
        arm = arm_of(split, unit, self.batch.exposed())
        self.arms = {**self.arms, split.experiment: arm}
        self.thought.note("arm", experiment=split.experiment, unit=unit, arm=arm)

    def asked(self, step: Step) -> Asked | None:
        """Return the step with its own day; None where nobody knows the date it goes by."""
        batch, run = self.batch, self.run
        arrived = self.at.astimezone(batch.zone).date()
        nominal: date | None = self.nominal or nominal_day(step, run.anchor, arrived, self.shifted)
        if self.nominal is None and self.row is not None and step.repeat and self.round > 1:
            rounds = self.round - self.row.round
            nominal = self.row.planned_on + timedelta(days=rounds * step.repeat.every_days)
        elif self.nominal is None and step.relative is not None:
            nominal = relative_day(batch, run, self.played.script, step.relative, arrived)
        if nominal is None:
            return None
        until = run.expires_at
        for limit in (valid_until(batch, run, step, nominal), repeat_over(step, batch.zone)):
            if limit is not None and (until is None or limit < until):
                until = limit
        return Asked(step, nominal, batch.now, step.relative is not None, until)

    def go(self, to: str) -> None:
        """Put the token on another step; one that was done is passed over, for ever (I10)."""
        self.been = (*self.been, self.node)
        passed: set[str] = set()
        while to != END_OF_RUN and to in self.been and to not in passed:
            passed.add(to)
            step = self.played.steps.get(to)
            goto = step.goto if step is not None else None
            to = goto or self.played.following.get(to, END_OF_RUN)
        if to == END_OF_RUN or to in passed:
            self.thought.end = "done"
            self.thought.note("run_done")
            return
        self.node, self.phase, self.at, self.round = to, "arrive", self.batch.now, 1
        self.row = self.nominal = self.heard_at = self.timed_out_at = None
        self.note_arrival()

    def note_arrival(self) -> None:
        """Note that the run has come to a step."""
        self.thought.note("arrived", step=self.node)

    def new_step(self, step: Step, place: Place) -> NewStep:
        """Return a step's row on the day that was found for it."""
        return NewStep(
            step=step.id,
            kind="step",
            planned_on=place.on,
            opens_at=place.opens_at,
            closes_at=place.closes_at,
            skip=place.skip,
            round=self.round,
            way=place.way.value if place.way is not None else "",
            priority=self.played.script.priority_of(step),
        )
