from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

import pytest
from pydantic_core import PydanticCustomError

from bot.domain.calendar import (
    in_quiet,
    quiet_all_day,
    quiet_minutes,
    read_day_name,
)
from tests.domain.builders import day, tables

SHANGHAI = ZoneInfo("Asia/Shanghai")
QUIET = ((time(11, 45), time(14, 30)), (time(19, 30), time(8, 30)))


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("农历正月初一", ("2026-02-17", "2027-02-06", "2028-01-26")),
        ("农历正月十五", ("2026-03-03", "2027-02-20", "2028-02-09")),
        ("农历五月初五", ("2026-06-19", "2027-06-09", "2028-05-28")),
        ("农历八月十五", ("2026-09-25", "2027-09-15", "2028-10-03")),
        ("农历九月初九", ("2026-10-18", "2027-10-08", "2028-10-26")),
        ("除夕", ("2026-02-16", "2027-02-05", "2028-01-25")),
    ],
)
def test_festivals_fall_on_their_published_days(name: str, days: tuple[str, ...]) -> None:
    for text in days:
        first, last = day(f"{text[:4]}-01-01"), day(f"{text[:4]}-12-31")
        assert tables().days_named(name, first, last)[0] == day(text)


def test_make_up_working_days_of_2026_are_work_and_holidays_are_not() -> None:
    made_up = {"01-04", "02-14", "02-28", "05-09", "09-20", "10-10"}
    weekends = {
        f"{each:%m-%d}"
        for each, work in tables().workdays.items()
        if each.year == 2026 and each.weekday() >= 5 and work
    }
    assert weekends == made_up
    assert not tables().is_workday(day("2026-10-01"))
    assert tables().source(day("2026-10-01")) == "official"


def test_a_year_that_is_not_published_has_weekends_and_days_of_law_and_says_so() -> None:
    free = {f"{each:%m-%d}" for each in tables().festivals if each.year == 2027}
    spring, autumn = {"02-05", "02-06", "02-07", "02-08"}, {"09-15", "10-01", "10-02", "10-03"}
    assert free == {"01-01", "04-05", "05-01", "05-02", "06-09"} | spring | autumn
    assert not tables().is_workday(day("2027-10-01"))
    assert not tables().is_workday(day("2027-10-09"))
    assert tables().is_workday(day("2027-10-04"))
    assert tables().source(day("2027-10-01")) == "provisional"
    assert tables().source(day("2035-01-01")) == "provisional"
    assert tables().is_workday(day("2035-01-01"))


def test_published_festivals_are_their_free_days_and_no_weekend_else() -> None:
    free = [f"{each:%m-%d}" for each in sorted(tables().festivals) if each.year == 2026]
    assert [each for each in free if each.startswith("10-")] == [f"10-0{n}" for n in range(1, 8)]
    assert "02-16" in free  # 除夕 is free by law since 2025
    assert "10-10" not in free
    assert "11-07" not in free


def test_a_leap_month_has_no_festival_of_its_own() -> None:
    found = tables().days_named("农历六月初六", day("2025-01-01"), day("2025-12-31"))
    assert found == (day("2025-06-30"),)


def test_next_workday_goes_over_a_holiday() -> None:
    assert tables().next_workday(day("2026-10-01")) == day("2026-10-08")
    assert tables().next_workday(day("2026-10-10")) == day("2026-10-10")


@pytest.mark.parametrize("text", ["10月1日", "2026-10-18", "农历腊月初八", "农历十二月廿三"])
def test_days_are_named_in_these_forms(text: str) -> None:
    read_day_name(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("农历腊月三十", "没有三十"),
        ("农历十三月初一", "不是日子"),
        ("农历九月九日", "不是日子"),
        ("13月1日", "没有"),
        ("2026-02-30", "没有"),
        ("重阳", "不是日子"),
    ],
)
def test_other_names_of_days_are_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(PydanticCustomError, match=words):
        read_day_name(text)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("08:29", True),
        ("08:30", False),
        ("11:44", False),
        ("11:45", True),
        ("14:29", True),
        ("14:30", False),
        ("19:29", False),
        ("19:30", True),
        ("23:59", True),
        ("00:00", True),
    ],
)
def test_quiet_hours_begin_on_their_minute_and_go_over_midnight(at: str, quiet: bool) -> None:
    assert in_quiet(time.fromisoformat(at), QUIET) is quiet


def test_quiet_windows_that_touch_are_gone_over_together() -> None:
    quiet = ((time(8), time(12)), (time(12), time(14)))
    assert not quiet_all_day(quiet)
    assert quiet_all_day(((time(8), time(20)), (time(20), time(8))))


def test_quiet_minutes_of_a_window_are_counted() -> None:
    assert quiet_minutes((time(11, 0), time(12, 0)), QUIET) == 15
    assert quiet_minutes((time(9, 30), time(10, 30)), QUIET) == 0
    assert quiet_minutes((time(12, 0), time(13, 0)), QUIET) == 60
