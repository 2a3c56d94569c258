"""Buckets: never beyond WeCom's limits, answers first, and no flood after a rest."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.pace import Bucket, Pace, paces_for, quick_pause
from tests.make import MINUTE, NOON, SECOND, reply, staff_card, staff_text

HOUR = timedelta(hours=1)
SMALL = Pace(burst=10, per_second=1)


def bucket(tokens: float = 10, pace: Pace = SMALL) -> Bucket:
    return Bucket("api", pace, tokens, NOON)


def test_what_can_wait_leaves_a_fifth_for_what_somebody_waits_for() -> None:
    one = bucket()
    for _ in range(8):
        assert one.wait(NOON, urgent=False, queued=False) is None
        one.take()
    assert one.wait(NOON, urgent=False, queued=False) == NOON + SECOND
    for _ in range(2):
        assert one.wait(NOON, urgent=True, queued=False) is None
        one.take()
    assert one.wait(NOON, urgent=True, queued=False) == NOON + SECOND


def test_those_that_must_wait_form_a_queue_and_nobody_jumps_it() -> None:
    one = bucket(tokens=2)
    turns = [one.wait(NOON, urgent=False, queued=False) for _ in range(3)]
    assert turns == [NOON + SECOND, NOON + 2 * SECOND, NOON + 3 * SECOND]
    later = NOON + SECOND
    one.fill(later)
    assert one.wait(later, urgent=False, queued=False) == NOON + 4 * SECOND
    assert one.wait(later, urgent=False, queued=True) is None


def test_a_closed_bucket_opens_empty_and_longer_each_time_it_is_closed_again() -> None:
    one = bucket()
    until = one.block(NOON)
    assert until == NOON + MINUTE
    one.fill(until - SECOND)
    assert one.wait(until - SECOND, urgent=True, queued=False) == until
    one.fill(until)
    assert one.wait(until, urgent=True, queued=False) == until + SECOND  # nothing ran in meanwhile
    assert one.block(until + SECOND) == until + SECOND + 10 * MINUTE
    again = until + 20 * MINUTE
    assert one.block(again) == again + MINUTE  # the limit that was broken then is over


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_too_many_at_once_is_tried_again_quickly_three_times(attempt: int) -> None:
    pause = quick_pause("wecom_45033", attempt)
    assert pause is not None
    assert pause <= 2 * SECOND
    assert quick_pause("wecom_45033", 4) is None
    assert quick_pause("wecom_-1", attempt) is None


def test_a_message_to_staff_is_counted_for_each_of_them() -> None:
    assert "member:li.min" in paces_for(staff_text())
    assert "member:wang" in paces_for(staff_card(to="wang"))
    assert set(paces_for(reply())) == {"kf/send_msg", "kf/send_msg:hour"}


LIMITS = {  # wecom_protocol §1.2
    "message/send": (10_000, 150_000),
    "message/send:hour": (None, 150_000),
    "member:li.min": (30, 1000),
}


@pytest.mark.parametrize("name", sorted(LIMITS))
@given(gaps=st.lists(st.floats(0, 90), min_size=1, max_size=30))
def test_no_window_ever_holds_more_than_wecom_allows(name: str, gaps: list[float]) -> None:
    one = Bucket(name, pace := paces_for(staff_text())[name], pace.burst, NOON)
    a_minute, an_hour = LIMITS[name]
    now, taken = NOON, list[tuple[datetime, int]]()
    for gap in [0.0, *gaps, 0.0]:
        now += timedelta(seconds=gap)
        one.fill(now)
        count = int(one.tokens)  # whatever there is, all at once: the worst that can happen
        one.tokens -= count
        taken.append((now, count))
    for end, _ in taken:
        within = [count for at, count in taken if end - MINUTE < at <= end]
        assert a_minute is None or sum(within) <= a_minute
        hour = [count for at, count in taken if end - HOUR < at <= end]
        # The API's minute bucket has an hour bucket beside it, which is checked by itself.
        assert name == "message/send" or sum(hour) <= an_hour
