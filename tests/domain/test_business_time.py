"""Time in which people are there: over nights, weekends, make-up days and festivals."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.bank import Bank
from bot.domain.business_time import BusinessTime, ServiceHours
from bot.domain.calendar import CalendarTables
from bot.yamlfile import load
from tests.domain.builders import starter_text, tables
from tests.make import MINUTE, ZONE, local

HOUR = timedelta(hours=1)
USUAL = BusinessTime(ServiceHours(), tables(), ZONE)
WITH_LUNCH = ServiceHours.model_validate(
    {"工作日": ["08:30-12:00", "13:30-17:30"], "周末": "09:30-15:30", "节假日": "10:00-12:00"}
)
HOURS = st.sampled_from([ServiceHours(), WITH_LUNCH])
# From two weeks before the National Day of 2026 to three weeks after it: make-up days lie around.
MOMENTS = st.integers(0, 35 * 24 * 60).map(lambda n: local("00:00", "2026-09-17") + n * MINUTE)


def counted(hours: ServiceHours, start: datetime, end: datetime) -> timedelta:
    """Count minute by minute: slow, and plain to see."""
    open_minutes, at = 0, start
    while at < end:
        windows = hours.on(at.date(), tables())
        open_minutes += any(begins <= at.time() < ends for begins, ends in windows)
        at += MINUTE
    return open_minutes * MINUTE


@settings(max_examples=25, deadline=None)
@given(HOURS, MOMENTS, st.integers(0, 5 * 24 * 60))
def test_what_lies_between_is_what_a_count_of_the_minutes_gives(
    hours: ServiceHours, start: datetime, minutes: int
) -> None:
    end = start + minutes * MINUTE
    its = BusinessTime(hours, tables(), ZONE)
    assert its.between(start, end) == counted(hours, start, end)


@settings(max_examples=200, deadline=None)
@given(HOURS, MOMENTS, st.integers(0, 4000))
def test_so_much_later_exactly_so_much_has_passed_and_not_a_minute_before(
    hours: ServiceHours, start: datetime, minutes: int
) -> None:
    its, span = BusinessTime(hours, tables(), ZONE), minutes * MINUTE
    end = its.after(start, span)
    assert its.between(start, end) == span
    if minutes:
        assert its.between(start, end - MINUTE) == span - MINUTE


@settings(max_examples=100, deadline=None)
@given(HOURS, st.lists(MOMENTS, min_size=3, max_size=3), st.integers(1, 3000), st.integers(1, 3000))
def test_time_adds_up_and_who_begins_later_ends_no_sooner(
    hours: ServiceHours, moments: list[datetime], first: int, second: int
) -> None:
    its = BusinessTime(hours, tables(), ZONE)
    a, b, c = sorted(moments)
    assert its.between(a, c) == its.between(a, b) + its.between(b, c)
    both = (first + second) * MINUTE
    assert its.after(its.after(a, first * MINUTE), second * MINUTE) == its.after(a, both)
    ends = [its.after(moment, first * MINUTE) for moment in (a, b, c)]
    assert all(one <= other for one, other in pairwise(ends))


@pytest.mark.parametrize(
    ("begins", "minutes", "ends"),
    [
        (local("10:00", "2026-10-12"), 60, local("11:00", "2026-10-12")),
        # What is used up at closing time ends there.
        (local("16:30", "2026-10-12"), 60, local("17:30", "2026-10-12")),
        (local("17:00", "2026-10-12"), 60, local("09:00", "2026-10-13")),
        (local("22:40", "2026-10-12"), 15, local("08:45", "2026-10-13")),
        # A Saturday has its own, shorter hours.
        (local("17:00", "2026-10-16"), 60, local("10:00", "2026-10-17")),
        # Seven days of the National Day are nobody's: 30 September to 8 October 2026.
        (local("17:00", "2026-09-30"), 60, local("09:00", "2026-10-08")),
        # Saturday 10 October 2026 is worked for it: the hours of a working day.
        (local("08:00", "2026-10-10"), 30, local("09:00", "2026-10-10")),
        (local("17:00", "2026-10-10"), 45, local("09:45", "2026-10-11")),
    ],
)
def test_days_count_as_the_published_calendar_has_them(
    begins: datetime, minutes: int, ends: datetime
) -> None:
    assert USUAL.after(begins, minutes * MINUTE) == ends


def test_danger_counts_every_minute_of_the_night() -> None:
    night = local("02:00", "2026-10-03")
    assert USUAL.always().after(night, 5 * MINUTE) == night + 5 * MINUTE
    assert USUAL.always().between(night, night + HOUR) == HOUR
    assert not USUAL.is_open(night)
    assert USUAL.always().is_open(night)


def test_it_says_when_somebody_is_there_next() -> None:
    assert USUAL.opens_at(local("12:00")) == local("12:00")
    assert USUAL.opens_at(local("20:00", "2026-09-30")) == local("08:30", "2026-10-08")
    assert USUAL.opens_at(local("07:00")) == local("08:30")


def test_a_change_of_the_clock_neither_gives_nor_takes_time() -> None:
    """Clocks in Berlin go back in the night to 25 October 2026: that Sunday has 25 hours."""
    berlin = ZoneInfo("Europe/Berlin")
    hours = ServiceHours.model_validate({"工作日": "00:00-23:59", "周末": "00:00-23:59"})
    its = BusinessTime(hours, CalendarTables(), berlin)
    midnight = datetime(2026, 10, 25, tzinfo=berlin)
    assert its.after(midnight, 4 * HOUR) == datetime(2026, 10, 25, 3, tzinfo=berlin)
    assert its.between(midnight, datetime(2026, 10, 25, 3, tzinfo=berlin)) == 4 * HOUR


@pytest.mark.parametrize(
    ("hours", "what", "mend"),
    [
        ('{工作日: "8-17"}', "8", "09:30"),
        ("{工作日: 休息}", "没有服务时间", "08:30-17:30"),
        ('{周末: ["09:00-12:00", "11:00-15:00"]}', "重叠", "上午一段"),
        ('{周未: "09:00-12:00"}', "周未", "周末"),
    ],
)
def test_hours_that_cannot_be_are_named_with_their_mend(hours: str, what: str, mend: str) -> None:
    bank, problems = load(with_hours(hours), "_workspace.yaml", Bank)
    assert bank is None
    assert any(what in one.what and mend in one.mend for one in problems), problems


def with_hours(hours: str) -> str:
    """Return the starter file with hours of the third branch's own."""
    text, head = starter_text("_workspace.yaml"), "    行长: lu.huaian"
    assert text.count(head) == 1
    return text.replace(head, f"    服务时段: {hours}\n{head}")


def test_a_branch_may_keep_hours_of_its_own() -> None:
    bank, problems = load(with_hours('{周末: "09:00-17:00"}'), "_workspace.yaml", Bank)
    assert bank is not None, problems
    sunday = local("09:10", "2026-10-18")
    assert bank.hours_of("b03", tables()).is_open(sunday)
    assert not bank.hours_of("b01", tables()).is_open(sunday)
    assert bank.hours_of("", tables()).hours.workdays == ((time(8, 30), time(17, 30)),)
