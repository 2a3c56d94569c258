"""Whether a product may be offered to one customer by a machine (field_lessons S01, S03, S05)."""

from __future__ import annotations

from datetime import date

from bot.domain.expression_values import Grade, Known, grade_of
from bot.domain.registry import AGE, ASSESSED_ON, GRADE
from bot.domain.subject import SubjectFacts

_ELDERLY = 65
_VALID_MONTHS = 12
_LOWEST = 1  # C1: for who is not known
ELDERLY, NOT_ASSESSED, TOO_RISKY = "over_65", "assessment_expired", "risk_too_high"


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


def _is_elderly(age: Known | None) -> bool:
    return isinstance(age, bool) or not isinstance(age, int | float) or age >= _ELDERLY


def _assessed_lately(on: Known | None, today: date) -> bool:
    """Tell whether an assessment of that day still counts: it does for twelve months."""
    if not isinstance(on, date) or on > today:
        return False
    year, month = divmod(on.year * 12 + on.month - 1 + _VALID_MONTHS, 12)
    return (today.year, today.month, today.day) <= (year, month + 1, on.day)
