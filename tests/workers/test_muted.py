"""A person's word counts for what is already on its way: nothing is said beside or after it."""

from __future__ import annotations

import pytest

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.messages import Outbound, Receipt
from bot.domain.sessions import ENDED, NEW, PERSON, POOL
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.loop import one_by_one
from bot.workers.outbox import OutboxWorker
from tests.make import ACCOUNT, CUSTOMER, MINUTE, NOON, answer_terms, event_reply, reply
from tests.workers.line import Line, Lost, put, state, work


async def session_is(database: Database, number: int) -> None:
    async with database.begin() as tx:
        await tx.conversations.change(CUSTOMER, ACCOUNT, state=number)


@pytest.fixture(autouse=True)
async def a_session(database: Database) -> None:
    async with database.begin() as tx:
        await tx.conversations.ensure(CUSTOMER, ACCOUNT)
        await tx.conversations.change(CUSTOMER, ACCOUNT, last_customer_at=NOON)


async def test_a_person_who_takes_over_between_claim_and_call_is_not_talked_over(
    database: Database, content: Content, clock: FakeClock
) -> None:
    class Interrupted(Line):
        """A person takes the customer over while the first of its calls is under way."""

        async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
            await session_is(database, PERSON)
            return await super().send(key, message, repeated=repeated)

    line = Interrupted()
    worker = OutboxWorker(database, {"kf": line}, content, clock, manner=one_by_one)
    await put(database, "first", event_reply(), Terms(purpose="control", subject="x"))
    await put(database, "answer", reply(), answer_terms())
    assert await worker.step() == 2  # claimed and judged together
    await work(worker)
    assert line.sent == [("first", False)]
    assert await state(database, "answer") == ("skipped", "person_has_session")


@pytest.mark.parametrize("now_with", [PERSON, POOL])
async def test_an_answer_in_doubt_is_not_repeated_while_a_person_has_the_word(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock, now_with: int
) -> None:
    line.outcomes = [Lost("timeout")]
    await put(database, "answer", reply(), answer_terms())
    await work(worker)
    await session_is(database, now_with)
    clock.advance(minutes=5)
    await work(worker)
    assert line.sent == [("answer", False)]
    assert await state(database, "answer") == ("unknown", "in_doubt")


@pytest.mark.parametrize("spoken", [True, False])
async def test_an_answer_in_doubt_is_not_repeated_after_a_person_has_answered(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock, spoken: bool
) -> None:
    line.outcomes = [Lost("timeout")]
    await put(database, "answer", reply(), answer_terms())
    await work(worker)
    if spoken:
        async with database.begin() as tx:
            await tx.ledger.add("person_spoke", CUSTOMER, NOON + MINUTE, by="li.min")
    await session_is(database, ENDED)
    await session_is(database, NEW)  # the customer wrote again
    clock.advance(minutes=5)
    await work(worker)
    assert line.sent == [("answer", False)] + ([] if spoken else [("answer", True)])
    assert (await state(database, "answer"))[0] == ("unknown" if spoken else "sent")
