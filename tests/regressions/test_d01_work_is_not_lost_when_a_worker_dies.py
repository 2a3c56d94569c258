"""D1: a peer acknowledged a piece of work before it was done, and lost it with the worker."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from bot.storage.db import Database
from bot.workers.events import EventWorker
from bot.workers.loop import Worker
from bot.workers.runs import RunWorker
from tests.journeys.town import Life
from tests.make import NOON, SECOND, arrival, local

DAY2 = "2026-10-13"


async def killed(worker: Worker, after: int) -> None:
    """Let a worker take up work, and kill it after so many turns of the loop."""
    step = asyncio.create_task(worker.step())
    for _ in range(after):
        await asyncio.sleep(0)
    step.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await step


def worker_of(life: Life, kind: type[Worker]) -> Worker:
    return next(worker for worker in life.demo.bot.workers if isinstance(worker, kind))


async def test_a_worker_that_dies_with_a_step_in_hand_leaves_it_to_fire_once(life: Life) -> None:
    await life.go_to("09:29", DAY2)
    life.demo.clock.jump(local("09:30:30", DAY2))
    for after in (1, 5, 20, 60, 200, 1000):
        await killed(worker_of(life, RunWorker), after)
    await life.demo.restart()
    await life.wait(0.5)  # by then the tasks of one owner are gathered
    assert [len(life.tasks(chat)) for chat in life.demo.town.groups] == [1, 1, 1]


@pytest.mark.parametrize("after", [1, 40])
async def test_a_worker_that_dies_with_a_question_in_hand_leaves_it_to_be_answered_once(
    life: Life, after: int
) -> None:
    life.world.kf.customer_says(life.account, life.visitor, "存折还能用吗")
    await life.world.callbacks.flush()
    life.new()
    for worker in life.demo.bot.workers[:1]:
        await worker.step()
    await killed(worker_of(life, EventWorker), after)
    await life.demo.restart()
    await life.wait(3)
    assert len(life.new("kf", life.visitor)) == 1


async def test_what_was_taken_and_never_finished_is_given_out_again(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival("e")], NOON)
        assert len(await tx.inbox.claim_events(NOON)) == 1
    # Here the process dies. Nothing was acknowledged, so nothing has to be put back.
    async with database.begin() as tx:
        assert await tx.inbox.claim_events(NOON + SECOND) == []
        due = await tx.next_due(["events"])
        assert due is not None
        (again,) = await tx.inbox.claim_events(due)
        assert await tx.inbox.finish_event(again)
        assert await tx.inbox.claim_events(due + SECOND) == []
