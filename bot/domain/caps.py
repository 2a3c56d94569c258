"""Which rules bound how often one subject is reached, and what a step counts as; pure.

"A week" is any 7 days on end and "a month" any 30; only WeCom's own month is the calendar's
(sop_semantics §2.11).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from bot.domain.bank import Bank
from bot.domain.script import SopScript
from bot.domain.steps import SendBy, Step
from bot.domain.value import Value

Kind = Literal["broadcast", "private", "contact", "product", "moment"]
Reason = Literal["daily_cap", "weekly_cap", "monthly_cap", "weekly_product_cap", "platform_quota"]
SubjectKind = Literal["group", "customer"]
CAP_REASONS: frozenset[str] = frozenset(
    {"daily_cap", "weekly_cap", "monthly_cap", "weekly_product_cap", "platform_quota"}
)
TO_A_PERSON: frozenset[Kind] = frozenset({"broadcast", "private", "contact"})
_BROADCAST: frozenset[Kind] = frozenset({"broadcast"})
_PRIVATE: frozenset[Kind] = frozenset({"private"})
_PRODUCT: frozenset[Kind] = frozenset({"product"})
_MOMENT: frozenset[Kind] = frozenset({"moment"})
A_MONTH = 0  # in place of a number of days
AS_MANY_AS_DAYS = -1  # in place of a number of messages


class TenantCaps(Value):
    """What the bank allows over all its scripts together (C2), besides each script's own rails.

    ``fatigue`` halves what sells one to one after three touches in a row without a reply (C4).
    """

    marketing_a_week: int = Field(2, ge=0)
    marketing_a_month: int = Field(4, ge=0)
    group_a_day: int = Field(1, ge=1)
    group_a_week: int = Field(5, ge=1)
    fatigue: bool = True


class Rule(NamedTuple):
    """At most so many messages of some classes within so many days on end; 0 days: a month."""

    reason: Reason
    kinds: frozenset[Kind]
    most: int
    days: int
    by_platform: bool = False


class Caps(NamedTuple):
    """Every rule that a subject's messages have to keep, and the zone of the bank's days."""

    rules: tuple[Rule, ...]
    zone: ZoneInfo


def classes_of(
    way: SendBy, subject_kind: SubjectKind, *, marketing: bool, product: bool
) -> tuple[Kind, ...]:
    """Return which classes a step takes a place of; none where a person is only asked to act."""
    if way in (SendBy.GROUP_WELCOME, SendBy.TASK_FOR_MANAGER, SendBy.KEYWORD_REPLY):
        return ()
    found: list[Kind] = []
    if way is SendBy.MOMENTS:
        found.append("moment")
    elif way is SendBy.BROADCAST:
        found.append("broadcast")
    if subject_kind == "customer" and way is not SendBy.MOMENTS:
        if marketing:
            found.append("private")
        elif not found:
            found.append("contact")
    if product:
        found.append("product")
    return tuple(found)


def classes_of_step(step: Step, way: SendBy, subject_kind: SubjectKind) -> tuple[Kind, ...]:
    """Return which classes a step of a file takes a place of when it goes out this way."""
    product = step.product is not None
    return classes_of(way, subject_kind, marketing=step.marketing, product=product)


def caps_for(
    script: SopScript,
    bank: Bank,
    subject_kind: SubjectKind,
    weekly_cap: int | None = None,
    tenant: TenantCaps | None = None,
    *,
    tired: bool = False,
) -> Caps:
    """Return the rules for one subject of a script; ``weekly_cap`` is what it asked for (降频)."""
    tenant = tenant or TenantCaps()
    platform = _platform(bank, _BROADCAST)
    if subject_kind == "group":
        return Caps((*_for_group(script, weekly_cap, tenant), *platform), bank.zone)
    own = _for_customer(script, weekly_cap, tenant)
    if tired and tenant.fatigue:
        own = [_halved(rule) if rule.kinds == _PRIVATE else rule for rule in own]
    return Caps((*own, *platform, *_platform(bank, _MOMENT)), bank.zone)


def _for_group(script: SopScript, weekly_cap: int | None, tenant: TenantCaps) -> list[Rule]:
    rails = script.rails
    a_week = min(rails.broadcasts_a_week, tenant.group_a_week)
    if weekly_cap is not None:
        a_week = min(a_week, weekly_cap)
    rules = [
        Rule("daily_cap", _BROADCAST, min(rails.broadcasts_a_day, tenant.group_a_day), 1),
        Rule("weekly_cap", _BROADCAST, a_week, 7),
        Rule("weekly_product_cap", _PRODUCT, rails.products_a_week, 7),
    ]
    if rails.broadcasts_a_month is not None:
        rules.append(Rule("monthly_cap", _BROADCAST, rails.broadcasts_a_month, 30))
    return rules


def _for_customer(script: SopScript, weekly_cap: int | None, tenant: TenantCaps) -> list[Rule]:
    rails = script.rails
    a_week = min(rails.private_marketing_a_week, tenant.marketing_a_week)
    a_month = min(rails.private_marketing_a_month, tenant.marketing_a_month)
    rules = [
        Rule("daily_cap", TO_A_PERSON, rails.private_a_day, 1),
        Rule("weekly_cap", _PRIVATE, a_week, 7),
        Rule("monthly_cap", _PRIVATE, a_month, 30),
    ]
    if weekly_cap is not None:
        rules.append(Rule("weekly_cap", TO_A_PERSON, weekly_cap, 7))
    return rules


def _platform(bank: Bank, kinds: frozenset[Kind]) -> Iterable[Rule]:
    rule = bank.platform
    yield Rule("platform_quota", kinds, rule.a_day, 1, by_platform=True)
    yield Rule("platform_quota", kinds, rule.a_week, 7, by_platform=True)
    most = rule.a_month if isinstance(rule.a_month, int) else AS_MANY_AS_DAYS
    yield Rule("platform_quota", kinds, most, A_MONTH, by_platform=True)


def _halved(rule: Rule) -> Rule:
    """Return a rule at half its rate: half as many, or one in twice the time."""
    if rule.most >= 2:
        return rule._replace(most=rule.most // 2)
    return rule._replace(days=2 * rule.days)
