"""Days that come near and money that came in: managers are asked, ten a day, whoever restarts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from bot.clock import FakeClock
from bot.domain.happening import EventKind
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Need
from bot.domain.people import Customer
from bot.domain.subject import Occurrence
from bot.leads.draft_use import QUESTIONS
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.effects import Effects
from bot.workers.lead_days import A_DAY_EACH, LeadDays
from bot.workers.lead_desk import desk_of
from bot.workers.noticing import Noticing
from tests.make import OWNER, local

MORNING = local("10:00")
WANG = RmId("wang.haoran")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(MORNING)


class Day:
    """A worker on one day, which may be begun anew as a process is."""

    def __init__(self, database: Database, content: Content, clock: FakeClock) -> None:
        self._parts = database, content, clock
        self.database, self.clock = database, clock
        self.start()

    def start(self) -> None:
        database, content, clock = self._parts
        desk = desk_of(content)
        noticing = Noticing(content, Effects(desk, content))
        self._worker = LeadDays(database, content, desk, noticing, clock)

    async def work(self) -> None:
        while await self._worker.step():
            pass

    async def know(self, days_of: Mapping[str, int], manager: RmId = OWNER) -> None:
        """Know customers of a manager's with money that falls due in so many days."""
        today = self.clock.now().date()
        rows = {who: {"到期日": str(today + timedelta(days=n))} for who, n in days_of.items()}
        async with self.database.begin() as tx:
            for who in days_of:
                customer = Customer(id=CustomerId(who), name="王阿姨", managers=(manager,))
                await tx.people.put_customer(customer, self.clock.now())
            await tx.facts.put(rows.items(), self.clock.now())

    async def deposit(self, who: str, at: datetime) -> None:
        kind = EventKind.LARGE_DEPOSIT.value
        one = Occurrence(key=f"deposit:{who}", subject=who, kind=kind, at=at)
        async with self.database.begin() as tx:
            await tx.occurrences.add([one], at)

    async def asked(self, manager: RmId = OWNER) -> list[str]:
        """Return whom a manager was given a question for."""
        async with self.database.read() as tx:
            every = await tx.leads.all()
            found = [
                (one.customer, await tx.drafts.of_key(f"{QUESTIONS}{one.id}")) for one in every
            ]
        assert all(one.stage == "asking" for one in every)
        return [who for who, draft in found if draft is not None and draft.owner == manager]


@pytest.fixture
def day(database: Database, content: Content, clock: FakeClock) -> Day:
    return Day(database, content, clock)


async def test_ten_a_day_and_those_of_the_nearest_days_first(day: Day) -> None:
    await day.know({f"wm{n:02}": n for n in range(14, 0, -1)})
    await day.know({"wmWang": 14}, WANG)
    await day.work()
    assert A_DAY_EACH == 10
    assert sorted(await day.asked()) == [f"wm{n:02}" for n in range(1, 11)]
    assert await day.asked(WANG) == ["wmWang"], "each manager has ten of his own"


async def test_a_restart_does_not_begin_to_count_anew(day: Day) -> None:
    await day.know({f"wm{n:02}": n % 15 for n in range(25)})
    await day.work()
    day.start()
    await day.work()
    assert len(await day.asked()) == A_DAY_EACH
    day.clock.advance(days=1)
    day.start()
    await day.work()
    assert len(await day.asked()) == 2 * A_DAY_EACH, "the next day has ten more"


async def test_a_large_deposit_is_asked_about_once(day: Day) -> None:
    await day.know({"wmRich": 90})
    await day.deposit("wmRich", MORNING - timedelta(hours=1))
    await day.work()
    assert await day.asked() == ["wmRich"]
    async with day.database.read() as tx:
        (lead,) = await tx.leads.all()
    assert (lead.need, lead.origin, lead.evidence[0].source) == (
        Need.WEALTH,
        "behaviour",
        "大额入金",
    )
    day.start()
    await day.work()
    assert await day.asked() == ["wmRich"]


async def test_a_deposit_goes_before_the_days_and_counts_among_the_ten(day: Day) -> None:
    await day.know({f"wm{n:02}": n + 1 for n in range(A_DAY_EACH)} | {"wmRich": 90})
    await day.deposit("wmRich", MORNING - timedelta(hours=1))
    await day.work()
    assert set(await day.asked()) == {"wmRich", *(f"wm{n:02}" for n in range(A_DAY_EACH - 1))}
    day.clock.advance(days=1)
    await day.work()
    assert f"wm{A_DAY_EACH - 1:02}" in await day.asked()


async def test_a_deposit_that_found_no_room_is_not_forgotten(day: Day) -> None:
    rich = [f"wm{n:02}" for n in range(A_DAY_EACH + 1)]
    await day.know(dict.fromkeys(rich, 90))
    for who in rich:
        await day.deposit(who, MORNING - timedelta(hours=1))
    await day.work()
    assert await day.asked() == rich[:A_DAY_EACH]
    since = MORNING - timedelta(days=2)
    late = CustomerId(rich[-1])
    async with day.database.read() as tx:
        assert await tx.lead_signals.of(late, Need.WEALTH, "", since) == []
    day.clock.advance(days=1)
    await day.work()
    async with day.database.read() as tx:
        assert await tx.lead_signals.of(late, Need.WEALTH, "", since), "it counts with what comes"


async def test_old_money_nobodys_customer_and_the_night_are_left_alone(day: Day) -> None:
    await day.know({"wmRich": 90})
    await day.deposit("wmRich", MORNING - timedelta(days=5))
    await day.deposit("wmStranger", MORNING)
    await day.work()
    assert await day.asked() == []
    await day.know({"wmSoon": 3})
    day.clock.advance(hours=10)
    await day.work()
    assert await day.asked() == [], "nobody is asked at eight in the evening"
