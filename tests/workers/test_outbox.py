"""The sender: what it asks, what it repeats, what it never repeats."""

from __future__ import annotations

import asyncio

import pytest

from bot.clock import FakeClock
from bot.domain.events import Notice, Received
from bot.domain.messages import CHANNEL_OF, Outbound, Receipt
from bot.errors import Retryable, Undeliverable
from bot.storage.db import Database
from bot.storage.work import MAX_ATTEMPTS
from bot.workers.content import Content
from bot.workers.outbox import OutboxWorker
from tests.make import (
    ACCOUNT,
    CUSTOMER,
    MINUTE,
    NOON,
    answer_terms,
    broadcast,
    local,
    reply,
    staff_terms,
    staff_text,
)


class Lost(Retryable):
    may_have_arrived = True


class Line:
    """A channel that notes what it is asked to send and answers as it is told to."""

    name = "any"

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[tuple[str, bool]] = []
        self.hold: asyncio.Event | None = None
        self.called = asyncio.Event()

    def cursor_of(self, notice: Notice) -> str | None:
        return None

    async def receive(self, notice: Notice, cursor: str) -> Received:
        return Received()

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        self.sent.append((key, repeated))
        self.called.set()
        if self.hold is not None:
            await self.hold.wait()
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        return Receipt(ref=f"ref-{key}")


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def worker(database: Database, content: Content, clock: FakeClock, line: Line) -> OutboxWorker:
    return OutboxWorker(database, dict.fromkeys(CHANNEL_OF.values(), line), content, clock)


async def put(database: Database, key: str = "k", message: Outbound | None = None) -> None:
    async with database.begin() as tx:
        await tx.outbox.put(key, message or staff_text(), staff_terms(), NOON)


async def state(database: Database, key: str = "k") -> tuple[str, str]:
    async with database.read() as tx:
        found = await tx.outbox.state_of(key)
    assert found is not None
    return found[0], found[1]


async def test_what_is_sent_has_its_ref(
    database: Database, worker: OutboxWorker, line: Line
) -> None:
    await put(database)
    assert await worker.step() == 1
    async with database.read() as tx:
        assert await tx.outbox.state_of("k") == ("sent", "", "ref-k")
    assert await worker.step() == 0
    assert line.sent == [("k", False)]


async def test_a_busy_line_is_tried_again_later_as_if_never_sent(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.outcomes = [Retryable("wecom_-1", 5)]
    await put(database)
    await worker.step()
    assert await state(database) == ("ready", "wecom_-1")
    clock.advance(seconds=4)
    assert await worker.step() == 0
    clock.advance(seconds=1)
    await worker.step()
    assert await state(database) == ("sent", "")
    assert line.sent == [("k", False), ("k", False)]


@pytest.mark.parametrize("error", [Lost("timeout"), RuntimeError("half way")])
async def test_in_doubt_what_folds_is_repeated_under_its_id_and_what_does_not_is_listed(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock, error: Exception
) -> None:
    line.outcomes = [error, error]
    await put(database, "text", staff_text())
    await put(database, "task", broadcast())
    await worker.step()
    for _ in range(5):
        clock.advance(minutes=5)
        await worker.step()
    assert sorted(line.sent) == [("task", False), ("text", False), ("text", True)]
    assert (await state(database, "text"))[0] == "sent"
    assert await state(database, "task") == ("unknown", "in_doubt")


async def test_a_refusal_ends_the_message_and_its_reason_is_kept(
    database: Database, worker: OutboxWorker, line: Line
) -> None:
    line.outcomes = [Undeliverable("wecom_40003")]
    await put(database)
    await worker.step()
    assert await state(database) == ("failed", "wecom_40003")
    async with database.read() as tx:
        assert await tx.ledger.count("message_failed") == 1


async def test_a_line_that_stays_down_is_given_up_after_some_tries(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.outcomes = [Retryable("down") for _ in range(3 * MAX_ATTEMPTS)]
    await put(database)
    for _ in range(3 * MAX_ATTEMPTS):
        await worker.step()
        clock.advance(hours=1)
    assert await state(database) == ("failed", "down")
    assert len(line.sent) == MAX_ATTEMPTS


async def test_a_limited_api_rests_for_everybody_and_costs_the_others_no_try(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.outcomes = [Retryable("wecom_45009", 60)]
    await put(database, "first")
    await worker.step()
    for number in range(3):
        await put(database, f"other{number}")
    for _ in range(40):
        clock.advance(seconds=1)
        await worker.step()
    assert line.sent == [("first", False)]
    clock.advance(seconds=30)
    await worker.step()
    assert len(line.sent) == 5
    assert {(await state(database, f"other{number}"))[0] for number in range(3)} == {"sent"}


async def test_a_slow_call_is_not_made_twice_while_its_lease_lives(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.hold = asyncio.Event()
    await put(database)
    first = asyncio.ensure_future(worker.step())
    await line.called.wait()
    clock.advance(seconds=100)
    assert await worker.step() == 0
    line.hold.set()
    assert await first == 1
    assert len(line.sent) == 1


async def test_the_gate_is_asked_when_it_is_time_not_when_it_was_planned(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    async with database.begin() as tx:
        await tx.conversations.customer_wrote(CUSTOMER, ACCOUNT, NOON, with_person=False)
        await tx.outbox.put("answer", reply(), answer_terms(), NOON)
        await tx.conversations.change(CUSTOMER, ACCOUNT, state=3)  # a person was quicker
    await worker.step()
    assert await state(database, "answer") == ("skipped", "person_has_session")
    assert line.sent == []


async def test_what_may_not_leave_yet_waits_without_spending_a_try(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    terms = staff_terms().model_copy(update={"opens_at": local("12:30")})
    async with database.begin() as tx:
        await tx.outbox.put("k", staff_text(), terms, NOON)
    assert await worker.step() == 1
    assert await state(database) == ("ready", "not_yet_due")
    async with database.read() as tx:
        assert await tx.next_due() == NOON + 30 * MINUTE
    clock.advance(minutes=30)
    async with database.begin() as tx:
        (envelope,) = await tx.outbox.claim(clock.now())
        assert envelope.attempt == 1
