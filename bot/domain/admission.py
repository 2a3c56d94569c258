"""Whether a subject may begin a script, with the five answers that it hangs on (E1–E6).

``audience AND NOT exclusion AND consent AND contactable AND NOT holdout`` at one moment; what is
not known never admits and always excludes (I11).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from bot.domain.audience import held_out
from bot.domain.bank import Bank
from bot.domain.entry import ReentryRule
from bot.domain.expression import Expression, parse
from bot.domain.holdout import Holdouts as Holdouts
from bot.domain.holdout import Layer as Layer
from bot.domain.holdout import may_not_sell_to as may_not_sell_to
from bot.domain.ids import digest
from bot.domain.needs import Needs, needs_of
from bot.domain.registry import CONSENT
from bot.domain.runs import RunState
from bot.domain.script import SopScript
from bot.domain.script_parts import Anchor, Subject
from bot.domain.steps import Step, StepKind
from bot.domain.subject import JOINED, SubjectFacts

_KEY_CHARS = 64
# What serves and protects reaches everybody: the bank-wide holdout leaves it alone.
_SPARED = frozenset(
    {
        StepKind.WELCOME,
        StepKind.SERVICE,
        StepKind.SENIOR_SERVICE,
        StepKind.REVISIT,
        StepKind.ANTI_FRAUD,
        StepKind.PUBLIC_GOOD,
    }
)


_ANCHORS = {
    Anchor.FRIEND_ADDED: Needs(since=True),
    Anchor.MEMBER_JOIN: Needs(names=frozenset({JOINED})),
}


_NO_HOLDOUTS = Holdouts()


class PastRun(NamedTuple):
    """An earlier or present run of a subject."""

    id: int
    script: str
    state: RunState
    rotation: int
    key: str
    entered_at: datetime


class Answers(NamedTuple):
    """The five answers; None is unknown. The second and the fifth speak against entry."""

    audience: bool | None
    exclusion: bool | None
    consent: bool | None
    contactable: bool | None
    holdout: bool

    @property
    def refused(self) -> str:
        """Return the first reason against entry; empty where there is none."""
        if self == _WELCOME:
            return ""
        admits = (self.audience, _not(self.exclusion), self.consent, self.contactable)
        if False in admits:
            return _NAMES[admits.index(False)]
        # Of whom WeCom never told nothing else is known either.
        return f"{_NAMES[3 if admits[3] is None else admits.index(None)]}_unknown"

    @property
    def missing(self) -> bool:
        """Tell whether only unknown data speaks against entry, so that asking again may help."""
        against = (self.audience, _not(self.exclusion), self.consent, self.contactable)
        return None in against and False not in against


_WELCOME = (True, False, True, True, False)
_NAMES = ("audience", "exclusion", "consent", "contactable")


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


@dataclass(frozen=True, slots=True)
class EntryRule:
    """A version of a script as entry judges it: read once, asked for every subject."""

    script: SopScript
    version: str
    where: Expression | None
    exclude: Expression | None
    sells: bool
    spared: bool
    standing: int
    needs: Needs = field(default_factory=Needs)

    @classmethod
    def of(cls, script: SopScript, version: str) -> EntryRule:
        """Read a script's 适用; raise ``ExpressionError`` where it cannot be read."""
        audience = script.audience
        where = parse(audience.where) if audience.where else None
        exclude = parse(audience.exclude) if audience.exclude else None
        steps = [part for part in script.parts if not isinstance(part, Step) or part.sends]
        marketing = [isinstance(part, Step) and part.marketing for part in steps]
        of_group = script.subject is Subject.GROUP
        return cls(
            script=script,
            version=version,
            where=where,
            exclude=exclude,
            # A group is told what serves it even where what sells is left out (E6).
            sells=bool(marketing) and (all(marketing) if of_group else any(marketing)),
            spared=all(part.kind in _SPARED for part in steps),
            standing=max((script.priority_of(part) for part in steps), default=0),
            needs=needs_of(where, exclude) | _ANCHORS.get(script.anchor, Needs()),
        )


class Verdict(NamedTuple):
    """What became of one subject's wish to enter."""

    answers: Answers
    reason: str = ""
    layer: Layer = ""
    rotation: int = 1
    supersedes: tuple[int, ...] = ()

    @property
    def enters(self) -> bool:
        """Tell whether the subject begins a run now."""
        return not self.reason and not self.layer


def answers_as_json(answers: Answers, layer: Layer = "") -> dict[str, bool | str | None]:
    """Return the five answers as they are stored, with who held the subject out."""
    told: dict[str, bool | str | None] = dict(answers._asdict())
    return told | ({"layer": layer} if layer else {})


def decide_entry(
    rule: EntryRule,
    facts: SubjectFacts,
    bank: Bank,
    now: datetime,
    *,
    past: Iterable[PastRun] = (),
    rivals: Mapping[int, int] | None = None,
    key: str = "",
    holdouts: Holdouts | None = None,
    listed: bool = False,
) -> Verdict:
    """Judge one subject at this moment.

    ``past`` are its runs of this script, ``rivals`` the standings of its running ones of the same
    互斥组 by their numbers. ``listed`` tells that 条件 was judged when the list was frozen (E2).
    """
    answers, rotation = judge(rule, facts, bank, now, listed=listed), 1
    if mine := tuple(past):
        rotation += max(run.rotation for run in mine)
        if again := _again(rule.script, mine, key, now, bank):
            return Verdict(answers, again, rotation=rotation)
    if reason := answers.refused:
        return Verdict(answers, reason, rotation=rotation)
    layer = held_by(rule, facts.id, bank, now, holdouts or _NO_HOLDOUTS)
    if layer:
        return Verdict(answers._replace(holdout=True), "", layer, rotation)
    if not rivals:
        return Verdict(answers, "", "", rotation, ())
    if any(standing >= rule.standing for standing in rivals.values()):
        return Verdict(answers, "exclusive", rotation=rotation)
    return Verdict(answers, rotation=rotation, supersedes=tuple(sorted(rivals)))


def judge(
    rule: EntryRule, facts: SubjectFacts, bank: Bank, now: datetime, *, listed: bool = False
) -> Answers:
    """Answer what is asked of a subject itself; whether it is held out is not among it."""
    seen = facts.seen(now)
    group = facts.kind == "group"
    audience = _fits(rule, facts)
    if audience is not False and rule.where is not None and not listed:
        judged = rule.where.evaluate(seen)
        audience = judged if audience else False if judged is False else None
    exclusion = rule.exclude.evaluate(seen) if rule.exclude is not None else False
    consent: bool | None = True
    if rule.sells:
        consent = bank.may_market(facts.tags) if group else _consents(facts)
    alive = facts.alive if group else facts.friend
    contactable = alive and facts.owner_on_duty if facts.known else None
    return Answers(audience, exclusion, consent, contactable, False)


def _fits(rule: EntryRule, facts: SubjectFacts) -> bool | None:
    """Judge what 适用 says of tags, size and owner; nothing is known of whom we never saw."""
    if not facts.known:
        return None
    audience = rule.script.audience
    if facts.kind == "group":
        return audience.admits_group(facts.tags, facts.size, facts.owner_role)
    return audience.admits_tags(facts.tags)


def _consents(facts: SubjectFacts) -> bool | None:
    consent = facts.datum(CONSENT)
    return consent if isinstance(consent, bool) else None


def _again(
    script: SopScript, past: tuple[PastRun, ...], key: str, now: datetime, bank: Bank
) -> str:
    """Say why a subject may not run a script again (重复进入); empty where it may."""
    if any(run.state == "running" for run in past):
        return "running"
    rule = script.reentry.rule
    if rule is ReentryRule.NEVER:
        return "entered_before"
    if rule is ReentryRule.PER_ANCHOR:
        return "entered_before" if any(run.key == key for run in past) else ""
    if rule is ReentryRule.AFTER_EXIT:
        return "entered_before" if any(run.state == "held_out" for run in past) else ""
    last = max(run.entered_at for run in past).astimezone(bank.zone).date()
    gone = (now.astimezone(bank.zone).date() - last).days
    return "" if gone >= (script.reentry.days or 0) else "too_soon"


def held_by(rule: EntryRule, unit: str, bank: Bank, now: datetime, holdouts: Holdouts) -> Layer:
    """Name the layer that keeps a subject out for comparison; "" for none.

    The whole bank's, the 互斥组's and the script's own each draw by a seed of their own, the
    first two anew every year (S4).
    """
    script = rule.script
    layer = may_not_sell_to(unit, script, bank, now, holdouts, spared=rule.spared)
    return layer or ("script" if held_out(script, unit) else "")


class NewRun(NamedTuple):
    """A run that begins, or is held out so that the effect can be measured (E5)."""

    subject: str
    key: str
    owner: str
    branch: str
    rotation: int
    anchor: date
    state: RunState
    reason: str
    weekly_cap: int | None
    data_as_of: datetime | None


def rank(script: str, subject: str) -> int:
    """Return the place in which a subject enters where not all may at once: by hash (E4)."""
    return int(digest("entry", script, subject, size=4), 16) >> 1


def key_of(text: str) -> str:
    """Return an anchor's occurrence as it is kept with a run: short, and always the same."""
    return text if len(text) <= _KEY_CHARS else digest(text)
