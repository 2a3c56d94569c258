"""Thinks what becomes of a run whose time has come; pure, so that a batch can be thought first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot.domain.calendar import QuietWindows
from bot.domain.delivery import open_spans
from bot.domain.lead import Need
from bot.domain.runs import FINAL_STEPS, GroupFace, Run, RunStep, Standing, StepChange
from bot.domain.script import SopScript
from bot.domain.script_parts import MissedRule
from bot.domain.steps import Overlay, SendBy, Step
from bot.sop.fire import (
    GuardFacts,
    Wording,
    Wordings,
    fire,
    guard_holds,
    step_key,
    way_of,
)
from bot.sop.stencil import Stencil
from bot.storage.letters import Letter, seal

SHORTEST_SPAN = timedelta(minutes=2)  # a task made later could not be confirmed in time
_ONE_DAY = timedelta(days=1)
_MOVED = "moved_a_day"

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What the 前提 of a batch's steps are judged by, of every group in it."""

    needs: frozenset[tuple[str, str]] = frozenset()
    complaints: dict[str, int] = field(default_factory=dict)
    products: dict[str, int] = field(default_factory=dict)

    def of(self, group: str, today: date) -> GuardFacts:
        """Return what is true of one group."""
        return GuardFacts(
            today=today,
            needs_in_group=frozenset(need.value for need in Need if (group, need) in self.needs),
            complaints_this_week=self.complaints.get(group, 0),
            products_this_week=self.products.get(group, 0),
        )


@dataclass(frozen=True, slots=True)
class Played:
    """A version of a script with its parts at hand."""

    script: SopScript
    parts: Mapping[str, Step | Overlay]
    guarded: frozenset[str]

    @classmethod
    def of(cls, script: SopScript) -> Played:
        """Return a script's parts by their ids, and those with a 前提."""
        guarded = {step.id for step in script.steps if step.guard is not None}
        return cls(script, {part.id: part for part in script.parts}, frozenset(guarded))

    def asks(self, standing: Standing) -> bool:
        """Tell whether a step that is due has a 前提."""
        return any(row.step in self.guarded for row in standing.due if row.state == "planned")


@dataclass(slots=True)
class Advance:
    """What is to be written of a run: its messages, its steps, the ledger, and its next wake-up."""

    run: Run
    script: SopScript | None = None
    letters: list[Letter] = field(default_factory=list)
    changes: list[StepChange] = field(default_factory=list)
    entries: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    end: Literal["", "done", "exited"] = ""
    reason: str = ""
    wake_at: datetime | None = None

    def note(self, kind: str, **facts: Any) -> None:
        """Put an entry into the ledger."""
        self.entries.append((kind, self.run.subject, facts))

    def queue(self, row: RunStep, iteration: int, text: str) -> None:
        """Have a step written whose words go into the outbox."""
        opens_at, closes_at, was = row.opens_at, row.closes_at, row.state
        self.changes.append(
            StepChange("queued", iteration, "", text, opens_at, closes_at, row.id, was)
        )

    def skip(self, row: RunStep, reason: str) -> None:
        """Have a step written that is not to be, with its reason."""
        self.changes.append(_as_it_is(row)._replace(state="skipped", reason=reason))
        self.note("step_skipped", step=row.step, reason=reason)

    def put_off(self, row: RunStep, opens_at: datetime, closes_at: datetime, reason: str) -> None:
        """Have a step that has not begun written with another window."""
        moved = _as_it_is(row)._replace(opens_at=opens_at, closes_at=closes_at, reason=reason)
        self.changes.append(moved)


class Thinker:
    """Judges the runs of one batch: the same moment, the same files, the same groups' facts."""

    def __init__(self, wordings: Wordings, facts: GroupFacts, now: datetime) -> None:
        self._wordings = wordings
        self._facts = facts
        self._now = now
        self._zone = wordings.bank.zone
        self._today = now.astimezone(self._zone).date()
        # The windows of a batch are few: those of one day of one script.
        self._spans: dict[tuple[datetime, datetime, str, str], Span | None] = {}
        self._stencils: dict[tuple[object, ...], Stencil] = {}

    def advance(self, standing: Standing, played: Played | None) -> Advance:
        """Say what becomes of a run now."""
        run, group = standing.run, standing.group
        thought = Advance(run, played.script if played else None)
        if played is None or group is None or group.dismissed:
            thought.end = "exited"
            thought.reason = "group_dismissed" if played else "script_gone"
            return thought
        for row in standing.due:
            if row.state == "planned":
                self._open(thought, played, row, group)
            else:
                self._close(thought, played, row)
        self._rest(thought, standing)
        return thought

    def _open(self, thought: Advance, played: Played, row: RunStep, group: GroupFace) -> None:
        run, script, part = thought.run, played.script, played.parts.get(row.step)
        if part is None:
            thought.skip(row, "step_removed")
            return
        span = self._span(row, run, script)
        if span is None:
            self._missed(thought, script, row)
            return
        if span[0] > self._now:
            thought.put_off(row, span[0], row.closes_at, row.reason)
            return
        if isinstance(part, Step) and part.guard is not None:
            facts = self._facts.of(run.subject, self._today)
            if not guard_holds(part.guard, facts, self._wordings.bank):
                thought.skip(row, "precondition")
                return
        wording = self._wordings.word(
            script, run.version, part, group.owner, run.branch, self._today
        )
        iteration = row.iteration + 1
        letter = self._letter(played, part, run, row, span, group, wording)
        if isinstance(letter, str):
            thought.skip(row, letter)
            return
        thought.letters.append(letter)
        thought.queue(row, iteration, wording.text)
        thought.note("step_queued", step=row.step, time=iteration)

    def _letter(
        self,
        played: Played,
        part: Step | Overlay,
        run: Run,
        row: RunStep,
        span: Span,
        group: GroupFace,
        wording: Wording,
    ) -> Letter | str:
        """Write what a step becomes; a string is the reason for nothing."""
        script = played.script
        key = step_key(run.id, row.step, row.iteration + 1)
        if way_of(part) is not SendBy.BROADCAST or wording.no_text:
            fired = fire(script, part, run, row, span, group, wording, self._zone)
            return fired if isinstance(fired, str) else seal(key, fired.message, fired.terms)
        same = (
            *(run.script, run.version, row.step, row.iteration),
            *(group.owner, run.branch, span),
        )
        stencil = self._stencils.get(same)
        if stencil is None:
            stencil = Stencil.of(script, part, row, span, group, wording, self._zone)
            self._stencils[same] = stencil
        return stencil.letter(key, run.subject, run.id, row.id)

    def _span(self, row: RunStep, run: Run, script: SopScript) -> Span | None:
        key = (row.opens_at, row.closes_at, run.script, run.version)
        if key not in self._spans:
            quiet = script.rails.quiet
            self._spans[key] = span_left(row.opens_at, row.closes_at, quiet, self._zone, self._now)
        return self._spans[key]

    def _missed(self, thought: Advance, script: SopScript, row: RunStep) -> None:
        """Apply 错过时间窗 to a step whose window is over."""
        if script.missed.rule is MissedRule.NEXT_DAY and row.iteration == 0 and not row.reason:
            thought.put_off(row, row.opens_at + _ONE_DAY, row.closes_at + _ONE_DAY, _MOVED)
            return
        thought.skip(row, "window_missed")

    def _close(self, thought: Advance, played: Played, row: RunStep) -> None:
        """End a step that waited for its owner's own hand; tasks are closed by their cancel."""
        part = played.parts.get(row.step)
        by_task = isinstance(part, Overlay) or (isinstance(part, Step) and part.broadcast)
        if not by_task:
            thought.skip(row, "owner_unconfirmed")

    def _rest(self, thought: Advance, standing: Standing) -> None:
        """Sleep until the next step opens or closes; end the run once nothing is left."""
        changed = {change.id: change for change in thought.changes}
        now_are = [changed.get(row.id, row) for row in standing.due]
        if not standing.unfinished and all(each.state in FINAL_STEPS for each in now_are):
            thought.end = "done"
            thought.note("run_done", script=thought.run.script)
            return
        moments = [each.opens_at for each in now_are if each.state == "planned"]
        if standing.later is not None:
            moments.append(standing.later)
        thought.wake_at = min(moments, default=None)


def span_left(
    opens_at: datetime, closes_at: datetime, quiet: QuietWindows, zone: ZoneInfo, now: datetime
) -> Span | None:
    """Return the part of a step's window that comes next and leaves an owner time to press."""
    spans = open_spans(opens_at, closes_at, quiet, zone)
    left = (span for span in spans if span[1] - max(now, span[0]) >= SHORTEST_SPAN)
    return next(left, None)


def _as_it_is(row: RunStep) -> StepChange:
    return StepChange(
        state=row.state,
        iteration=row.iteration,
        reason=row.reason,
        text=row.text,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        id=row.id,
        was=row.state,
    )
