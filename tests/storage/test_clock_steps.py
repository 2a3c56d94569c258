"""After a clock was put back, what is to be done at once does not wait for the old time."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.delivery import Terms
from bot.storage.clock_steps import pull_back, was_put_back
from bot.storage.db import Database
from tests.make import NOON, SECOND, arrival, reply

HOUR = timedelta(hours=1)
ANSWER = Terms(purpose="answer")


async def test_what_came_at_a_later_moment_is_due_at_once(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival("a")], NOON)
        await tx.outbox.put("b", reply(), ANSWER, NOON)
    now = NOON - HOUR
    async with database.begin() as tx:
        assert await pull_back(tx.connection, now) == 2
        assert [item.key for item in await tx.inbox.claim_events(now)] == ["a"]
        assert [item.key for item in await tx.outbox.claim(now, urgent=True)] == ["b"]


async def test_what_has_an_hour_of_its_own_keeps_it(database: Database) -> None:
    async with database.begin() as tx:
        await tx.outbox.put("later", reply(), ANSWER, NOON - HOUR, due_at=NOON + 5 * SECOND)
        await tx.inbox.add_events([arrival("a")], NOON)
        [claimed] = await tx.inbox.claim_events(NOON)
        assert await pull_back(tx.connection, NOON) == 0
        assert await pull_back(tx.connection, NOON - HOUR) == 1, "the reply, not what is in hand"
        assert await tx.inbox.finish_event(claimed)


def test_a_clock_that_trembles_was_not_put_back() -> None:
    assert not was_put_back(NOON, NOON - timedelta(milliseconds=300))
    assert was_put_back(NOON, NOON - 2 * SECOND)
