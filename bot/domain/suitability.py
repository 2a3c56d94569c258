"""Whether a product may be offered to a customer by a machine (field_lessons C11, S01–S05)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from bot.domain.expression_values import Grade, Known, grade_of
from bot.domain.registry import AGE, ASSESSED_ON, BEREAVED, COMPLAINED, CONSENT, GRADE
from bot.domain.subject import SubjectFacts

_ELDERLY = 65
_VALID_MONTHS = 12
_LOWEST = 1  # C1: for who is not known
_TOLD_TO_ANYBODY = 1  # R1
_ELDERLY_UP_TO = 2  # R2
_GROUP_UP_TO = 2  # R2, as 产品风险最高 has it where a script says nothing
_LEFT_IN_PEACE = timedelta(days=30)  # C11
GRAVE_EVENTS = frozenset({COMPLAINED, BEREAVED})
ELDERLY, NOT_ASSESSED, TOO_RISKY = "over_65", "assessment_expired", "risk_too_high"
NO_CONSENT = "no_consent"
PRODUCT_TOO_RISKY = "product_too_risky"  # for the script, whoever the customer is


class Asker(NamedTuple):
    """What the bank's systems tell of somebody who asks; nothing is known but what is here.

    ``grade`` is the number of C1 to C5.
    """

    grade: int | None = None
    assessed_on: date | None = None
    age: float | None = None
    consents: bool = False


NOBODY = Asker()
"""Who is not known: C1, and 65 or older (S05)."""


def asker_of(facts: SubjectFacts) -> Asker:
    """Return what is known of a customer who asks."""
    grade, on, age = facts.datum(GRADE), facts.datum(ASSESSED_ON), facts.datum(AGE)
    aged = isinstance(age, int | float) and not isinstance(age, bool)
    return Asker(
        grade=grade.number if isinstance(grade, Grade) else None,
        assessed_on=on if isinstance(on, date) else None,
        age=float(age) if aged and isinstance(age, int | float) else None,
        consents=facts.datum(CONSENT) is True,
    )


def withheld(rating: str | None, asker: Asker, today: date) -> str:
    """Return why a program does not tell this asker of a product of that risk; empty where it does.

    R1 and what has no rating is told to anybody. From R2 on the asker must have agreed, have been
    assessed lately, and bear the risk; R3 and more is never told to somebody of 65 or of unknown
    age: such talk is a manager's (field_lessons S01, S03, S05).
    """
    risk = grade_of(rating) if rating else None
    if risk is None or risk.number <= _TOLD_TO_ANYBODY:
        return ""
    if risk.number > _ELDERLY_UP_TO and is_elderly(asker.age):
        return ELDERLY
    if not asker.consents:
        return NO_CONSENT
    if not assessed_lately(asker.assessed_on, today):
        return NOT_ASSESSED
    return TOO_RISKY if risk.number > (asker.grade or _LOWEST) else ""


def too_risky_for_a_group(rating: str | None) -> bool:
    """Tell whether a product is above what is told where people of every grade read (S06)."""
    risk = grade_of(rating) if rating else None
    return risk is not None and risk.number > _GROUP_UP_TO


def unfit(rating: str | None, facts: SubjectFacts, today: date) -> str:
    """Return why a product of that risk (R1 to R5) is not for this customer; empty where it is.

    Who is 65 or of an age that is not known gets no product from a machine at all. A product
    without a risk rating, such as a deposit, needs no assessment.
    """
    if is_elderly(facts.datum(AGE)):
        return ELDERLY
    risk = grade_of(rating) if rating else None
    if risk is None:
        return ""
    if not assessed_lately(facts.datum(ASSESSED_ON), today):
        return NOT_ASSESSED
    borne = facts.datum(GRADE)
    level = borne.number if isinstance(borne, Grade) else _LOWEST
    return TOO_RISKY if risk.number > level else ""


def is_left_in_peace(facts: SubjectFacts, now: datetime) -> bool:
    """Tell whether a customer is offered nothing now: a complaint or a death was not long ago.

    A complaint that is still worked on counts, however old it is.
    """
    return facts.complaint_open or any(
        one.kind in GRAVE_EVENTS and now - one.at < _LEFT_IN_PEACE for one in facts.happened
    )


def is_elderly(age: Known | None) -> bool:
    """Tell whether an age is 65 or more, or not known (S03, S05)."""
    return isinstance(age, bool) or not isinstance(age, int | float) or age >= _ELDERLY


def assessed_lately(on: Known | None, today: date) -> bool:
    """Tell whether an assessment of that day still counts: it does for twelve months."""
    if not isinstance(on, date) or on > today:
        return False
    year, month = divmod(on.year * 12 + on.month - 1 + _VALID_MONTHS, 12)
    return (today.year, today.month, today.day) <= (year, month + 1, on.day)
