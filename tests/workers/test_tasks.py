"""A mass-send task whose end nobody can learn becomes a dead letter that people can look at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import FakeClock
from bot.domain.polling import Answer, Status
from bot.errors import Retryable
from bot.storage.db import Database
from bot.storage.mending import Mending
from bot.storage.stuck import Letters
from bot.workers.content import Content
from bot.workers.tasks import TaskWorker
from tests.make import CHAT, NOON, OWNER
from tests.runs import a_run


class Results:
    """Answers as it is told to, for every task alike."""

    def __init__(self, outcome: Exception | Answer) -> None:
        self.outcome = outcome
        self.asked = 0

    async def all(self, msgid: str, owner: str) -> dict[str, Answer]:
        self.asked += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return {CHAT: self.outcome}


async def a_waiting_task(database: Database) -> int:
    """Give a task whose window closes an hour from now; return its step."""
    async with database.begin() as tx:
        _, step = await a_run(tx, "waiting")
        await tx.runs.add_task(
            {
                "msgid": "m1",
                "run_step": step,
                "owner": OWNER,
                "chat": CHAT,
                "created_at": NOON,
                "closes_at": NOON + timedelta(hours=1),
                "due_at": NOON,
            }
        )
    return step


@pytest.mark.parametrize("error", [Retryable("wecom_-1"), IndexError("of our own")])
async def test_a_day_after_its_window_it_is_a_dead_letter_and_can_be_asked_after_again(
    database: Database, content: Content, clock: FakeClock, error: Exception
) -> None:
    step = await a_waiting_task(database)
    results = Results(error)
    worker = TaskWorker(database, results, content, clock)
    await worker.step()
    async with database.read() as tx:
        assert await tx.next_due(["send_tasks"]) is not None  # asked again, soon
    clock.advance(hours=26)
    await worker.step()
    async with database.begin() as tx:
        assert await tx.next_due(["send_tasks"]) is None
        found = await tx.runs.step(step)
        assert (found.state, found.reason) == ("failed", "in_doubt")
        (letter,) = await Letters(tx.connection).find(["send_tasks"], ["dead"], 9)
        assert letter.reason in ("wecom_-1", "IndexError")
        assert await Mending(tx.connection).retry(letter, "王芳", clock.now())
    asked = results.asked
    results.outcome = Answer(Status.SENT)
    await worker.step()
    assert results.asked == asked + 1
    async with database.read() as tx:
        assert await Letters(tx.connection).find(["send_tasks"], ["dead"], 9) == []
