"""D20: three late of eight are 37.50 %, not nothing and not all.

A peer divides whole numbers before it makes a decimal of them: its timeout rate is 0 or 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.domain.lead import Lead, Need
from bot.leads.report import Ratio, report_of
from bot.storage.db import Database
from bot.storage.leads import Opening
from tests.make import MINUTE, NOON, OWNER, signal

LIMIT = 240 * MINUTE


async def eight(database: Database, answered: Sequence[timedelta | None]) -> list[Lead]:
    """Open a lead for each customer, answered by a person after so long, or not at all."""
    async with database.begin() as tx:
        for number, after in enumerate(answered):
            lead, _ = await tx.leads.open(signal(customer=f"wm{number}"), Opening(OWNER), NOON)
            if after is not None:
                await tx.leads.change(lead.id, first_response_at=NOON + after, taken_at=NOON)
    async with database.read() as tx:
        return await tx.leads.all()


IN_TIME, TOO_LATE = [10 * MINUTE] * 5, [LIMIT + MINUTE]


@pytest.mark.parametrize("missed", [[*TOO_LATE * 3], [*TOO_LATE, None, None], [None] * 3])
async def test_three_late_of_eight_are_37_50_percent(
    database: Database, missed: list[timedelta | None]
) -> None:
    leads = await eight(database, [*IN_TIME, *missed])
    late = report_of(leads, NOON + 2 * LIMIT).late
    assert (late, late.rate, late.percent) == (Ratio(3, 8), 0.375, "37.50%")
    assert late.words == "3/8（37.50%）"


async def test_who_may_still_be_answered_in_time_is_neither_late_nor_in_time(
    database: Database,
) -> None:
    leads = await eight(database, [10 * MINUTE, None, None])
    assert report_of(leads, NOON + LIMIT - MINUTE).late == Ratio(0, 1)
    assert report_of(leads, NOON + LIMIT + MINUTE).late == Ratio(2, 3)


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 8, "0.00%"),
        (8, 8, "100.00%"),
        (1, 3, "33.33%"),
        (2, 3, "66.67%"),
        (1, 800, "0.13%"),  # 0.125: a half goes up
        (1, 1_000_000, "0.00%"),
        (0, 0, "—"),
    ],
)
def test_a_share_is_said_to_two_places_and_of_nothing_there_is_none(
    part: int, whole: int, said: str
) -> None:
    assert Ratio(part, whole).percent == said


def test_of_a_deal_and_no_deal_the_open_ones_are_no_part() -> None:
    def ended(number: int, stage: str, reason: str = "") -> Lead:
        return Lead.model_validate(
            {
                "id": number,
                "customer": f"wm{number}",
                "need": Need.WEALTH,
                "stage": stage,
                "rm": OWNER,
                "opened_at": NOON,
                "respond_by": NOON + LIMIT,
                "closed_at": None if stage in ("new", "asking") else NOON,
                "outcome_reason": reason,
                "asked": stage in ("asking", "refused") or reason == "no_answer",
            }
        )

    stages = ["won", "lost", "lost", "invalid", "new", "asking", "refused"]
    leads = [ended(number, stage) for number, stage in enumerate(stages)]
    report = report_of([*leads, ended(9, "closed", "no_answer")], NOON)
    assert (report.won, report.invalid) == (Ratio(1, 3), Ratio(1, 4))
    assert report.agreed == Ratio(0, 1)
    assert report.taken == Ratio(0, 5)
