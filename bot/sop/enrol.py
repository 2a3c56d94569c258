"""Who enters a script, from which day on, and with which plan; pure, so that it can be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

from bot.domain.admission import (
    EntryRule,
    Holdouts,
    PastRun,
    Verdict,
    decide_entry,
    rank,
)
from bot.domain.bank import Bank
from bot.domain.calendar import CalendarTables, read_day_name
from bot.domain.enrolment import PlanFacts, Planned, plan
from bot.domain.entry import ReentryRule
from bot.domain.hold import DRAINED
from bot.domain.own_days import OwnDays
from bot.domain.registry import BIRTHDAY, LUNAR_BIRTHDAY, MATURITY, PAYDAY
from bot.domain.runs import NewStep, RunStep
from bot.domain.script import SopScript
from bot.domain.script_parts import Anchor
from bot.domain.subject import JOINED, SubjectFacts

_OWN_DAYS = {
    Anchor.MATURITY: MATURITY,
    Anchor.BIRTHDAY: BIRTHDAY,
    Anchor.LUNAR_BIRTHDAY: LUNAR_BIRTHDAY,
    Anchor.PAYDAY: PAYDAY,
}
_AT_ENTRY = (Anchor.GROUP_START, Anchor.ENTRY)
_START_BEFORE = time(9, 0)


def start_day(bank: Bank, now: datetime) -> date:
    """Return day 1 of a run that begins now: today while the morning is young, else tomorrow."""
    local = now.astimezone(bank.zone)
    return local.date() if local.time() < _START_BEFORE else local.date() + timedelta(days=1)


def plan_steps(
    script: SopScript,
    anchor: date,
    branch: str,
    bank: Bank,
    tables: CalendarTables,
    *,
    begun: tuple[RunStep, ...] = (),
    weekly_cap: int | None = None,
    not_before: date | None = None,
    earlier: tuple[date, ...] = (),
    shift: bool = False,
) -> list[NewStep]:
    """Place a run's steps on days; steps that have begun keep theirs.

    ``earlier`` are the days on which other scripts, or people, send mass messages to the group.
    With ``shift`` what is late by ``not_before`` moves all that follows it.
    """
    facts = PlanFacts(
        events=tuple(event for event in bank.events if event.branch == branch),
        fixed={step.step: step.planned_on for step in begun},
        weekly_cap=weekly_cap,
        not_before=not_before,
        earlier_broadcasts=earlier,
        bond_days=bank.bond_days,
        shift=shift,
    )
    priorities = {part.id: script.priority_of(part) for part in script.parts}
    planned = plan(script, anchor, facts, tables, bank.zone)
    return [_new_step(each, priorities[each.step_id]) for each in planned]


def _new_step(planned: Planned, priority: int) -> NewStep:
    return NewStep(
        step=planned.step_id,
        kind=planned.kind,
        planned_on=planned.on,
        opens_at=planned.opens_at,
        closes_at=planned.closes_at,
        skip=planned.skip or "",
        priority=priority,
    )


class Candidate(NamedTuple):
    """A subject that may enter a script, with its runs so far.

    ``key`` names the anchor's occurrence and ``on`` is its day, where there is one;
    ``happened_at`` is when the event was that brings it. ``rivals`` are the standings of its
    running scripts of the same 互斥组, by run. ``listed`` tells that 条件 was judged before.
    """

    facts: SubjectFacts
    key: str = ""
    on: date | None = None
    happened_at: datetime | None = None
    past: Sequence[PastRun] = ()
    rivals: Mapping[int, int] = {}
    listed: bool = False


State = Literal["entered", "held_out", "refused", "missing", "waiting"]


class Admission(NamedTuple):
    """What became of a candidate; a run that begins, held out or not, has an anchor."""

    candidate: Candidate
    verdict: Verdict
    state: State
    reason: str
    anchor: date | None = None
    key: str = ""

    def place(self, script: str) -> tuple[int, str]:
        """Return what says in which order those enter a script of whom not all may at once."""
        id = self.candidate.facts.id
        return rank(script, id), id


Held = Callable[[SubjectFacts], str]


class Doorway:
    """Judges candidates of one script at one moment: the same files, calendar and holdouts."""

    def __init__(
        self,
        rule: EntryRule,
        bank: Bank,
        tables: CalendarTables,
        now: datetime,
        *,
        holdouts: Holdouts | None = None,
        held: Held | None = None,
    ) -> None:
        self._rule = rule
        self._bank = bank
        self._now = now
        self._holdouts = holdouts or Holdouts()
        self._held = held
        self._zone = bank.zone
        self._days = OwnDays(now.astimezone(bank.zone).date(), tables)
        self._first_day = start_day(bank, now)
        self._at_entry = rule.script.anchor in _AT_ENTRY
        self._keyed = rule.script.reentry.rule is ReentryRule.PER_ANCHOR

    def admit_all(
        self, candidates: Iterable[Candidate], room: int | None = None
    ) -> list[Admission]:
        """Judge every candidate; of those that may enter the first ``room`` by rank do (E4)."""
        judged = [self.admit(one) for one in candidates]
        if room is None:
            return judged
        script = self._rule.script.id
        inside = sorted(
            (one for one in judged if one.state == "entered"),
            key=lambda one: one.place(script),
        )
        late = {id(one.candidate) for one in inside[max(0, room) :]}
        return [
            one._replace(state="waiting", reason="throttled") if id(one.candidate) in late else one
            for one in judged
        ]

    def admit(self, candidate: Candidate) -> Admission:
        """Judge one candidate."""
        facts, key = candidate.facts, candidate.key
        anchor = self._first_day if self._at_entry else self._anchor(candidate)
        if not key and anchor is not None and self._keyed:
            key = anchor.isoformat()
        verdict = decide_entry(
            self._rule,
            facts,
            self._bank,
            self._now,
            past=candidate.past,
            rivals=candidate.rivals,
            key=key,
            holdouts=self._holdouts,
            listed=candidate.listed,
        )
        state, reason = self._outcome(facts, verdict, anchor)
        return Admission(candidate, verdict, state, reason, anchor, key)

    def _outcome(
        self, facts: SubjectFacts, verdict: Verdict, anchor: date | None
    ) -> tuple[State, str]:
        if verdict.reason:
            missing = verdict.answers.missing and verdict.reason.endswith("_unknown")
            return ("missing" if missing else "refused"), verdict.reason
        held = self._held(facts) if self._held is not None else ""
        if held:
            return ("refused" if held == DRAINED else "waiting"), held
        if anchor is None:
            return "missing", "anchor_unknown"
        return ("held_out" if verdict.layer else "entered"), verdict.layer

    def _anchor(self, candidate: Candidate) -> date | None:
        """Return day 1 that is not the day of entry; None where it is not known."""
        anchor, entry = self._rule.script.anchor, self._rule.script.entry
        facts = candidate.facts
        if anchor in (Anchor.MEMBER_JOIN, Anchor.FRIEND_ADDED):
            moment = candidate.happened_at
            if moment is None and anchor is Anchor.FRIEND_ADDED:
                moment = facts.since
            if moment is None and anchor is Anchor.MEMBER_JOIN:
                moment = facts.seen(self._now).last(JOINED)
            return None if moment is None else moment.astimezone(self._zone).date()
        if anchor is Anchor.FIXED:
            return candidate.on or self._fixed(entry.day_name)
        name = _OWN_DAYS.get(anchor, entry.customer_date)
        if candidate.on is not None and name == entry.customer_date:
            return candidate.on
        return self.own_day(name, facts) if name else None

    def _fixed(self, day_name: str | None) -> date | None:
        if day_name is None:
            return None
        return read_day_name(day_name).on or self._days.named(day_name)

    def own_day(self, name: str, facts: SubjectFacts) -> date | None:
        """Return the next day, from today on, that a datum of a customer names."""
        return self._days.next(name, facts.registry.fields.get(name), facts.facts.get(name))

    def called_on(self, facts: SubjectFacts) -> date | None:
        """Return the day for which 进入.日期 lets a subject in today; None on any other day."""
        entry = self._rule.script.entry
        today = self._now.astimezone(self._zone).date()
        if entry.day_name is not None:
            day = self._days.named(entry.day_name)
        else:
            day = self.own_day(entry.customer_date or "", facts)
        if day is None or day - timedelta(days=entry.days_before) > today:
            return None
        return day


def admit_all(
    script: SopScript,
    version: str,
    subjects: Iterable[SubjectFacts],
    bank: Bank,
    tables: CalendarTables,
    now: datetime,
    *,
    holdouts: Holdouts | None = None,
    room: int | None = None,
) -> list[Admission]:
    """Judge subjects that never ran the script; raise ``ExpressionError`` for a bad 条件."""
    rule = EntryRule.of(script, version)
    doorway = Doorway(rule, bank, tables, now, holdouts=holdouts)
    return doorway.admit_all((Candidate(facts) for facts in subjects), room)
