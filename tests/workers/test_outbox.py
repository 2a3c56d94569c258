"""The sender: what it asks, what it repeats, what it never repeats."""

from __future__ import annotations

import asyncio

import pytest

from bot.clock import FakeClock
from bot.errors import Retryable, Undeliverable
from bot.storage.db import Database
from bot.storage.work import MAX_ATTEMPTS
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
from tests.workers.line import Line, Lost, put, state, work


async def test_what_is_sent_has_its_ref(
    database: Database, worker: OutboxWorker, line: Line
) -> None:
    await put(database)
    assert await work(worker) == 1
    async with database.read() as tx:
        assert await tx.outbox.state_of("k") == ("sent", "", "ref-k")
    assert await work(worker) == 0
    assert line.sent == [("k", False)]


async def test_a_busy_line_is_tried_again_later_as_if_never_sent(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.outcomes = [Retryable("wecom_-1", 5)]
    await put(database)
    await work(worker)
    assert await state(database) == ("ready", "wecom_-1")
    clock.advance(seconds=4)
    assert await work(worker) == 0
    clock.advance(seconds=1)
    await work(worker)
    assert await state(database) == ("sent", "")
    assert line.sent == [("k", False), ("k", False)]


@pytest.mark.parametrize("error", [Lost("timeout"), RuntimeError("half way")])
async def test_in_doubt_what_folds_is_repeated_under_its_id_and_what_does_not_is_listed(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock, error: Exception
) -> None:
    line.outcomes = [error, error]
    await put(database, "text", staff_text())
    await put(database, "task", broadcast())
    await work(worker)
    for _ in range(5):
        clock.advance(minutes=5)
        await work(worker)
    assert sorted(line.sent) == [("task", False), ("text", False), ("text", True)]
    assert (await state(database, "text"))[0] == "sent"
    assert await state(database, "task") == ("unknown", "in_doubt")


async def test_a_refusal_ends_the_message_and_its_reason_is_kept(
    database: Database, worker: OutboxWorker, line: Line
) -> None:
    line.outcomes = [Undeliverable("wecom_40003")]
    await put(database)
    await work(worker)
    assert await state(database) == ("failed", "wecom_40003")
    async with database.read() as tx:
        assert await tx.ledger.count("message_failed") == 1


async def test_a_line_that_stays_down_is_given_up_after_some_tries(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.outcomes = [Retryable("down") for _ in range(3 * MAX_ATTEMPTS)]
    await put(database)
    for _ in range(3 * MAX_ATTEMPTS):
        await work(worker)
        clock.advance(hours=1)
    assert await state(database) == ("dead", "down")
    assert len(line.sent) == MAX_ATTEMPTS


async def test_a_limited_api_rests_for_everybody_and_costs_the_others_no_try(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.outcomes = [Retryable("wecom_45009", 60)]
    await put(database, "first")
    await work(worker)
    for number in range(3):
        await put(database, f"other{number}")
    for _ in range(40):
        clock.advance(seconds=1)
        await work(worker)
    assert line.sent == [("first", False)]
    clock.advance(seconds=30)
    await work(worker)
    assert len(line.sent) == 5
    assert {(await state(database, f"other{number}"))[0] for number in range(3)} == {"sent"}


async def test_a_slow_call_is_not_made_twice_while_its_lease_lives(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.hold = asyncio.Event()
    await put(database)
    assert await worker.step() == 1
    await line.called.wait()
    clock.advance(seconds=100)
    assert await worker.step() == 0
    line.hold.set()
    await worker.drain()
    assert len(line.sent) == 1
    assert (await state(database))[0] == "sent"


async def test_the_gate_is_asked_when_it_is_time_not_when_it_was_planned(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    async with database.begin() as tx:
        await tx.conversations.ensure(CUSTOMER, ACCOUNT)
        await tx.conversations.change(CUSTOMER, ACCOUNT, last_customer_at=NOON)
        await tx.outbox.put("answer", reply(), answer_terms(), NOON)
        await tx.conversations.change(CUSTOMER, ACCOUNT, state=3)  # a person was quicker
    await work(worker)
    assert await state(database, "answer") == ("skipped", "person_has_session")
    assert line.sent == []


async def test_what_may_not_leave_yet_waits_without_spending_a_try(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    terms = staff_terms().model_copy(update={"opens_at": local("12:30")})
    async with database.begin() as tx:
        await tx.outbox.put("k", staff_text(), terms, NOON)
    assert await work(worker) == 1
    assert await state(database) == ("ready", "not_yet_due")
    async with database.read() as tx:
        assert await tx.next_due() == NOON + 30 * MINUTE
    clock.advance(minutes=30)
    async with database.begin() as tx:
        (envelope,) = await tx.outbox.claim(clock.now(), urgent=False)
        assert envelope.attempt == 1
