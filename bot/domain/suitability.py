"""Whether a product may be offered to a customer by a machine (field_lessons C11, S01–S05)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bot.domain.expression_values import Grade, Known, grade_of
from bot.domain.registry import AGE, ASSESSED_ON, BEREAVED, COMPLAINED, GRADE
from bot.domain.subject import SubjectFacts

_ELDERLY = 65
_VALID_MONTHS = 12
_LOWEST = 1  # C1: for who is not known
_LEFT_IN_PEACE = timedelta(days=30)  # C11
GRAVE_EVENTS = frozenset({COMPLAINED, BEREAVED})
ELDERLY, NOT_ASSESSED, TOO_RISKY = "over_65", "assessment_expired", "risk_too_high"
PRODUCT_TOO_RISKY = "product_too_risky"  # for the script, whoever the customer is


def unfit(rating: str | None, facts: SubjectFacts, today: date) -> str:
    """Return why a product of that risk (R1 to R5) is not for this customer; empty where it is.

    Who is 65 or of an age that is not known gets no product from a machine at all. A product
    without a risk rating, such as a deposit, needs no assessment.
    """
    if _is_elderly(facts.datum(AGE)):
        return ELDERLY
    risk = grade_of(rating) if rating else None
    if risk is None:
        return ""
    if not _assessed_lately(facts.datum(ASSESSED_ON), today):
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


def _is_elderly(age: Known | None) -> bool:
    return isinstance(age, bool) or not isinstance(age, int | float) or age >= _ELDERLY


def _assessed_lately(on: Known | None, today: date) -> bool:
    """Tell whether an assessment of that day still counts: it does for twelve months."""
    if not isinstance(on, date) or on > today:
        return False
    year, month = divmod(on.year * 12 + on.month - 1 + _VALID_MONTHS, 12)
    return (today.year, today.month, today.day) <= (year, month + 1, on.day)
