"""What became of a mass-send task whose answer was lost: asked of WeCom, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.doubt import MadeTask
from bot.domain.mass_messages import Moment, Task, sender_of
from bot.errors import Retryable
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.outbox import OutboxWorker
from bot.workers.reconcile import DoubtWorker
from tests.make import CHAT, MINUTE, NOON, OWNER, broadcast, event_reply, local
from tests.runs import a_run
from tests.workers.line import Line, Lost, put, state, work

KEY = "sop:1:d02:1"
ALIKE = MadeTask(msgid="msg-1", text="今天讲防骗")


class Lists:
    """WeCom's lists, as a test writes them."""

    def __init__(self) -> None:
        self.made: list[MadeTask] = []
        self.owners: dict[str, str] = {"msg-1": OWNER}
        self.reached = frozenset({str(CHAT)})
        self.down = False
        self.asked: list[tuple[datetime, datetime]] = []

    async def between(
        self, message: Task | Moment, start: datetime, end: datetime
    ) -> Sequence[MadeTask]:
        self.asked.append((start, end))
        if self.down:
            raise Retryable("down")
        return self.made

    async def receivers(self, made: str, message: Task | Moment) -> frozenset[str]:
        return self.reached if self.owners[made] == sender_of(message) else frozenset()


@pytest.fixture
def lists() -> Lists:
    return Lists()


@pytest.fixture
def doubts(database: Database, content: Content, clock: FakeClock, lists: Lists) -> DoubtWorker:
    return DoubtWorker(database, lists, content, clock)


async def a_step(database: Database) -> Terms:
    """Give a run whose step is in the outbox."""
    async with database.begin() as tx:
        run, step = await a_run(tx, "queued")
    return Terms(
        purpose="control",
        subject=CHAT,
        enrolment=run,
        run_step=step,
        step="d02",
        closes_at=local("18:00"),
    )


@pytest.fixture
async def in_doubt(database: Database, worker: OutboxWorker, line: Line, clock: FakeClock) -> Terms:
    """Lose the answer of a task's call; the sender then finds the row half sent."""
    terms = await a_step(database)
    line.outcomes = [Lost("timeout")]
    await put(database, KEY, broadcast(), terms)
    await work(worker)
    clock.advance(seconds=10)
    await work(worker)
    assert await state(database, KEY) == ("unknown", "in_doubt")
    return terms


async def look(doubts: DoubtWorker, clock: FakeClock, minutes: float) -> None:
    """Let time go by, minute by minute, looking whenever a look is due."""
    for _ in range(int(minutes)):
        clock.advance(minutes=1)
        await doubts.step()


async def step_state(database: Database, terms: Terms) -> tuple[str, str]:
    async with database.read() as tx:
        step = await tx.runs.step(terms.run_step or 0)
    return step.state, step.reason


async def test_a_task_that_was_made_goes_on_as_if_it_had_been_answered(
    database: Database, in_doubt: Terms, doubts: DoubtWorker, lists: Lists, clock: FakeClock
) -> None:
    assert await step_state(database, in_doubt) == ("queued", "")
    lists.made = [ALIKE]
    await look(doubts, clock, 2)
    async with database.read() as tx:
        assert await tx.outbox.state_of(KEY) == ("sent", "", "msg-1")
        (task,) = await tx.runs.waiting_tasks()
        assert (task.msgid, task.owner, task.chat) == ("msg-1", OWNER, CHAT)
        assert await tx.ledger.count("doubt_cleared") == 1
    assert (await step_state(database, in_doubt))[0] == "waiting"
    start, end = lists.asked[0]
    assert start <= NOON <= end


async def test_a_task_is_known_by_its_groups_whatever_it_is_counted_for(
    database: Database,
    worker: OutboxWorker,
    line: Line,
    doubts: DoubtWorker,
    lists: Lists,
    clock: FakeClock,
) -> None:
    terms = (await a_step(database)).model_copy(update={"subject": "campaign"})
    line.outcomes = [Lost("timeout")]
    await put(database, KEY, broadcast(), terms)
    await work(worker)
    clock.advance(seconds=10)
    await work(worker)
    lists.made = [ALIKE]
    await look(doubts, clock, 2)
    assert (await state(database, KEY))[0] == "sent"


async def test_a_task_of_another_owner_with_the_same_words_is_not_ours(
    database: Database, in_doubt: Terms, doubts: DoubtWorker, lists: Lists, clock: FakeClock
) -> None:
    lists.made, lists.owners = [ALIKE], {"msg-1": "wang.haoran"}
    await look(doubts, clock, 2)
    assert (await state(database, KEY))[0] == "unknown"


async def test_a_task_that_another_message_of_ours_made_is_not_taken_twice(
    database: Database, in_doubt: Terms, doubts: DoubtWorker, lists: Lists, clock: FakeClock
) -> None:
    async with database.begin() as tx:
        await tx.outbox.put("sop:1:d01:1", broadcast(), Terms(purpose="control"), NOON)
        (other,) = await tx.outbox.claim(clock.now(), urgent=False)
        await tx.outbox.settle(other.id, other.attempt, "sent", NOON, ref="msg-1")
    lists.made = [ALIKE]
    await look(doubts, clock, 2)
    assert (await state(database, KEY))[0] == "unknown"


async def test_a_task_that_is_proved_absent_twice_is_made_once_more(
    database: Database,
    in_doubt: Terms,
    worker: OutboxWorker,
    doubts: DoubtWorker,
    line: Line,
    lists: Lists,
    clock: FakeClock,
) -> None:
    await look(doubts, clock, 3)
    assert (await state(database, KEY))[0] == "unknown"
    await look(doubts, clock, 12)
    assert await state(database, KEY) == ("ready", "not_made")
    await work(worker)
    assert line.sent == [(KEY, False), (KEY, False)]
    assert (await state(database, KEY))[0] == "sent"
    assert (await step_state(database, in_doubt))[0] == "waiting"


async def test_while_the_lists_cannot_be_read_nothing_is_sent_and_then_people_decide(
    database: Database,
    in_doubt: Terms,
    worker: OutboxWorker,
    doubts: DoubtWorker,
    line: Line,
    lists: Lists,
    clock: FakeClock,
) -> None:
    lists.down = True
    await look(doubts, clock, 7 * 60)
    await work(worker)
    assert len(line.sent) == 1
    assert (await state(database, KEY))[0] == "unknown"
    assert await step_state(database, in_doubt) == ("failed", "in_doubt")
    async with database.read() as tx:
        assert await tx.next_due(["doubts"]) is None


async def test_a_task_in_doubt_whose_window_is_over_is_not_made_again(
    database: Database,
    worker: OutboxWorker,
    doubts: DoubtWorker,
    line: Line,
    clock: FakeClock,
) -> None:
    terms = await a_step(database)
    closing = terms.model_copy(update={"closes_at": NOON + 5 * MINUTE})
    line.outcomes = [Lost("timeout")]
    await put(database, KEY, broadcast(), closing)
    await work(worker)
    clock.advance(seconds=10)
    await work(worker)
    await look(doubts, clock, 15)
    await work(worker)
    assert len(line.sent) == 1
    assert await state(database, KEY) == ("skipped", "window_missed")


async def test_other_messages_in_doubt_are_listed_and_not_asked_after(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.outcomes = [Lost("timeout")]
    await put(database, "hello", event_reply(), Terms(purpose="control"))
    await work(worker)
    clock.advance(minutes=5)
    await work(worker)
    assert (await state(database, "hello"))[0] == "unknown"
    async with database.read() as tx:
        assert await tx.next_due(["doubts"]) is None
