"""Events in hand side by side: one customer's slow answer is nobody else's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from bot.clock import FakeClock
from bot.domain.events import Arrival, MessageReceived
from bot.domain.ids import CustomerId
from bot.storage.db import Database
from bot.storage.inbox import ClaimedEvent
from bot.workers.events import EventWorker
from bot.workers.loop import run_for_ever, run_until_idle
from tests.make import ACCOUNT, NOON
from tests.waiting import until


class SlowTalk:
    """Works on messages; whoever is called slow takes until the gate opens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.gate = asyncio.Event()
        self.begun: list[str] = []
        self.done: list[str] = []

    async def message(self, claimed: ClaimedEvent, event: MessageReceived) -> None:
        self.begun.append(event.msgid)
        if event.customer.startswith("slow"):
            await self.gate.wait()
        async with self._database.begin() as tx:
            assert await tx.inbox.finish_event(claimed)
        self.done.append(event.msgid)


def worker(database: Database, talk: SlowTalk, clock: FakeClock) -> EventWorker:
    nobody: Any = (None,) * 7  # only messages come here
    talking: Any = talk
    return EventWorker(database, talking, *nobody, clock)


async def renewed(database: Database, clock: FakeClock) -> None:
    """Wait until the lease of the event in hand ends later than now."""
    news = database.listen()
    async with asyncio.timeout(10):
        while True:
            news.clear()
            async with database.read() as tx:
                if (await tx.due())["events"] > clock.now():
                    return
            await news.wait()


async def say(database: Database, *who: str) -> None:
    arrivals = [
        Arrival(
            key=f"{customer}:{number}",
            lane=f"kf:{customer}",
            event=MessageReceived(
                account=ACCOUNT, customer=CustomerId(customer), msgid=customer, sent_at=NOON
            ),
        )
        for number, customer in enumerate(who)
    ]
    async with database.begin() as tx:
        await tx.inbox.add_events(arrivals, NOON - timedelta(seconds=1))


async def test_a_slow_answer_holds_up_no_other_customer(
    database: Database, clock: FakeClock
) -> None:
    talk = SlowTalk(database)
    events, stopping = worker(database, talk, clock), asyncio.Event()
    running = asyncio.create_task(run_for_ever([events], database, clock, stopping))
    await say(database, "slow", "slow", *(f"quick{number}" for number in range(30)))
    await until(lambda: len(talk.done) == 30)
    await say(database, "later")
    await until(lambda: "later" in talk.done)
    assert talk.begun.count("slow") == 1  # the second of that lane waits for the first
    talk.gate.set()
    await until(lambda: talk.done.count("slow") == 2)
    stopping.set()
    await running


async def test_no_more_are_in_hand_than_there_are_slots_and_all_come_to_their_end(
    database: Database, clock: FakeClock
) -> None:
    talk = SlowTalk(database)
    events = worker(database, talk, clock)
    await say(database, *(f"slow{number}" for number in range(25)))
    assert await events.step() == 20
    await until(lambda: len(talk.begun) == 20)
    talk.gate.set()
    await events.drain()
    await run_until_idle([events], database, clock)
    assert len(talk.done) == 25


async def test_what_takes_longer_than_a_lease_is_not_begun_a_second_time(
    database: Database, clock: FakeClock
) -> None:
    talk = SlowTalk(database)
    events = worker(database, talk, clock)
    await say(database, "slow")
    assert await events.step() == 1
    for _ in range(5):
        clock.advance(seconds=90)
        await renewed(database, clock)
        assert await events.step() == 0
    talk.gate.set()
    await events.drain()
    clock.advance(hours=1)
    assert await events.step() == 0
    assert talk.begun == talk.done == ["slow"]


async def test_what_hangs_is_given_up_in_the_end(database: Database, clock: FakeClock) -> None:
    talk = SlowTalk(database)
    events = worker(database, talk, clock)
    await say(database, "slow")
    assert await events.step() == 1
    for _ in range(40):
        clock.advance(seconds=60)
        await asyncio.sleep(0.01)
    assert await events.step() == 1
    await until(lambda: talk.begun == ["slow", "slow"])
    talk.gate.set()
    await events.drain()
    assert talk.done == ["slow"]
