"""Which products a machine may offer to whom: S01, S03 and S05, case by case."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.domain.registry import BUILT_IN_FIELDS
from bot.domain.subject import Registry, SubjectFacts
from bot.domain.suitability import unfit
from tests.make import ZONE

TODAY = date(2026, 10, 12)
REGISTRY = Registry(ZONE, BUILT_IN_FIELDS, frozenset())
GOOD = {"年龄": 40, "风险等级": "C3", "测评日": "2026-01-05"}


@pytest.mark.parametrize(
    ("rating", "facts", "why"),
    [
        ("R2", {}, ""),
        ("R3", {}, ""),
        ("R4", {}, "risk_too_high"),
        ("R2", {"测评日": "2025-10-12"}, ""),  # twelve months to the day
        ("R2", {"测评日": "2025-10-11"}, "assessment_expired"),
        ("R2", {"测评日": "2026-10-13"}, "assessment_expired"),  # not yet made
        ("R1", {"测评日": None}, "assessment_expired"),
        ("R2", {"风险等级": None}, "risk_too_high"),  # unknown counts as C1
        ("R1", {"风险等级": None}, ""),
        ("R1", {"年龄": 64}, ""),
        ("R1", {"年龄": 65}, "over_65"),
        ("R1", {"年龄": None}, "over_65"),  # unknown counts as 65
        (None, {"测评日": None}, ""),  # a deposit has no risk rating
        (None, {"年龄": 80}, "over_65"),  # no automated push of any product
    ],
)
def test_a_product_is_offered_only_to_whom_it_suits(
    rating: str | None, facts: dict[str, Any], why: str
) -> None:
    known = {name: value for name, value in (GOOD | facts).items() if value is not None}
    person = SubjectFacts("wmA", "customer", REGISTRY, facts=known)
    assert unfit(rating, person, TODAY) == why
