"""The sender keeps WeCom's paces: nothing lost, no flood, nothing dropped in silence."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.events import Notice, Received
from bot.domain.messages import CHANNEL_OF, GroupWebhook, Outbound, Receipt
from bot.errors import Retryable
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.loop import one_by_one, run_until_idle
from bot.workers.outbox import OutboxWorker
from tests.make import NOON, OWNER, staff_text, tag_change
from tests.workers.line import Line, put, state, work

CONTROL = Terms(purpose="control", subject="x")
WAITING = 30


class Outage:
    """An API that is down for an hour and notes when each call comes."""

    name = "any"

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.back_at = NOON + timedelta(hours=1)
        self.calls: list[datetime] = []
        self.delivered: Counter[str] = Counter()

    def cursor_of(self, notice: Notice) -> str | None:
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        return Received()

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        self.calls.append(self._clock.now())
        if self._clock.now() < self.back_at:
            raise Retryable("no connection to WeCom", 5)
        self.delivered[key] += 1
        return Receipt(ref=key)


async def run_through(
    database: Database, worker: OutboxWorker, clock: FakeClock, end: datetime
) -> None:
    """Work on whatever is due and push the clock to what falls due next, up to ``end``."""
    while clock.now() < end:
        await run_until_idle([worker], database, clock)
        async with database.read() as tx:
            due = await tx.next_due(["outbox"])
        if due is None:
            return
        clock.jump(min(due, end))


def most_in_a_minute(calls: list[datetime]) -> int:
    most = first = 0
    for last, at in enumerate(calls):
        while calls[first] <= at - timedelta(minutes=1):
            first += 1
        most = max(most, last - first + 1)
    return most


async def test_an_api_that_was_down_for_an_hour_loses_nothing_and_is_not_flooded(
    database: Database, content: Content, clock: FakeClock
) -> None:
    outage = Outage(clock)
    channels = dict.fromkeys(CHANNEL_OF.values(), outage)
    worker = OutboxWorker(database, channels, content, clock, manner=one_by_one)
    async with database.begin() as tx:
        for number in range(WAITING):
            await tx.outbox.put(f"t{number}", GroupWebhook(text=str(number)), CONTROL, NOON)
    clock.advance(minutes=45)  # the tries before it were alike
    await run_through(database, worker, clock, NOON + timedelta(hours=3))
    assert outage.delivered == Counter({f"t{number}": 1 for number in range(WAITING)})
    assert most_in_a_minute(outage.calls) <= 20  # one robot's limit, tries that failed included
    back = [at for at in outage.calls if at >= outage.back_at]
    assert len(back) == WAITING
    assert max(Counter(back).values()) <= 10  # no more at one moment than the bucket holds
    assert back[-1] - outage.back_at < timedelta(minutes=30)


async def test_what_is_urgent_to_one_member_is_held_rather_than_lost_or_merged(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    urgent = Terms(purpose="staff", subject=OWNER, urgent=True)
    for number in range(60):
        await put(database, f"k{number}", staff_text(str(number)), urgent)
    sent_at: list[datetime] = []
    for _ in range(600):
        before = len(line.sent)
        await work(worker)
        sent_at += [clock.now()] * (len(line.sent) - before)
        clock.advance(seconds=1)
    assert most_in_a_minute(sent_at) <= 30  # wecom_protocol §1.2: more is dropped in silence
    assert sorted(line.sent) == sorted((f"k{number}", False) for number in range(60))


async def test_a_limit_that_is_broken_again_at_once_is_taken_for_a_longer_one(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.outcomes = [Retryable("wecom_45009", 60) for _ in range(3)]
    await put(database, "k", tag_change())
    tried = []
    for minute in range(90):
        before = len(line.sent)
        await work(worker)
        if len(line.sent) > before:
            tried.append(minute)
        clock.advance(seconds=60)
    assert len(tried) == 4
    assert tried[1] - tried[0] <= 2
    assert tried[2] - tried[1] >= 10
    assert tried[3] - tried[2] >= 60
    assert (await state(database, "k"))[0] == "sent"


async def test_too_many_at_once_is_tried_again_within_seconds_and_then_more_slowly(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.outcomes = [Retryable("wecom_45033", 5) for _ in range(4)]
    await put(database, "k", tag_change())
    tried: list[float] = []
    for tick in range(200):
        before = len(line.sent)
        await work(worker)
        if len(line.sent) > before:
            tried.append(tick / 4)
        clock.advance(milliseconds=250)
    pauses = [later - sooner for sooner, later in pairwise(tried)]
    assert len(pauses) == 4
    assert max(pauses[:3]) <= 3
    assert pauses[3] >= 5
    assert (await state(database, "k"))[0] == "sent"
