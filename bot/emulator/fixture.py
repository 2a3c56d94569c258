"""pytest fixtures for any project's tests: ``wecom``, a running local WeCom, and its clock.

Installed with Zhilin, pytest finds them by itself (entry point ``zhilin_emulator``). Nothing of
the emulator is imported before a test asks for one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bot.clock import FakeClock
    from bot.emulator.threaded import LocalWeCom
    from bot.emulator.world import World

START = datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
"""A Monday, 09:30 in China."""
CORP_ID, AGENT_ID, SECRET = "ww0000zhilin000000", 1000002, "secret-of-the-local-app"
MANAGER, COLLEAGUE = "zhangsan", "lisi"
CUSTOMER, WECOM_CUSTOMER = "wmOgQhDgAAMYQiS5ol9G7gK9JVAAAA", "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA"
OPEN_KFID = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"
CHAT_ID = "wrOgQhDgAAMYQiS5ol9G7gK9JVAAAA"


class WeComClock:
    """The clock of the local WeCom: it stands still until it is moved."""

    def __init__(self, wecom: LocalWeCom, clock: FakeClock) -> None:
        self._wecom = wecom
        self._clock = clock

    def now(self) -> datetime:
        """Return the local WeCom's moment, aware, in UTC."""
        return self._clock.now()

    def advance(self, **delta: float) -> None:
        """Move on by a ``timedelta`` in keywords; what is due by then happens."""

        def move(world: World) -> None:
            self._clock.advance(**delta)
            world.later.run_due()

        self._wecom.do(move)


def a_small_bank(clock: FakeClock) -> World:
    """Return a world with one app, two members, two customers, a kf account and a group.

    The ids are those of the official documents' samples.
    """
    from bot.emulator import contact, groups
    from bot.emulator.world import World

    world = World(clock, corp_id=CORP_ID)
    world.settle_app(AGENT_ID, SECRET)
    world.settle_member(MANAGER, "张三", branch="城东支行")
    world.settle_member(COLLEAGUE, "李四", branch="城东支行")
    world.settle_customer(CUSTOMER, "王女士", 67)
    world.settle_customer(WECOM_CUSTOMER, "赵先生")
    world.kf.add_account("小安", OPEN_KFID)
    for userid in (MANAGER, COLLEAGUE):
        world.kf.add_servicer(OPEN_KFID, userid)
    contact.befriend(world, MANAGER, CUSTOMER, quiet=True)
    groups.create(world, MANAGER, "城东客户群", [CUSTOMER], chat_id=CHAT_ID, quiet=True)
    return world


@pytest.fixture
def wecom() -> Iterator[LocalWeCom]:
    """Give a local WeCom with a small bank in it, on a free port, with live callbacks."""
    from bot.clock import FakeClock
    from bot.emulator.threaded import LocalWeCom

    with LocalWeCom(a_small_bank(FakeClock(START))) as running:
        yield running


@pytest.fixture
def wecom_clock(wecom: LocalWeCom) -> WeComClock:
    """Give the clock of ``wecom``."""
    from bot.clock import FakeClock

    clock = wecom.world.clock
    if not isinstance(clock, FakeClock):
        raise TypeError("this world runs on the machine's clock")
    return WeComClock(wecom, clock)
