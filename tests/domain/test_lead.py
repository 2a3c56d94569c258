"""Who gets a lead, and by when a person must have answered."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import RESPOND_WITHIN, Need, choose_rm
from tests.make import CUSTOMER, NOON, signal

LI, WANG, ZHAO = RmId("li.min"), RmId("wang.haoran"), RmId("zhao.xiulan")
ALL = (LI, WANG, ZHAO)


@pytest.mark.parametrize(
    ("managers", "owner", "on_duty", "chosen"),
    [
        ((LI, WANG), ZHAO, ALL, LI),
        ((LI, WANG), ZHAO, (WANG, ZHAO), WANG),
        ((LI, WANG), ZHAO, (ZHAO,), ZHAO),
        ((), ZHAO, ALL, ZHAO),
        ((LI,), None, (WANG,), WANG),
        ((LI,), ZHAO, (), None),
        ((), None, (), None),
    ],
)
def test_the_own_manager_comes_first_then_the_owner_then_the_branch(
    managers: tuple[RmId, ...], owner: RmId | None, on_duty: tuple[RmId, ...], chosen: RmId | None
) -> None:
    assert choose_rm(managers, owner, on_duty, CUSTOMER) == chosen


def test_inside_the_branch_the_work_is_spread_and_stays_with_one_person() -> None:
    customers = [CustomerId(f"wm{number}") for number in range(300)]
    first = [choose_rm((), None, ALL, customer) for customer in customers]
    again = [choose_rm((), None, tuple(reversed(ALL)), customer) for customer in customers]
    assert first == again
    assert all(70 <= count <= 130 for count in Counter(first).values())


def test_every_need_has_its_time_and_danger_has_the_shortest() -> None:
    assert set(RESPOND_WITHIN) == set(Need)
    assert min(RESPOND_WITHIN.values()) == RESPOND_WITHIN[Need.RED_FLAG] == timedelta(minutes=5)


def test_the_time_runs_from_when_it_was_said_and_a_file_may_set_it() -> None:
    assert signal(Need.RED_FLAG).respond_by() == NOON + timedelta(minutes=5)
    assert signal(Need.EVENT, minutes=15).respond_by() == NOON + timedelta(minutes=15)
