"""Gathers what the one gate needs to know of messages at the moment of sending."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.delivery import (
    OLD_ANSWER,
    PERSON_STATES,
    Decision,
    Facts,
    Session,
    Terms,
    decide,
)
from bot.domain.expression import parse
from bot.domain.hold import Holds
from bot.domain.messages import SWITCH_OF, KfRelease, KfReply, KfTouch
from bot.domain.needs import Needs, needs_of
from bot.domain.opening import Hours
from bot.domain.passing import Asking, Passing, condition_of, facts_of, kinds_of, priority_of
from bot.domain.quota import LOOK_BACK, slot_of
from bot.domain.runs import FINAL_STEPS, Run, SubjectKind
from bot.domain.script import SopScript
from bot.domain.steps import SendBy
from bot.domain.subject import Registry, SubjectFacts
from bot.domain.suitability import GRAVE_EVENTS
from bot.domain.withdrawal import Withdrawn
from bot.storage.db import Tx
from bot.storage.outbox import STOPPED, Envelope
from bot.storage.quota import QuotaRow
from bot.workers.content import Content

_AHEAD = timedelta(days=62)  # planned places of the coming weeks count, too
_TAKEN = ("person_spoke", "session_taken", "handed_over")


def is_stopped(envelope: Envelope, stops: Collection[str]) -> bool:
    """Tell whether an emergency stop holds a message back."""
    return SWITCH_OF[envelope.message.kind] in stops


async def is_mute(tx: Tx, envelope: Envelope) -> bool:
    """Tell whether a person has the word where a reply would be said."""
    message = envelope.message
    if not isinstance(message, KfReply | KfTouch):
        return False
    session = await tx.conversations.session(message.customer, message.account)
    return session is not None and session.state in PERSON_STATES


async def is_overtaken(tx: Tx, envelope: Envelope) -> bool:
    """Tell whether a person has answered, or is about to, since a reply was written."""
    if not isinstance(envelope.message, KfReply | KfTouch):
        return False
    return await is_mute(tx, envelope) or await _taken_since(tx, envelope)


def is_step(terms: Terms) -> bool:
    """Tell whether a message is a step of a run, whose subject's places are counted."""
    return terms.purpose == "step" and terms.enrolment is not None


def counted(envelopes: Sequence[Envelope]) -> list[str]:
    """Return the names of the rows to hold, so that nobody counts the same free place twice."""
    return sorted({f"subject:{one.terms.subject}" for one in envelopes if is_step(one.terms)})


def hours_of(script: SopScript, content: Content) -> Hours:
    """Return when a script may reach people."""
    return Hours(script.rails, content.tables, content.bank.zone)


@dataclass(slots=True)
class Outlook:
    """What is known of several messages that are each for somebody else."""

    passing: Passing
    stops: Collection[str]
    asked: dict[int, Asking] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)
    replies: dict[int, Facts] = field(default_factory=dict)
    hours: dict[tuple[str, str], Hours] = field(default_factory=dict)

    def decide(self, envelope: Envelope) -> Decision:
        """Say whether a message may leave now."""
        asking, hours = self.asked.get(envelope.id), None
        if envelope.id in self.over:
            facts = Facts(run_alive=False)
        elif asking is None:
            facts = self.replies.get(envelope.id, Facts())
        else:
            facts = facts_of(asking, self.passing)
            if asking.run is not None:
                hours = self.hours.get((asking.run.script, asking.run.version))
        if is_stopped(envelope, self.stops):
            facts = facts.model_copy(update={"stopped": True})
        return decide(envelope.terms, facts, hours, self.passing.now)


async def look(
    tx: Tx, envelopes: Sequence[Envelope], stops: Collection[str], content: Content, now: datetime
) -> Outlook:
    """Read what messages are decided by; staff and control need nothing."""
    steps = [one for one in envelopes if is_step(one.terms)]
    runs = await tx.gate.runs({one.terms.enrolment or 0 for one in steps})
    outlook = Outlook(await _passing(tx, content, runs, now), stops)
    if steps:
        await _ask_about(tx, outlook, steps, runs, content)
    for envelope in envelopes:
        if envelope.terms.purpose in ("answer", "notice", "handover", "release"):
            outlook.replies[envelope.id] = await _reply_facts(tx, envelope, now)
    return outlook


async def _passing(tx: Tx, content: Content, runs: dict[int, Run], now: datetime) -> Passing:
    versions = {(run.script, run.version) for run in runs.values()}
    nothing = not versions  # answers wait for no statement that only steps need
    return Passing(
        bank=content.bank,
        now=now,
        holds=Holds() if nothing else await content.holds(tx, versions, now),
        withdrawn=Withdrawn() if nothing else await tx.withdrawals.in_force(),
        tenant=content.tenant_caps,
        holdouts=content.holdouts,
    )


async def places_of(
    tx: Tx, envelopes: Sequence[Envelope], content: Content, now: datetime
) -> list[QuotaRow]:
    """Return the places in the ledger that messages take when they leave now."""
    rows: list[QuotaRow] = []
    leaving = [one for one in envelopes if is_step(one.terms) and not one.was_sending]
    versions = {(one.terms.script, one.terms.version) for one in leaving}
    scripts = {version: await content.script(tx, *version) for version in versions}
    for envelope in leaving:
        terms = envelope.terms
        script = scripts[terms.script, terms.version]
        key, priority = slot_of(envelope.key), priority_of(script, terms)
        rows += [QuotaRow(terms.subject, kind, key, now, priority) for kind in kinds_of(terms)]
    return rows


async def _ask_about(
    tx: Tx,
    outlook: Outlook,
    steps: Sequence[Envelope],
    runs: dict[int, Run],
    content: Content,
) -> None:
    """Read what the steps of runs are judged by: a few statements, however many they are."""
    now = outlook.passing.now
    subjects = {run.subject for run in runs.values()}
    slots = await tx.quota.slots_of(subjects, now - LOOK_BACK, now + _AHEAD)
    states = await tx.gate.states({one.terms.run_step or 0 for one in steps})
    by_kf = {one.terms.subject for one in steps if one.terms.way == SendBy.KF}
    sessions = await tx.gate.sessions(by_kf)
    scripts = {run.id: await content.script(tx, run.script, run.version) for run in runs.values()}
    asked = [(one, runs[id]) for one in steps if (id := one.terms.enrolment or 0) in runs]
    people = await _subjects(tx, asked, scripts, content, now)
    outlook.over |= {one.id for one in steps if states.get(one.terms.run_step or 0) in FINAL_STEPS}
    outlook.over |= {one.id for one in steps} - {one.id for one, _ in asked}
    for envelope, run in asked:
        terms, script = envelope.terms, scripts[run.id]
        if script is not None:
            outlook.hours.setdefault((run.script, run.version), hours_of(script, content))
        outlook.asked[envelope.id] = Asking(
            key=envelope.key,
            terms=terms,
            run=run,
            script=script,
            in_force=content.snapshot.scripts.get(run.script),
            subject=people.get(run.subject),
            slots=slots.get(terms.subject, ()),
            product=content.product(terms.product) if terms.product else None,
            session=sessions.get((terms.subject, terms.account)),
        )


async def _subjects(
    tx: Tx,
    asked: Sequence[tuple[Envelope, Run]],
    scripts: Mapping[int, SopScript | None],
    content: Content,
    now: datetime,
) -> dict[str, SubjectFacts]:
    """Return whom runs are for; of groups a condition alone asks for more than their face."""
    bank, needs = content.bank, Needs(last_seen=True)
    faces: set[str] = set()
    known: dict[SubjectKind, set[str]] = {"group": set(), "customer": set()}
    for envelope, run in asked:
        script = scripts[run.id]
        condition = condition_of(script.part(envelope.terms.step) if script else None)
        needs |= needs_of(parse(condition) if condition else None)
        if envelope.terms.product and run.subject_kind == "customer":
            needs |= Needs(names=GRAVE_EVENTS, complaint=True)
        judged = condition is not None or run.subject_kind == "customer"
        (known[run.subject_kind] if judged else faces).add(run.subject)
    found = await tx.gate.groups(faces, Registry.of(bank))
    for kind, subjects in known.items():
        found |= await tx.subjects.load(subjects, kind, bank, needs, now)
    return found


async def _reply_facts(tx: Tx, envelope: Envelope, now: datetime) -> Facts:
    terms = envelope.terms
    session = await tx.conversations.session(terms.subject, terms.account)
    if isinstance(envelope.message, KfRelease):
        spoken = await _spoken_since(tx, envelope, envelope.message, session)
        return Facts(session=session, spoken_since=spoken)
    return Facts(session=session, taken_by_person=await _taken_meanwhile(tx, envelope, now))


async def _spoken_since(
    tx: Tx, envelope: Envelope, message: KfRelease, session: Session | None
) -> bool:
    """Tell whether somebody spoke after a talk was found to stand still; a press counts anyway."""
    if message.how == "given_back":
        return False
    since, who = envelope.created_at, message.customer
    last = session.last_customer_at if session is not None else None
    if last is not None and last > since:
        return True
    return await tx.ledger.count("person_spoke", since=since, subject=who) > 0


async def _taken_meanwhile(tx: Tx, envelope: Envelope, now: datetime) -> bool:
    """Tell whether a person took the customer over while an answer was stopped for long."""
    old = now - envelope.created_at >= OLD_ANSWER
    return envelope.reason == STOPPED and old and await _taken_since(tx, envelope)


async def _taken_since(tx: Tx, envelope: Envelope) -> bool:
    customer, since = envelope.terms.subject, envelope.created_at
    return any([await tx.ledger.count(kind, since=since, subject=customer) > 0 for kind in _TAKEN])
