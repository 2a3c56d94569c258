"""The emergency stop at the sender: what waits, what goes on, and what follows when it is over."""

from __future__ import annotations

import pytest

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.messages import SWITCH_OF, BroadcastCancel, Outbound, Receipt
from bot.storage.db import Database
from bot.storage.outbox import STOPPED
from bot.workers.content import Content
from bot.workers.loop import one_by_one
from bot.workers.outbox import OutboxWorker
from tests.make import (
    ACCOUNT,
    CUSTOMER,
    MINUTE,
    NOON,
    answer_terms,
    broadcast,
    event_reply,
    handover,
    reply,
    staff_card,
    staff_terms,
)
from tests.workers.line import Line, put, state, work

CONTROL = Terms(purpose="control", subject="x")
OVER = Terms(purpose="handover", subject=CUSTOMER, account=ACCOUNT)


@pytest.fixture(autouse=True)
async def a_session(database: Database) -> None:
    async with database.begin() as tx:
        await tx.conversations.ensure(CUSTOMER, ACCOUNT)
        await tx.conversations.change(CUSTOMER, ACCOUNT, last_customer_at=NOON)


async def stop(database: Database, *planes: str) -> None:
    async with database.begin() as tx:
        for plane in planes or ("kf", "sop"):
            await tx.switches.stop(plane, "王芳", NOON)


async def resume(database: Database, clock: FakeClock, *planes: str) -> None:
    async with database.begin() as tx:
        for plane in planes or ("kf", "sop"):
            await tx.switches.resume(plane)
            kinds = [kind for kind, name in SWITCH_OF.items() if name == plane]
            await tx.outbox.wake(STOPPED, kinds, clock.now())


async def test_what_goes_to_customers_waits_and_people_can_work_on(
    database: Database, worker: OutboxWorker, line: Line
) -> None:
    await stop(database)
    await put(database, "answer", reply(), answer_terms())
    await put(database, "over", handover(CUSTOMER), OVER)  # behind the answer in its lane
    await put(database, "hello", event_reply(), CONTROL)
    await put(database, "task", broadcast(), CONTROL)
    await put(database, "card", staff_card(), staff_terms())
    await put(database, "cancel", BroadcastCancel(task="m1"), CONTROL)
    for _ in range(3):
        await work(worker)
    assert sorted(line.kinds) == ["broadcast_cancel", "kf_handover", "staff_card"]
    for key in ("answer", "hello", "task"):
        assert await state(database, key) == ("ready", STOPPED)


@pytest.mark.parametrize(("plane", "left"), [("kf", ["broadcast"]), ("sop", ["kf_reply"])])
async def test_one_plane_can_be_stopped_alone(
    database: Database, worker: OutboxWorker, line: Line, plane: str, left: list[str]
) -> None:
    await stop(database, plane)
    await put(database, "answer", reply(), answer_terms())
    await put(database, "task", broadcast(), CONTROL)
    await work(worker)
    assert line.kinds == left


async def test_a_stop_between_claim_and_call_still_holds_the_message_back(
    database: Database, content: Content, clock: FakeClock
) -> None:
    class Stopping(Line):
        """Is stopped by somebody while the first of its calls is under way."""

        async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
            if not self.sent:
                await stop(database, "kf")
            return await super().send(key, message, repeated=repeated)

    line = Stopping()
    worker = OutboxWorker(database, {"kf": line, "app": line}, content, clock, manner=one_by_one)
    await put(database, "first", event_reply(), CONTROL)
    await put(database, "answer", reply(), answer_terms())
    assert await worker.step() == 2  # claimed and judged together
    assert line.sent == [("first", False)]
    await work(worker)
    assert await state(database, "answer") == ("ready", STOPPED)
    await resume(database, clock)
    await work(worker)
    assert line.sent == [("first", False), ("answer", False)]


async def test_a_stop_while_pictures_are_uploaded_holds_the_task_back_and_leaves_no_doubt(
    database: Database, content: Content, clock: FakeClock
) -> None:
    class Uploading(Line):
        """Stumbles over the first upload, and is stopped by somebody during the second."""

        uploads = 0

        async def prepare(self, message: Outbound) -> None:
            self.uploads += 1
            if self.uploads == 1:
                raise RuntimeError("half way")
            if self.uploads == 2:
                await stop(database, "sop")

    line = Uploading()
    worker = OutboxWorker(database, {"contact": line}, content, clock)
    await put(database, "task", broadcast(), CONTROL)
    await work(worker)
    assert await state(database, "task") == ("ready", "RuntimeError")
    clock.advance(minutes=1)
    await work(worker)
    await work(worker)
    assert await state(database, "task") == ("ready", STOPPED)
    await resume(database, clock)
    await work(worker)
    assert line.sent == [("task", False)]


async def test_what_waited_leaves_once_and_what_missed_its_window_does_not(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    await stop(database)
    closing = CONTROL.model_copy(update={"closes_at": NOON + 30 * MINUTE})
    await put(database, "late", broadcast("早"), closing)
    await put(database, "task", broadcast("晚"), CONTROL)
    await put(database, "answer", reply(), answer_terms())
    for _ in range(6):
        await work(worker)
        clock.advance(minutes=9)
    assert line.sent == []
    await resume(database, clock)
    for _ in range(3):
        await work(worker)
    assert sorted(line.sent) == [("answer", False), ("task", False)]
    assert await state(database, "late") == ("skipped", "window_missed")


@pytest.mark.parametrize(("minutes", "ends"), [(5, "sent"), (15, "skipped")])
async def test_an_old_answer_is_dropped_where_a_person_has_answered_meanwhile(
    database: Database, worker: OutboxWorker, clock: FakeClock, minutes: int, ends: str
) -> None:
    await stop(database)
    await put(database, "answer", reply(), answer_terms())
    await work(worker)
    async with database.begin() as tx:  # a person spoke, and the customer wrote again
        await tx.ledger.add("person_spoke", CUSTOMER, NOON + MINUTE, by="li.min")
        await tx.conversations.change(CUSTOMER, ACCOUNT, last_customer_at=NOON + 2 * MINUTE)
    clock.advance(minutes=minutes)
    await resume(database, clock)
    await work(worker)
    found = await state(database, "answer")
    assert found[0] == ends
    assert (found[1] == "taken_by_person") is (ends == "skipped")


async def test_a_stop_outlives_the_process(
    database: Database, content: Content, line: Line, clock: FakeClock
) -> None:
    await stop(database)
    await put(database, "answer", reply(), answer_terms())
    for _ in range(2):  # each a sender of its own
        await work(OutboxWorker(database, {"kf": line}, content, clock))
    assert line.sent == []
