"""Many groups or customers in one call: who is in it, what it costs, and what is never merged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.doubt import MadeTask
from bot.domain.ids import CustomerId, GroupChatId
from bot.domain.mass_messages import (
    Broadcast,
    CustomerBroadcast,
    Moment,
    Task,
    receivers_of,
    sender_of,
)
from bot.domain.messages import Outbound, Receipt, Text
from bot.domain.pace import paces_for
from bot.errors import Undeliverable
from bot.storage.db import Database
from bot.storage.letters import GATHERED_FOR, seal
from bot.storage.tables import buckets, outbox, send_tasks
from bot.workers.content import Content
from bot.workers.outbox import OutboxWorker
from bot.workers.reconcile import DoubtWorker
from tests.make import NOON, OWNER, local, new_step
from tests.workers.line import Line, Lost, work

HELLO, CLOSES = (Text(text="今天讲防骗"),), local("18:00")


class Window(Line):
    """A line that notes whom each task is for and refuses whom it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached: list[tuple[str, ...]] = []
        self.bad: set[str] = set()
        self.leaves_out: tuple[str, ...] = ()

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        to = receivers_of(message) if isinstance(message, Broadcast | CustomerBroadcast) else ()
        if self.bad.intersection(to):
            raise Undeliverable("wecom_40096")
        receipt = await super().send(key, message, repeated=repeated)
        self.reached.append(to)
        return receipt.model_copy(update={"failed": self.leaves_out})


@pytest.fixture
def line() -> Window:
    return Window()


async def plan(
    database: Database, subjects: Sequence[str], text: str = "今天讲防骗", *, owner: str = OWNER
) -> list[str]:
    """Give each a run whose step is in the outbox, as a batch of runs is written."""
    keys = []
    async with database.begin() as tx:
        letters = []
        for subject in subjects:
            run = await tx.runs.enrol(
                script="senior-21d",
                version="1",
                subject=subject,
                owner=owner,
                branch="",
                anchor=date(2026, 10, 11),
                state="running",
                now=NOON,
            )
            assert run is not None
            await tx.runs.add_steps(run, [new_step("d02")], NOON)
            (step,) = await tx.runs.steps(run)
            await tx.runs.set_step(step.id, NOON, state="queued", iteration=1)
            message, terms = task_to(subject, text), terms_of(subject, run, step.id)
            keys.append(f"sop:{run}:d02:1")
            letters.append(seal(keys[-1], message, terms))
        await tx.planning.send(letters, NOON)
    return keys


def task_to(subject: str, text: str) -> Task:
    contents = (Text(text=text),)
    if subject.startswith("wm"):
        return CustomerBroadcast(manager=OWNER, customers=(CustomerId(subject),), contents=contents)
    return Broadcast(owner=OWNER, chats=(GroupChatId(subject),), contents=contents)


def terms_of(subject: str, run: int, step: int) -> Terms:
    # Not judged by the gate: what a step is judged by has tests of its own.
    return Terms(
        purpose="control",
        subject=subject,
        enrolment=run,
        run_step=step,
        step="d02",
        closes_at=CLOSES,
    )


async def states(database: Database) -> dict[str, str]:
    async with database.read() as tx:
        rows = await tx.connection.execute(select(outbox.c.key, outbox.c.state))
        return {row.key: row.state for row in rows if row.key.startswith("sop:")}


async def steps(database: Database) -> set[str]:
    async with database.read() as tx:
        return {step.state for step in await tx.runs.all_steps("senior-21d")}


@pytest.mark.parametrize("kind", ["wr", "wm"])
async def test_one_call_is_made_for_all_who_get_the_same_and_each_has_its_task(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock, kind: str
) -> None:
    subjects = [f"{kind}{number:03}" for number in range(60)]
    keys = await plan(database, subjects)
    assert await work(worker) == 0  # not before the wave is written
    clock.advance(seconds=GATHERED_FOR.total_seconds())
    await work(worker)
    assert [sorted(to) for to in line.reached] == [subjects]
    assert set((await states(database)).values()) == {"sent"}
    assert await steps(database) == {"waiting"}
    async with database.read() as tx:
        tasks = (await tx.connection.execute(select(send_tasks))).all()
        controls = await tx.outbox.counts()
        tokens = await tx.connection.execute(
            select(buckets.c.tokens).where(buckets.c.name == "externalcontact/add_msg_template")
        )
    assert {task.msgid for task in tasks} == {f"ref-{keys[0]}"}
    assert sorted(task.chat for task in tasks) == subjects
    assert {task.subject_kind for task in tasks} == {"group" if kind == "wr" else "customer"}
    assert controls["ready"] <= 3  # one cancel and its reminders, not sixty
    assert tokens.scalar_one() == 499


async def test_other_words_are_another_call(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock
) -> None:
    await plan(database, ["wrA", "wrB"])
    await plan(database, ["wrC"], "别的话")
    clock.advance(minutes=1)
    await work(worker)
    assert sorted(map(sorted, line.reached)) == [["wrA", "wrB"], ["wrC"]]


async def test_whom_wecom_leaves_out_is_a_failed_step_and_the_others_wait(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock
) -> None:
    line.leaves_out = ("wrB",)
    await plan(database, ["wrA", "wrB", "wrC"])
    clock.advance(minutes=1)
    await work(worker)
    async with database.read() as tx:
        found = await tx.runs.outcomes()
        tasks = (await tx.connection.execute(select(send_tasks.c.chat))).scalars().all()
    assert found == {("waiting", ""): 2, ("failed", "refused_by_wecom"): 1}
    assert sorted(tasks) == ["wrA", "wrC"]


async def test_one_bad_receiver_fails_alone(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock
) -> None:
    subjects = [f"wr{number:02}" for number in range(16)]
    line.bad = {"wr05"}
    await plan(database, subjects)
    clock.advance(minutes=1)
    for _ in range(8):
        await work(worker)
    assert sorted(one for to in line.reached for one in to) == sorted(set(subjects) - line.bad)
    assert len(line.reached) == 4  # halved again and again, not sixteen calls
    async with database.read() as tx:
        found = await tx.runs.outcomes()
    assert found == {("waiting", ""): 15, ("failed", "wecom_40096"): 1}


async def test_what_was_taken_back_meanwhile_is_not_in_the_call(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock
) -> None:
    keys = await plan(database, ["wrA", "wrB", "wrC"])
    async with database.begin() as tx:
        await tx.unsent.take_back([keys[1]], "run_ended", NOON)
    clock.advance(minutes=1)
    await work(worker)
    assert [sorted(to) for to in line.reached] == [["wrA", "wrC"]]


async def test_what_no_token_is_left_for_waits_whole_and_spends_no_try(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock
) -> None:
    await plan(database, ["wrA", "wrB"])
    clock.advance(minutes=1)
    async with database.begin() as tx:
        api = "externalcontact/add_msg_template"
        pace = paces_for(task_to("wrA", "您好"))[api]
        held = await tx.buckets.hold({api: pace}, clock.now())
        held[api].block(clock.now())
        await tx.buckets.save(held.values())
    await work(worker)
    assert line.reached == []
    async with database.read() as tx:
        rows = (await tx.connection.execute(select(outbox))).all()
    assert {(row.state, row.attempt, row.tried_at) for row in rows} == {("ready", 0, None)}
    clock.advance(minutes=2)
    await work(worker)
    assert [sorted(to) for to in line.reached] == [["wrA", "wrB"]]


class Lists:
    """WeCom's lists after a call whose answer was lost."""

    def __init__(self, *reached: str) -> None:
        self.reached = frozenset(reached)
        self.looks = 0

    async def between(
        self, message: Task | Moment, start: datetime, end: datetime
    ) -> Sequence[MadeTask]:
        self.looks += 1
        return [MadeTask(msgid="msg-1", text="今天讲防骗")] if self.reached else []

    async def receivers(self, made: str, message: Task | Moment) -> frozenset[str]:
        return self.reached if sender_of(message) == OWNER else frozenset()


async def in_doubt(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock, most: int = 5
) -> list[str]:
    line.outcomes = [Lost("timeout")]
    keys = await plan(database, [f"wr{number}" for number in range(most)])
    clock.advance(minutes=1)
    await work(worker)
    clock.advance(minutes=1)
    await work(worker)
    assert set((await states(database)).values()) == {"unknown"}
    return keys


async def test_a_lost_answer_puts_all_in_doubt_and_one_look_clears_all(
    database: Database,
    worker: OutboxWorker,
    line: Window,
    clock: FakeClock,
    content: Content,
) -> None:
    await in_doubt(database, worker, line, clock, 40)
    lists = Lists(*(f"wr{number}" for number in range(40)))
    doubts = DoubtWorker(database, lists, content, clock)
    clock.advance(minutes=3)
    assert await doubts.step() == 40
    assert lists.looks == 1
    assert set((await states(database)).values()) == {"sent"}
    assert await steps(database) == {"waiting"}
    async with database.read() as tx:
        tasks = (await tx.connection.execute(select(send_tasks))).all()
    assert len(tasks) == 40
    assert {task.msgid for task in tasks} == {"msg-1"}


async def test_who_is_not_in_the_listed_task_is_sent_again_and_nobody_else(
    database: Database,
    worker: OutboxWorker,
    line: Window,
    clock: FakeClock,
    content: Content,
) -> None:
    await in_doubt(database, worker, line, clock, 3)
    line.reached.clear()
    doubts = DoubtWorker(database, Lists("wr0", "wr2"), content, clock)
    for _ in range(6):
        clock.advance(minutes=3)
        await doubts.step()
    await work(worker)
    assert line.reached == [("wr1",)]
    assert set((await states(database)).values()) == {"sent"}


async def test_a_half_sent_row_never_joins_a_fresh_call(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock
) -> None:
    line.outcomes = [Lost("timeout")]
    await plan(database, ["wrA"])
    clock.advance(minutes=1)
    await work(worker)
    await plan(database, ["wrB"])
    clock.advance(minutes=1)
    await work(worker)
    assert line.reached == [("wrB",)]
    assert sorted((await states(database)).values()) == ["sent", "unknown"]


async def test_a_call_that_was_lost_with_its_process_is_in_doubt_together(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock
) -> None:
    await plan(database, ["wrA", "wrB", "wrC"])
    clock.advance(minutes=1)
    async with database.begin() as tx:  # claimed and marked, and then the power went
        (lead,) = await tx.outbox.claim(clock.now(), limit=1, urgent=False)
        others = await tx.parcels.join(lead, clock.now(), limit=100)
        await tx.parcels.mark_leaving([lead, *others], clock.now())
    assert len(others) == 2
    clock.advance(seconds=121)
    assert await work(worker) >= 1
    assert set((await states(database)).values()) == {"unknown"}
    assert line.reached == []


async def test_two_messages_to_one_group_are_two_calls(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock
) -> None:
    async with database.begin() as tx:
        for number in (1, 2):
            terms = Terms(purpose="control", subject="wrA", step="d02")
            await tx.outbox.put(f"sop:{number}", task_to("wrA", "您好"), terms, NOON)
    for _ in range(2):
        await work(worker)
    assert line.reached == [("wrA",), ("wrA",)]


async def test_at_most_two_thousand_are_in_a_call(
    database: Database, worker: OutboxWorker, line: Window, clock: FakeClock
) -> None:
    async with database.begin() as tx:
        letters = []
        for number in range(2100):
            subject = f"wr{number}"
            terms = Terms(purpose="control", subject=subject, step="d02")
            letters.append(seal(f"k{number}", task_to(subject, "您好"), terms))
        await tx.planning.send(letters, NOON - timedelta(minutes=1))
    await work(worker)
    await work(worker)
    assert sorted(len(to) for to in line.reached) == [100, 2000]
