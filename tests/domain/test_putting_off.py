"""Until when a lead may be put off, as the day stands."""

from __future__ import annotations

import pytest

from bot.domain.putting_off import put_off_until, put_offs
from bot.workers.content import tables_for
from tests.make import ZONE, local

MONDAY, FRIDAY = "2026-10-12", "2026-10-16"
BEFORE_HOLIDAYS = "2026-09-30"


def offered(clock: str, day: str = MONDAY) -> list[tuple[str, str]]:
    now = local(clock, day)
    found = put_offs(now, ZONE, tables_for(now.date()))
    return [(one.words, f"{one.until.astimezone(ZONE):%m-%d %H:%M}") for one in found]


@pytest.mark.parametrize(
    ("clock", "day", "shown"),
    [
        (
            "09:30",
            MONDAY,
            [("1 小时后", "10-12 10:30"), ("今天下午", "10-12 14:30"), ("明天上午", "10-13 09:00")],
        ),
        ("14:00", MONDAY, [("1 小时后", "10-12 15:00"), ("明天上午", "10-13 09:00")]),
        ("16:00", FRIDAY, [("1 小时后", "10-16 17:00"), ("周一上午", "10-19 09:00")]),
        ("16:00", BEFORE_HOLIDAYS, [("1 小时后", "09-30 17:00"), ("10月8日上午", "10-08 09:00")]),
    ],
)
def test_what_is_offered(clock: str, day: str, shown: list[tuple[str, str]]) -> None:
    assert offered(clock, day) == shown


def test_no_two_choices_say_the_same_and_all_lie_ahead() -> None:
    for hour in range(24):
        now = local(f"{hour:02}:00")
        found = put_offs(now, ZONE, tables_for(now.date()))
        assert len({one.words for one in found}) == len(found)
        assert all(now < one.until for one in found)
        assert all(len(one.words) <= 10 for one in found)  # what a button holds


def test_an_old_cards_afternoon_means_an_hour_and_what_is_unknown_nothing() -> None:
    now = local("15:00")
    tables = tables_for(now.date())
    assert put_off_until("afternoon", now, ZONE, tables) == local("16:00")
    assert put_off_until("hour", now, ZONE, tables) == local("16:00")
    assert put_off_until("", now, ZONE, tables) is None
    assert put_off_until("never", now, ZONE, tables) is None
