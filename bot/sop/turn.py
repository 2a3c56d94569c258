"""A step at its moment: what stands against it, whose words it has, how long it may take; pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.domain import way_terms
from bot.domain.bank import Bank
from bot.domain.calendar import ONE_DAY
from bot.domain.opening import Span
from bot.domain.runs import Face, PersonFace, Run, RunStep
from bot.domain.splitting import Exposure, arm_of, epoch_of, split_for, unit_of
from bot.domain.step_terms import EVENT_DAY
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.batch import Batch
from bot.sop.fire import Wording, guard_holds
from bot.sop.thought import Advance, Played

PRECONDITION = "precondition"


class Turn(NamedTuple):
    """A step of a run at the moment at which it is due."""

    batch: Batch
    thought: Advance
    run: Run
    played: Played
    part: Step | Overlay
    step: Step | None  # None for an overlay
    row: RunStep
    face: Face

    @property
    def dated(self) -> bool:
        """Tell whether it belongs to a date, and is not made up for on another day."""
        return self.step is None or self.step.relative is not None

    def refusal(self) -> str:
        """Say why a step is not to be, whatever its words and the way it would go."""
        run, step, batch = self.run, self.step, self.batch
        if step is None:
            return ""
        if run.marketing_stopped and step.marketing:
            return "marketing_refused"
        if isinstance(self.face, PersonFace) and self.face.refuses and step.marketing:
            return "marketing_refused"
        if run.product_stopped and step.product is not None:
            return "product_stopped"
        guard = step.guard
        if guard is None:
            return ""
        facts = batch.facts.of(run.subject, batch.today)
        holds = guard_holds(guard, facts, batch.bank)
        if holds and guard.where is not None:
            holds = batch.holds_true(guard.where, run)
        return "" if holds else PRECONDITION

    def is_later(self) -> bool:
        """Tell whether a step goes out on another day than that on which its place stands."""
        return self.row.planned_on != self.batch.today

    def variant(self) -> tuple[str, Exposure | None]:
        """Return the arm whose words a step has, with the exposure that this is (S2)."""
        step, run = self.step, self.run
        split = split_for(self.played.script, step) if step is not None else None
        if split is None:
            return "", None
        unit, exposed = unit_of(split, run), self.batch.exposed()
        arm = exposed.get((split.experiment, unit)) or run.arms.get(split.experiment, "")
        if arm not in split.shares:
            arm = arm_of(split, unit, exposed)
        return arm, Exposure(split.experiment, unit, arm, epoch_of(split))

    def expires_at(self) -> datetime | None:
        """Return from when on a step is not said any more: its event begins, its rounds are over.

        None where it is true for ever.
        """
        over = None if self.step is None else repeat_over(self.step, self.batch.zone)
        begins = self._event_limit()
        return min(begins, over) if begins and over else begins or over

    def _event_limit(self) -> datetime | None:
        step, batch = self.step, self.batch
        if step is None:
            return None
        relative, limit = step.relative, step.valid_until
        if relative is not None and relative.anchor == EVENT_DAY and relative.offset_days <= 0:
            day = self.row.planned_on - timedelta(days=relative.offset_days)
            begins = event_begins(batch.bank, self.run.branch, day, exactly=True)
            return begins if begins is not None and self.row.opens_at < begins else None
        if limit is not None:
            begins = event_begins(batch.bank, self.run.branch, self.row.planned_on)
            return None if begins is None else begins - timedelta(hours=limit.hours_before_event)
        return None

    @property
    def until(self) -> datetime:
        """Return when its window closes, or before that its words are not true any more."""
        expires_at = self.expires_at()
        return self.row.closes_at if expires_at is None else min(self.row.closes_at, expires_at)

    def closes_at(self, way: SendBy) -> datetime:
        """Return until when somebody may press: the window's end, or as long as the file says."""
        row, step, batch = self.row, self.step, self.batch
        if row.iteration or step is None:
            return self.until
        closes_at, unconfirmed = row.closes_at, step.unconfirmed
        if unconfirmed is None and way is not SendBy.TASK_FOR_MANAGER:
            return self.until
        if unconfirmed is not None and way_terms.waits_for_hand(way):
            closes_at = max(closes_at, batch.now + unconfirmed.at_most)
        is_workday = batch.tables.is_workday
        closes_at = way_terms.closes(
            way, step.workdays, batch.now, closes_at, is_workday, batch.zone
        )
        expires_at = self.expires_at()
        return closes_at if expires_at is None else min(closes_at, expires_at)

    def longer(self, span: Span, way: SendBy, closes_at: datetime) -> Span:
        """Return the span for a hand that has longer than the window; customers keep their rest."""
        if way is SendBy.TASK_FOR_MANAGER:
            return span[0], closes_at
        hours = self.batch.hours(self.run, self.played)
        spans = hours.spans(self.batch.now, closes_at)
        return (span[0], spans[0][1]) if spans else span

    def within_the_day(self, span: Span, way: SendBy) -> Span:
        """Return the span of a task's first day: its place among a day's messages is counted anew.

        What was not pressed by midnight is taken back, and made again for what is left (C1).
        """
        at_most = self.batch.midnight
        return (span[0], min(span[1], at_most)) if way is SendBy.BROADCAST else span

    def wording(self, variant: str) -> Wording:
        """Fill in the step's words for whom it is due."""
        run, batch = self.run, self.batch
        return batch.wordings.word(
            self.played.script,
            run.version,
            self.part,
            self.face.owner,
            run.branch,
            batch.today,
            variant=variant,
            face=self.face,
        )


def repeat_over(step: Step, zone: ZoneInfo) -> datetime | None:
    """Return the end of the last day of a step's rounds (重复.到, sop_semantics B2)."""
    if step.repeat is None or step.repeat.until is None:
        return None
    return datetime.combine(step.repeat.until + ONE_DAY, time(0), tzinfo=zone).astimezone(UTC)


def event_begins(bank: Bank, branch: str, day: date, *, exactly: bool = False) -> datetime | None:
    """Return when the branch's event of that day begins, or its next one from then on."""
    event = bank.next_event(branch, day)
    if event is None or (exactly and event.on != day):
        return None
    return event.begins_at(bank.zone).astimezone(UTC)
