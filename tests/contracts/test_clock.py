"""What every clock keeps to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.clock import FakeClock, SystemClock
from bot.ports import Clock
from tests.make import NOON


class ClockContract:
    """Subclass with a ``clock`` fixture."""

    def test_now_is_aware(self, clock: Clock) -> None:
        assert clock.now().utcoffset() is not None

    def test_time_does_not_run_backwards(self, clock: Clock) -> None:
        assert clock.now() <= clock.now()

    async def test_a_past_moment_is_not_waited_for(self, clock: Clock) -> None:
        await asyncio.wait_for(clock.wait_until(clock.now() - timedelta(days=1)), timeout=5)

    async def test_after_waiting_the_moment_has_come(self, clock: Clock) -> None:
        moment = clock.now() + timedelta(milliseconds=20)
        waiting = asyncio.ensure_future(clock.wait_until(moment))
        await asyncio.sleep(0)
        if isinstance(clock, FakeClock):
            clock.jump(moment)
        await asyncio.wait_for(waiting, timeout=5)
        assert clock.now() >= moment


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()


class TestFakeClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return FakeClock(NOON)


class TestRunningFakeClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return FakeClock(NOON, running=True)
