"""Lets subjects enter scripts: one way for events, lists, sweeps, people and the scripts before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from bot.domain.admission import Answers, EntryRule, Layer, PastRun, answers_as_json, rank
from bot.domain.hold import Holds
from bot.domain.people import GroupChat
from bot.domain.registry import TAGGED_GROUP
from bot.domain.script import SopScript
from bot.domain.script_parts import Status
from bot.domain.subject import SubjectFacts
from bot.sop.enrol import Admission, Candidate, Doorway
from bot.storage.admissions import Decision, State
from bot.storage.db import Tx
from bot.storage.letters import to_json
from bot.workers.content import Content, version_of
from bot.workers.entry_plans import place_steps
from bot.workers.wishes import (
    GOES_ON,
    Asked,
    Wish,
    entry_of,
    is_limited,
    kind_of,
    new_run,
    offered,
    refusal_of,
)

ASK_AGAIN = timedelta(minutes=5)
_QUIETLY = frozenset({"running", "entered_before", "too_soon"})  # nothing new is decided
_NO_RIVALS: Mapping[int, int] = {}
Manner = Literal["told", "kept", "swept", "gate"]
_UNMENTIONED: dict[Manner, frozenset[str]] = {
    "told": _QUIETLY,
    "kept": _QUIETLY,
    "swept": _QUIETLY | {"audience"},
    "gate": frozenset(),  # who waits has to be told off
}


class Entrance:
    """Judges wishes and writes what comes of them, inside the caller's transaction."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._rules: dict[int, tuple[SopScript, EntryRule]] = {}

    def rule(self, script: SopScript) -> EntryRule:
        """Return a script as entry judges it; raise ``ExpressionError`` where it cannot be."""
        known = self._rules.get(id(script))
        if known is None or known[0] is not script:
            if len(self._rules) > 200:
                self._rules.clear()
            known = self._rules[id(script)] = (script, EntryRule.of(script, version_of(script)))
        return known[1]

    async def ask(
        self,
        tx: Tx,
        script: SopScript,
        wishes: Sequence[Wish],
        now: datetime,
        *,
        room: int | None = None,
        manner: Manner = "told",
        at_gate: bool = False,
    ) -> Asked:
        """Judge wishes to enter one version of a script, each of another subject or occurrence.

        Where a script lets only so many in an hour, all wait at its gate (E4): only who calls
        ``at_gate`` lets them in, as many as there is ``room`` for. In the ``manner`` of told a
        refusal is kept and put into the ledger, in that of kept only kept; a sweep through
        everybody leaves those unmentioned who merely are not meant. Who waited at the gate is
        told in any case.
        """
        if not wishes or script.status is not Status.PUBLISHED:
            return Asked()
        if not at_gate and is_limited(script):
            room = 0
        rule = self.rule(script)
        facts, past = await self._read(tx, rule, {wish.subject for wish in wishes}, now)
        standings = self._excluding(script)
        candidates = [_candidate(script.id, wish, facts, past, standings) for wish in wishes]
        holds = await self._content.holds(tx, [(script.id, rule.version)], now)
        doorway = self._doorway(rule, holds, now)
        admissions = doorway.admit_all(candidates, room)
        asked = Asked(admissions, await self._begin(tx, rule, admissions, now))
        await self._decide(tx, rule, list(zip(wishes, admissions, strict=True)), now, manner)
        if not at_gate and asked.count("waiting"):
            await tx.admissions.hurry(script.id, "gate", now, now)
        return asked

    def _doorway(self, rule: EntryRule, holds: Holds, now: datetime) -> Doorway:
        def held(facts: SubjectFacts) -> str:
            script = rule.script.id
            return holds.draining(script, rule.version, facts.branch, facts.owner, facts.id)

        content = self._content
        return Doorway(
            rule,
            content.bank,
            content.tables,
            now,
            holdouts=content.holdouts,
            held=held if holds else None,
        )

    async def _read(
        self, tx: Tx, rule: EntryRule, ids: Collection[str], now: datetime
    ) -> tuple[dict[str, SubjectFacts], dict[str, list[PastRun]]]:
        script, bank = rule.script, self._content.bank
        kind = kind_of(script)
        facts = await tx.subjects.load(ids, kind, bank, rule.needs, now, lock=True)
        scripts = {script.id, *self._excluding(script)}
        return facts, await tx.subjects.past_runs(ids, scripts)

    def _excluding(self, script: SopScript) -> dict[str, int]:
        """Return the standings of the other scripts of its 互斥组."""
        if script.exclusive is None:
            return {}
        others = self._content.snapshot.scripts.values()
        return {
            other.id: self.rule(other).standing
            for other in others
            if other.exclusive == script.exclusive and other.id != script.id
        }

    async def _begin(
        self, tx: Tx, rule: EntryRule, admissions: Sequence[Admission], now: datetime
    ) -> dict[str, int]:
        """Write the runs that begin, and end those that give way to them."""
        script = rule.script
        inside = [one for one in admissions if one.state in ("entered", "held_out")]
        if not inside:
            return {}
        fresh = [one for one in inside if one.state == "entered"]
        if gone := [run for one in fresh for run in one.verdict.supersedes]:
            await tx.runs.end_all(gone, "exited", "superseded", now)
        expires_at = now + timedelta(days=script.max_days)
        began = await tx.enrolling.begin(
            script.id,
            rule.version,
            kind_of(script),
            [new_run(one) for one in inside],
            now,
            expires_at,
        )
        entries = [
            entry_of(rule, one, run)
            for one in inside
            if (run := began.get(one.candidate.facts.id)) is not None
        ]
        await tx.planning.note(entries, now)
        if not script.flows:
            content = self._content
            await place_steps(tx, script, fresh, began, content.bank, content.tables, now)
        return began

    async def _decide(
        self,
        tx: Tx,
        rule: EntryRule,
        judged: Sequence[tuple[Wish, Admission]],
        now: datetime,
        manner: Manner,
    ) -> None:
        """Keep what was decided, with the five answers; what stands already is left alone."""
        unmentioned = _UNMENTIONED[manner]
        kept = [
            (one, _decision(rule, wish, one, now))
            for wish, one in judged
            if one.reason not in unmentioned
        ]
        if not kept:
            return
        if manner in ("told", "gate"):
            await self._note_refusals(tx, rule, kept, now)
        await tx.admissions.put([decision for _, decision in kept])

    async def _note_refusals(
        self,
        tx: Tx,
        rule: EntryRule,
        kept: Sequence[tuple[Admission, Decision]],
        now: datetime,
    ) -> None:
        """Put into the ledger who is refused, and for what; once, however often it is asked."""
        refused = [(one, decision) for one, decision in kept if decision.state == "refused"]
        if not refused:
            return
        subjects = {decision.subject for _, decision in refused}
        before = await tx.admissions.known(rule.script.id, subjects)
        entries = [
            refusal_of(rule, one)
            for one, decision in refused
            if before.get((decision.subject, decision.key)) != ("refused", decision.reason)
        ]
        await tx.planning.note(entries, now)


def _decision(rule: EntryRule, wish: Wish, one: Admission, now: datetime) -> Decision:
    state: State = "refused"
    at, due_at = now, None
    if one.state != "missing":
        state = one.state
    else:
        asked_at = wish.asked_at or now
        until = asked_at + timedelta(minutes=rule.script.entry.grace_minutes)
        if now < until:
            state, at, due_at = "retry", asked_at, min(now + ASK_AGAIN, until)
    script, facts, verdict = rule.script, one.candidate.facts, one.verdict
    ranked = state == "waiting" or is_limited(script)
    kept = wish.kept_of(one.state)
    return Decision(
        state,
        one.reason,
        _kept(verdict.answers, verdict.layer, tuple(kept.items()) if kept else ()),
        rank(script.id, facts.id) if ranked else 0,
        facts.as_of,
        at,
        due_at,
        0,
        script.id,
        facts.id,
        one.key,
    )


def _candidate(
    script: str,
    wish: Wish,
    facts: Mapping[str, SubjectFacts],
    past: Mapping[str, Sequence[PastRun]],
    standings: Mapping[str, int],
) -> Candidate:
    runs = past.get(wish.subject)
    if runs is None:
        _, key, on, happened_at, _, listed, _ = wish
        return Candidate(facts[wish.subject], key, on, happened_at, (), _NO_RIVALS, listed)
    rivals = {
        run.id: standings[run.script]
        for run in runs
        if run.state == "running" and run.script in standings
    }
    return Candidate(
        facts[wish.subject],
        wish.key,
        wish.on,
        wish.happened_at,
        [run for run in runs if run.script == script],
        rivals,
        wish.listed,
    )


@lru_cache(maxsize=256)
def _kept(answers: Answers, layer: Layer, kept: tuple[tuple[str, str | bool], ...]) -> str:
    """Return a decision's answers as they are stored; those of a crowd are few."""
    return to_json(answers_as_json(answers, layer) | dict(kept))


async def enter(
    tx: Tx, script: SopScript, group: GroupChat, content: Content, now: datetime
) -> None:
    """Ask whether a group may begin a version of a script, and begin it where it may."""
    await enter_subject(tx, script, group.id, content, now)


async def enter_subject(
    tx: Tx, script: SopScript, subject: str, content: Content, now: datetime
) -> None:
    """Ask whether a customer or group may begin a version of a script; begin it where it may."""
    await Entrance(content).ask(tx, script, [Wish(subject)], now)


async def enter_by_tags(tx: Tx, group: GroupChat, content: Content, now: datetime) -> None:
    """Ask every script that groups enter by their tags, or by whatever changes, about a group."""
    entrance = Entrance(content)
    for script in offered(content.snapshot).values():
        wanted = script.audience.tags_any
        meant = script.entry.event == TAGGED_GROUP or script.entry.by == GOES_ON
        if kind_of(script) != "group" or not meant or (wanted and not group.tags & set(wanted)):
            continue  # whoever bears none of its tags was never tagged for it
        version = content.version_for(script.id, group.id, group.tags)
        if version is not None:
            await entrance.ask(tx, version, [Wish(group.id)], now)
