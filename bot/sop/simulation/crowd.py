"""Lets the made-up audience enter: who may, who is held out, and with which plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from bot.domain.admission import EntryRule, answers_as_json
from bot.domain.runs import Face, GroupFace, NewStep, PersonFace, Run
from bot.domain.subject import SubjectFacts
from bot.sop.enrol import Admission, Candidate, Doorway, plan_steps
from bot.sop.places import places_of
from bot.sop.simulation.case import Case
from bot.sop.simulation.chance import Chance
from bot.sop.simulation.people import name_of, people_of
from bot.sop.simulation.player import Player
from bot.sop.simulation.stage import Stage

_HOURS = 10  # of a day in which people are let in
_DAYS_OF_ENTRY = 60  # for a script that lets in by dates, where the case names no days
_ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Entered:
    """Who came in, and why the others did not."""

    players: list[Player] = field(default_factory=list)
    held_out: Counter[str] = field(default_factory=Counter)  # by the layer that keeps them out
    refused: Counter[str] = field(default_factory=Counter)
    unknown: int = 0  # refused because the bank's data do not say
    waiting: dict[str, SubjectFacts] = field(default_factory=dict)  # whose day has not come


def enter(case: Case, stage: Stage, chance: Chance) -> Entered:
    """Let everybody enter that may: at once, in turn where not all may (E4), or each on its day."""
    entered = Entered()
    doors = _Doors(case, stage, entered)
    audience = list(people_of(case, chance))
    if case.script.entry.by == "日期":
        waiting = {facts.id: facts for facts in audience}
        for number in range(case.days or _DAYS_OF_ENTRY):
            stage.at(case.begins_at + number * _ONE_DAY, partial(doors.call, waiting))
        entered.waiting = waiting
        return entered
    begins = case.begins_at
    coming = doors.judge((Candidate(each, happened_at=begins) for each in audience), begins)
    for moment, admission in _in_turn(case, coming, entered):
        if moment <= case.begins_at:
            doors.admit(admission, moment)
        else:
            stage.at(moment, partial(doors.admit, admission))
    return entered


def _in_turn(
    case: Case, coming: Sequence[Admission], entered: Entered
) -> Iterator[tuple[datetime, Admission]]:
    """Let those in who may come at once, by hash and not by arrival; the rest later (E4)."""
    entry = case.script.entry
    if not (entry.hourly_limit or entry.daily_limit or entry.total_limit):
        yield from ((case.begins_at, admission) for admission in coming)
        return
    ordered = sorted(coming, key=lambda each: each.place(case.script.id))
    a_day = min(entry.daily_limit or len(ordered), _HOURS * (entry.hourly_limit or len(ordered)))
    an_hour = entry.hourly_limit or a_day
    for number, admission in enumerate(ordered):
        if entry.total_limit and number >= entry.total_limit:
            entered.refused["total_limit"] += 1
            continue
        wait = timedelta(days=number // a_day, hours=number % a_day // an_hour)
        yield case.begins_at + wait, admission


class _Doors:
    def __init__(self, case: Case, stage: Stage, entered: Entered) -> None:
        self._case = case
        self._stage = stage
        self._entered = entered
        self._rule = EntryRule.of(case.script, case.version)
        self._plans: dict[tuple[date, str], Sequence[NewStep]] = {}

    def _way(self, now: datetime) -> Doorway:
        case = self._case
        return Doorway(self._rule, case.bank, case.tables, now, holdouts=case.holdouts)

    def judge(
        self, candidates: Iterable[Candidate], now: datetime | None = None
    ) -> list[Admission]:
        """Return who may enter; who is held out, or refused and why, is noted."""
        case, entered = self._case, self._entered
        now = now or case.begins_at
        way, coming = self._way(now), list[Admission]()
        for admission in map(way.admit, candidates):
            if admission.state == "entered":
                coming.append(admission)
                continue
            facts, verdict = admission.candidate.facts, admission.verdict
            note = {
                "script": case.script.id,
                "version": case.version,
                **answers_as_json(verdict.answers, verdict.layer),
            }
            if admission.state == "held_out":
                entered.held_out[verdict.layer] += 1
                self._stage.diary.note(now, "held_out", facts.id, **note)
            else:
                entered.refused[admission.reason] += 1
                entered.unknown += admission.state == "missing"
                note["reason"] = admission.reason
                self._stage.diary.note(now, "entry_refused", facts.id, **note)
        return coming

    def call(self, waiting: dict[str, SubjectFacts], now: datetime) -> None:
        """Let those in whose day it is (方式: 日期), as the sweep of every morning does."""
        way = self._way(now)
        called = [(facts, way.called_on(facts)) for facts in waiting.values()]
        candidates = [
            Candidate(facts, key=str(on), on=on) for facts, on in called if on is not None
        ]
        for one in candidates:
            del waiting[one.facts.id]
        for admission in self.judge(candidates, now):
            self.admit(admission, now)

    def admit(self, admission: Admission, now: datetime) -> None:
        """Let a subject begin its run."""
        case, number = self._case, len(self._entered.players) + 1
        facts, anchor = admission.candidate.facts, admission.anchor or case.start
        run = Run(
            id=number,
            script=case.script.id,
            version=case.version,
            subject=facts.id,
            subject_kind=facts.kind,
            key=admission.key,
            owner=facts.owner,
            branch=facts.branch,
            anchor=anchor,
            state="running",
            entered_at=now,
            expires_at=now + timedelta(days=case.script.max_days),
        )
        player = Player(run, face_of(facts, name_of(facts, case)), facts, facts.size or 1)
        about = {"script": case.script.id, "version": case.version, "run": number}
        note = self._stage.diary.note
        note(now, "entered", facts.id, anchor=str(anchor), **about)
        steps = self._plan(anchor, facts.branch)
        for step in steps:
            player.put(self._stage.new_row(number, step))
            if step.skip:
                note(now, "not_planned", facts.id, step=step.step, reason=step.skip, **about)
        for held in places_of(run, case.script, steps):
            player.hold(held, case.bank.zone)
        self._entered.players.append(player)
        waiting = [row.opens_at for row in player.steps.values()]
        self._stage.add(player, max(now, min(waiting, default=now)))

    def _plan(self, anchor: date, branch: str) -> Sequence[NewStep]:
        """Return a planned run's steps; those that begin together in a branch share theirs."""
        case, key = self._case, (anchor, branch)
        if case.script.flows:
            return ()
        if key not in self._plans:
            self._plans[key] = plan_steps(case.script, anchor, branch, case.bank, case.tables)
        return self._plans[key]


def face_of(facts: SubjectFacts, name: str) -> Face:
    """Return what a step needs to know of a subject."""
    if facts.kind == "group":
        return GroupFace(facts.id, name, facts.owner)
    return PersonFace(facts.id, name, facts.owner, facts.refuses)
