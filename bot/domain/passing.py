"""What the gate knows of a step's message: the same for the sender and for a simulation; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.domain.bank import Bank
from bot.domain.delivery import Facts, Session, Terms
from bot.domain.expression import parse
from bot.domain.hold import Holds
from bot.domain.holdout import Holdouts, may_not_sell_to
from bot.domain.knowledge import ProductSheet
from bot.domain.quota import (
    Kind,
    Slot,
    TenantCaps,
    caps_for,
    classes_of,
    is_tired,
    room,
    slot_of,
)
from bot.domain.registry import CONSENT
from bot.domain.runs import Run
from bot.domain.script import SopScript
from bot.domain.script_parts import Status
from bot.domain.steps import Overlay, SendBy, Step, StepKind
from bot.domain.subject import COST, UPLIFT, SubjectFacts
from bot.domain.suitability import is_left_in_peace, unfit
from bot.domain.withdrawal import Withdrawn

GREETINGS_ONLY = "只收节日问候"  # a customer's tag: C5


@dataclass(frozen=True, slots=True)
class Passing:
    """What is the same for all messages that the gate looks at in one go."""

    bank: Bank
    now: datetime
    holds: Holds
    withdrawn: Withdrawn
    tenant: TenantCaps
    holdouts: Holdouts = field(default_factory=Holdouts)

    @property
    def today(self) -> date:
        """Return the bank's day."""
        return self.now.astimezone(self.bank.zone).date()


@dataclass(frozen=True, slots=True)
class Asking:
    """One step's message with everything it is judged by.

    ``in_force`` is the script as everybody runs it now; ``script`` is the run's own version.
    """

    key: str
    terms: Terms
    run: Run | None
    script: SopScript | None
    in_force: SopScript | None
    subject: SubjectFacts | None
    slots: Sequence[Slot] = ()
    product: ProductSheet | None = None
    session: Session | None = None

    @property
    def part(self) -> Step | Overlay | None:
        """Return the step or overlay whose words the message has."""
        return self.script.part(self.terms.step) if self.script is not None else None


def facts_of(asking: Asking, passing: Passing) -> Facts:
    """Return what is true of a step's message now."""
    run, script, part = asking.run, asking.script, asking.part
    if run is None or script is None or part is None or run.state != "running":
        return Facts(run_alive=False)
    terms, in_force = asking.terms, asking.in_force
    known = Facts(
        session=asking.session,
        # A run keeps its version of the words; that the script was stopped counts for all.
        script_stopped=in_force is not None and in_force.status is not Status.PUBLISHED,
        paused=bool(passing.holds and _held(passing.holds, run, terms)),
        passed_over=passing.holds.passing_over(run.script, terms.step) if passing.holds else "",
        withdrawn=passing.withdrawn.covers(run.script, part, terms.variant),
        refuses_marketing=run.marketing_stopped,
        product_stopped=run.product_stopped,
        held_out=terms.marketing and _held_out(run, script, passing),
        product_sold=asking.product is not None and asking.product.sold_on(passing.today),
        product_too_risky=asking.product is not None
        and not script.rails.admits(asking.product.risk_rating),
        full=full(asking, passing) or "",
    )
    subject = asking.subject
    if subject is None:
        return known.model_copy(update={"group_alive": False, "friend": False})
    if run.subject_kind == "group":
        may_market = passing.bank.may_market(subject.tags)
        about: dict[str, object] = {"group_alive": subject.alive, "may_market": may_market}
    else:
        about = {
            "friend": subject.friend,
            "consents": subject.datum(CONSENT) is True,
            "refuses_marketing": known.refuses_marketing or subject.refuses,
            "wants_other": _wants_other(part, subject),
        }
        if asking.product is not None:
            about["unfit"] = unfit(asking.product.risk_rating, subject, passing.today)
            about["left_in_peace"] = is_left_in_peace(subject, passing.now)
    about["condition"] = _holds_now(part, subject, passing.now)
    return known.model_copy(update=about)


def kinds_of(terms: Terms) -> tuple[Kind, ...]:
    """Return which classes of the ledger a step's message takes a place of."""
    way = SendBy(terms.way) if terms.way else SendBy.BROADCAST if terms.quota else None
    if way is None:
        return ()
    product, marketing = bool(terms.product), terms.marketing
    return classes_of(way, terms.subject_kind, marketing=marketing, product=product)


def priority_of(script: SopScript | None, terms: Terms) -> int:
    """Return who goes first where room is short."""
    part = script.part(terms.step) if script is not None else None
    return 0 if script is None or part is None else script.priority_of(part)


def full(asking: Asking, passing: Passing) -> str | None:
    """Return the cap that leaves no room for a message today."""
    run, script, subject = asking.run, asking.script, asking.subject
    kinds = kinds_of(asking.terms)
    if run is None or script is None or not kinds:
        return None
    asked = [run.weekly_cap, subject.weekly_cap if subject is not None else None]
    weekly_cap = min((cap for cap in asked if cap is not None), default=None)
    replied_at = subject.last_seen if subject is not None else None
    tired = run.subject_kind == "customer" and is_tired(asking.slots, replied_at)
    caps = caps_for(script, passing.bank, run.subject_kind, weekly_cap, passing.tenant, tired=tired)
    priority = priority_of(script, asking.terms)
    return room(asking.slots, caps, passing.today, slot_of(asking.key), priority, kinds)


def _held(holds: Holds, run: Run, terms: Terms) -> str:
    return holds.pausing(run.script, run.version, terms.step, run.branch, run.owner, run.subject)


def _held_out(run: Run, script: SopScript, passing: Passing) -> bool:
    """Tell whether a subject was drawn to get nothing that sells, since its run began (I6)."""
    bank, now = passing.bank, passing.now
    return bool(may_not_sell_to(run.subject, script, bank, now, passing.holdouts))


def _wants_other(part: Step | Overlay, subject: SubjectFacts) -> bool:
    return GREETINGS_ONLY in subject.tags and part.kind is not StepKind.GREETING


def condition_of(part: Step | Overlay | None) -> str | None:
    """Return a part's 前提.条件, if it has one."""
    return part.guard.where if isinstance(part, Step) and part.guard is not None else None


def _holds_now(part: Step | Overlay, subject: SubjectFacts, now: datetime) -> bool:
    """Tell whether 前提.条件 still holds: what was judged in the morning may be over by now.

    What only a wave knows of itself was judged when the step was opened, a moment ago.
    """
    condition = condition_of(part)
    if condition is None:
        return True
    expression = parse(condition)
    if not expression.names().isdisjoint((UPLIFT, COST)):
        return True
    return expression.evaluate(subject.seen(now)) is True
