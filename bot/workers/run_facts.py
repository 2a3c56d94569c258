"""Reads what a batch of runs is judged by: of those subjects only whose scripts ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

from bot.domain.expression import parse
from bot.domain.expression_values import Known
from bot.domain.lead import Need
from bot.domain.needs import Needs, needs_of
from bot.domain.quota import LOOK_BACK, Slot, is_tired
from bot.domain.runs import Standing, SubjectKind
from bot.domain.script import SopScript
from bot.domain.splitting import unit_of
from bot.domain.steps import SendBy
from bot.domain.subject import COST, OWN_ACTS, UPLIFT, SubjectFacts
from bot.domain.uplift import uplift_bound
from bot.sop.advance import BatchFacts, Played
from bot.storage.db import Tx
from bot.workers.content import Content

Taken = Sequence[tuple[Standing, Played | None]]
REPLY = "客户回复"
_WEEK = timedelta(days=7)
_COUNT_EVERY = timedelta(hours=1)
_AHEAD = timedelta(days=62)
_KINDS: tuple[SubjectKind, ...] = ("group", "customer")


class Figures:
    """What scripts bring about, as their branches ask for it (止损); counted once an hour."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[datetime, dict[str, Known]]] = {}

    async def of(
        self, tx: Tx, taken: Taken, needs: Mapping[tuple[str, str], Needs], now: datetime
    ) -> dict[str, dict[str, Known]]:
        """Return the figures of those scripts of a batch that ask for them."""
        found: dict[str, dict[str, Known]] = {}
        for standing, played in taken:
            run = standing.run
            asked = needs.get((run.script, run.version))
            if played is None or asked is None or run.script in found:
                continue
            if asked.names & {UPLIFT, COST}:
                found[run.script] = await self._of(tx, played.script, now)
        return found

    async def _of(self, tx: Tx, script: SopScript, now: datetime) -> dict[str, Known]:
        counted_at, known = self._known.get(script.id, (now - _COUNT_EVERY, {}))
        if counted_at + _COUNT_EVERY > now:
            return known
        measures, known = script.measures, {}
        if measures is not None and measures.cost is not None:
            known[COST] = measures.cost
        if measures is not None and measures.value is not None:
            bound = uplift_bound(await tx.walking.conversions(script.id, OWN_ACTS))
            if bound is not None:
                known[UPLIFT] = bound * measures.value
        self._known[script.id] = (now, known)
        return known


async def facts_of(
    tx: Tx,
    taken: Taken,
    content: Content,
    now: datetime,
    needs: dict[tuple[str, str], Needs],
    figures: Figures,
) -> BatchFacts:
    """Return what the steps of a batch ask for; ``needs`` remembers what each version does."""
    groups = {each.run.subject for each, played in taken if played and played.asks(each)}
    zone = content.bank.zone
    local = now.astimezone(zone).date()
    tomorrow = datetime.combine(local + timedelta(days=1), time(0), tzinfo=zone)
    planning = tx.planning
    versions = {(each.run.script, each.run.version) for each, played in taken if played}
    subjects = await _subjects(tx, taken, content, now, needs)
    slots = await tx.quota.slots_of(_asking(taken), now - LOOK_BACK, now + _AHEAD)
    return BatchFacts(
        needs=await planning.leads_in(groups) if groups else {},
        complaints=await planning.leads_since(groups, Need.COMPLAINT.value, now - _WEEK)
        if groups
        else {},
        products=await planning.slots_used(groups, "product", tomorrow - _WEEK, tomorrow)
        if groups
        else {},
        subjects=subjects,
        assignments=await _assignments(tx, taken),
        slots=slots,
        last_seen=await _last_seen(tx, taken, slots, content, now),
        holds=await content.holds(tx, versions, now),
        withdrawn=await tx.withdrawals.in_force(),
        tenant=content.tenant_caps,
        more=await figures.of(tx, taken, needs, now),
        hold_unknown=content.hold_unknown_years,
    )


def needs_of_script(script: SopScript) -> Needs:
    """Return what the conditions and waits of a script ask to be read of its subjects."""
    conditions = [step.guard.where for step in script.steps if step.guard is not None]
    conditions += [branch.when for step in script.steps for branch in step.branches]
    events = {name for step in script.steps if step.wait is not None for name in step.wait.any_of}
    asked = needs_of(*(parse(text) for text in conditions if text is not None))
    return asked | Needs(names=frozenset({*events, REPLY}))


def by_kf(script: SopScript) -> bool:
    """Tell whether a step may go by 微信客服."""
    return any(SendBy.KF in step.send_by for step in script.steps)


def _asking(taken: Taken) -> list[str]:
    return [each.run.subject for each, played in taken if played and played.asks_slots(each)]


async def _subjects(
    tx: Tx,
    taken: Taken,
    content: Content,
    now: datetime,
    known: dict[tuple[str, str], Needs],
) -> dict[str, SubjectFacts]:
    found: dict[str, SubjectFacts] = {}
    if not any(played is not None and (played.flows or played.judged) for _, played in taken):
        return found
    for kind in _KINDS:
        wanted: set[str] = set()
        needs = Needs()
        for standing, played in taken:
            run = standing.run
            if played is None or run.subject_kind != kind or not played.asks_facts(standing):
                continue
            wanted.add(run.subject)
            version = (run.script, run.version)
            if version not in known:
                known[version] = needs_of_script(played.script)
            needs = needs | known[version]
        if wanted:
            found |= await tx.subjects.load(wanted, kind, content.bank, needs, now)
    return found


async def _last_seen(
    tx: Tx, taken: Taken, slots: Mapping[str, Sequence[Slot]], content: Content, now: datetime
) -> dict[str, datetime | None]:
    """Return when those customers were seen last who may have had enough (C4), as the gate does."""
    people = {each.run.subject for each, _ in taken if each.run.subject_kind == "customer"}
    often = {who for who in people if is_tired(slots.get(who, ()), None)}
    if not often:
        return {}
    known = await tx.subjects.load(often, "customer", content.bank, Needs(last_seen=True), now)
    return {who: facts.last_seen for who, facts in known.items()}


async def _assignments(tx: Tx, taken: Taken) -> dict[tuple[str, str], str]:
    units: set[str] = set()
    experiments: set[str] = set()
    for standing, played in taken:
        for step in played.script.steps if played and played.experiments else ():
            if step.split is not None:
                experiments.add(step.split.experiment)
                units.add(unit_of(step.split, standing.run))
    return await tx.assignments.of(experiments, units)
