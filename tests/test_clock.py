"""The hand-turned clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.clock import FakeClock
from tests.make import MINUTE, NOON


def test_it_stands_still_until_it_is_moved() -> None:
    clock = FakeClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.advance(minutes=1)
    assert clock.now() == NOON + MINUTE


def test_it_does_not_go_back() -> None:
    clock = FakeClock(NOON)
    clock.jump(NOON - MINUTE)
    assert clock.now() == NOON


async def test_a_push_wakes_those_it_is_late_enough_for() -> None:
    clock = FakeClock(NOON)
    soon = asyncio.ensure_future(clock.wait_until(NOON + MINUTE))
    late = asyncio.ensure_future(clock.wait_until(NOON + timedelta(hours=1)))
    await asyncio.sleep(0)
    clock.advance(minutes=2)
    await asyncio.wait_for(soon, timeout=5)
    assert not late.done()
    clock.advance(days=1)
    await asyncio.wait_for(late, timeout=5)


def test_a_running_one_flows_from_where_it_was_put() -> None:
    clock = FakeClock(NOON, running=True)
    first = clock.now()
    assert NOON <= first < NOON + MINUTE
    clock.advance(hours=1)
    assert NOON + timedelta(hours=1) <= clock.now() < NOON + timedelta(hours=1) + MINUTE
