"""Open hours: 静默时段 and 只在 by the type of the day, over any number of days (Q1–Q4)."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from bot.domain.opening import Hours, day_type, spread
from bot.domain.rails import DayType, GuardRails
from tests.domain.builders import day, tables
from tests.make import ZONE, local

NIGHT = (time(20, 30), time(9, 0))
MORNING, AFTERNOON = (time(9), time(11, 30)), (time(14, 30), time(17))
SENIOR = {
    DayType.WORKDAY: (MORNING, AFTERNOON),
    DayType.REST: (MORNING,),
    DayType.HOLIDAY: (MORNING,),
    DayType.EVE: (),
}


def hours(**rails: object) -> Hours:
    return Hours(GuardRails.model_construct(**_whole(rails)), tables(), ZONE)


def _whole(rails: dict[str, object]) -> dict[str, object]:
    return {"quiet": (), "allowed": {}} | rails


@pytest.mark.parametrize(
    ("on", "kind"),
    [
        ("2026-10-12", DayType.WORKDAY),
        ("2026-10-10", DayType.WORKDAY),  # 调休上班
        ("2026-10-17", DayType.REST),
        ("2026-10-05", DayType.HOLIDAY),
        ("2026-02-16", DayType.EVE),
        ("2026-02-17", DayType.HOLIDAY),
        ("2027-02-05", DayType.EVE),
    ],
)
def test_q1_each_day_has_its_type(on: str, kind: DayType) -> None:
    assert day_type(day(on), tables()) is kind


def test_q2_the_senior_template_leaves_two_windows_of_a_workday() -> None:
    spans = hours(allowed=SENIOR).spans(local("00:00"), local("23:59"))
    assert [(f"{a:%H:%M}", f"{b:%H:%M}") for a, b in spans] == [
        ("09:00", "11:30"),
        ("14:30", "17:00"),
    ]


def test_nothing_is_open_on_the_eve_and_the_next_moment_is_the_new_years() -> None:
    senior = hours(allowed=SENIOR)
    eve = local("10:00", "2026-02-16")
    assert not senior.is_open(eve)
    assert senior.next_open(eve) == local("09:00", "2026-02-17")


def test_quiet_hours_go_over_midnight_for_many_days() -> None:
    quiet = hours(quiet=(NIGHT,))
    spans = quiet.spans(local("19:00"), local("10:00", "2026-10-14"))
    assert [(f"{a:%d %H:%M}", f"{b:%d %H:%M}") for a, b in spans] == [
        ("12 19:00", "12 20:30"),
        ("13 09:00", "13 20:30"),
        ("14 09:00", "14 10:00"),
    ]
    assert quiet.closes(local("19:00")) == local("20:30")


def test_hours_that_never_open_have_no_next_moment() -> None:
    never = hours(allowed=dict.fromkeys(DayType, ()))
    assert never.next_open(local("10:00")) is None


def test_q3_what_waited_is_spread_over_the_beginning() -> None:
    span = (local("09:00"), local("11:30"))
    moments = [spread(span, share / 100) for share in range(100)]
    assert moments[0] == span[0]
    assert max(moments) < span[0] + timedelta(minutes=30)
    short = (local("09:00"), local("09:30"))
    assert spread(short, 0.999) < local("09:10")
    opened = hours(quiet=(NIGHT,))
    assert {opened.opened(moment) for moment in moments} == {local("09:00")}
    assert opened.opened(local("12:00")) == local("12:00")
