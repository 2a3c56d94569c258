"""What becomes of a step whose window passed unsent (sop_semantics 2.12)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from bot.domain.misfire import Late, Later
from bot.domain.opening import Hours
from bot.domain.rails import GuardRails
from bot.domain.runs import RunStep
from bot.domain.script_parts import Missed, MissedRule, OnHoliday, RestDays
from tests.domain.builders import tables
from tests.make import ZONE, local

FRIDAY = "2026-10-16"
RAILS = GuardRails.model_construct(quiet=((time(20, 30), time(9)),), allowed={})


def row(day: str = "2026-10-12", **more: object) -> RunStep:
    opens, closes = local("10:00", day), local("11:30", day)
    plain = {"id": 1, "run": 1, "step": "a", "kind": "step", "planned_on": day}
    return RunStep.model_validate({**plain, "opens_at": opens, "closes_at": closes, **more})


def late(now: datetime, rest: RestDays = RestDays.PUSH) -> Late:
    return Late(Hours(RAILS, tables(), ZONE), tables(), rest, now)


@pytest.mark.parametrize(
    ("rule", "next_day"),
    [
        (None, "2026-10-01"),  # the script sends on days of rest
        (OnHoliday.SEND, "2026-10-01"),
        (OnHoliday.ONLY, "2026-10-01"),
        (OnHoliday.SKIP, "2026-10-08"),
        (OnHoliday.NEXT_WORKDAY, "2026-10-08"),
    ],
)
def test_a_step_that_is_made_up_for_keeps_its_own_word_on_festivals(
    rule: OnHoliday | None, next_day: str
) -> None:
    eve = "2026-09-30"
    judge = late(local("12:00", eve), RestDays.SEND)
    moved = Later(local("10:00", next_day), local("11:30", next_day), "moved_a_day")
    assert judge.judge(missed(MissedRule.NEXT_DAY), row(eve), None, rule) == moved
    assert judge.today_or_next(row(eve), None, rule) == moved._replace(reason="newest_only")


def missed(rule: MissedRule, **more: object) -> Missed:
    return Missed.model_validate({"rule": rule, **more})


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        (MissedRule.SKIP, "skip"),
        (MissedRule.CATCH_UP, "skip"),  # the window was longer for it already
        (MissedRule.SHIFT, "shift"),
        (MissedRule.COALESCE, "newest"),
        (MissedRule.EXIT, "exit"),
    ],
)
def test_each_rule_has_its_outcome(rule: MissedRule, outcome: str) -> None:
    assert late(local("12:00")).judge(missed(rule), row(), None) == outcome


def test_within_hours_of_grace_it_is_sent_late_and_after_them_not() -> None:
    grace = missed(MissedRule.CATCH_UP_WITHIN, within=timedelta(hours=2))
    found = late(local("12:00")).judge(grace, row(), None)
    assert found == Later(local("12:00"), local("13:30"), "late")
    assert late(local("13:29")).judge(grace, row(), None) == "skip"


def test_grace_in_workdays_goes_over_the_weekend() -> None:
    grace = missed(MissedRule.CATCH_UP_WITHIN, workdays=1)
    found = late(local("12:00", "2026-10-18")).judge(grace, row(FRIDAY), None)
    assert isinstance(found, Later)
    assert found.closes_at == local("11:30", "2026-10-19")
    assert late(local("11:29", "2026-10-19")).judge(grace, row(FRIDAY), None) == "skip"


def test_the_next_day_is_a_day_on_which_the_script_sends() -> None:
    rule = missed(MissedRule.NEXT_DAY)
    found = late(local("12:00", FRIDAY)).judge(rule, row(FRIDAY), None)
    assert found == Later(local("10:00", "2026-10-19"), local("11:30", "2026-10-19"), "moved_a_day")
    sends = late(local("12:00", FRIDAY), RestDays.SEND).judge(rule, row(FRIDAY), None)
    assert isinstance(sends, Later)
    assert sends.opens_at == local("10:00", "2026-10-17")


def test_q4_nothing_is_made_up_for_after_the_event_began() -> None:
    rule = missed(MissedRule.CATCH_UP_WITHIN, until_event=True)
    begins = local("15:00")
    found = late(local("12:00")).judge(rule, row(), begins)
    assert found == Later(local("12:00"), begins, "late")
    assert late(begins).judge(rule, row(), begins) == "skip"
    assert late(begins).judge(missed(MissedRule.SHIFT), row(), begins) == "skip"


@pytest.mark.parametrize("second", [{"iteration": 1}, {"reason": "late"}])
def test_what_was_tried_or_made_up_for_is_not_again(second: dict[str, object]) -> None:
    rule = missed(MissedRule.NEXT_DAY)
    assert late(local("12:00")).judge(rule, row(**second), None) == "skip"
