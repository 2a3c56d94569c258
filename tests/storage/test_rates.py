"""Reading is paced over all processes, by blocks of tokens from one row; refusals are shared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from bot.clock import FakeClock
from bot.domain.pace import SENDING_APIS
from bot.errors import Retryable
from bot.storage.db import Database
from bot.storage.rates import SharedRates
from bot.storage.tables import buckets
from bot.storage.tokens import DatabaseTokens
from tests.make import NOON

BURST = 4_000
API, ANSWERING = "externalcontact/groupchat/list", "kf/sync_msg"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
async def other(url: str, database: Database) -> AsyncIterator[Database]:
    """Open the database as a second process does."""
    opened = await Database.open(url, durable=False)
    yield opened
    await opened.close()


async def taken(rates: SharedRates, api: str, most: int) -> int:
    """Call until there is no room; return how many calls there was room for."""
    for count in range(most):
        try:
            await rates.take(api)
        except Retryable:
            return count
    return most


async def test_a_hundred_calls_cost_one_write(database: Database, clock: FakeClock) -> None:
    commits: list[object] = []
    rates = SharedRates(database, clock)
    event.listen(database.engine.sync_engine, "commit", lambda _: commits.append(1))
    await asyncio.gather(*(rates.take(API) for _ in range(100)))
    assert len(commits) == 1
    await rates.take(API)
    assert len(commits) == 2


async def test_all_processes_together_stay_within_the_limit_and_leave_the_reserve(
    database: Database, other: Database, clock: FakeClock
) -> None:
    mine, theirs = SharedRates(database, clock), SharedRates(other, clock)
    calls = await asyncio.gather(taken(mine, API, BURST), taken(theirs, API, BURST))
    assert sum(calls) == BURST * 0.8
    assert await taken(mine, ANSWERING, 2 * BURST) == BURST, "what answers need may use it all"
    clock.advance(seconds=10)
    assert await taken(mine, API, BURST) == 400


async def test_an_api_that_one_process_was_refused_rests_in_all_of_them(
    database: Database, other: Database, clock: FakeClock
) -> None:
    mine, theirs = SharedRates(database, clock), SharedRates(other, clock)
    await theirs.take(API)
    await mine.refused(API)
    with pytest.raises(Retryable) as resting:
        await mine.take(API)
    assert (resting.value.reason, resting.value.after) == ("wecom_45009", 60.0)
    clock.advance(seconds=10)  # the tokens in hand are good for no longer
    with pytest.raises(Retryable) as resting:
        await theirs.take(API)
    assert resting.value.after == 50.0
    await theirs.take(ANSWERING)
    clock.advance(seconds=51 + 30)  # it opens empty, and the reserve fills first
    await theirs.take(API)
    await mine.take(API)


async def test_an_api_refused_again_rests_longer(database: Database, clock: FakeClock) -> None:
    rates = SharedRates(database, clock)
    await rates.refused(API)
    clock.advance(seconds=61)
    await rates.refused(API)
    with pytest.raises(Retryable) as resting:
        await rates.take(API)
    assert resting.value.after == 600.0


async def test_what_the_outbox_counts_is_not_counted_twice(
    database: Database, clock: FakeClock
) -> None:
    rates = SharedRates(database, clock, SENDING_APIS)
    for api in SENDING_APIS:
        await rates.refused(api)
        await rates.take(api)
    async with database.begin() as tx:
        result = await tx.connection.execute(update(buckets).values(strikes=0))
        assert result.rowcount == 0


async def test_one_process_asks_for_a_token_and_a_dead_one_is_not_waited_for(
    database: Database, other: Database, clock: FakeClock
) -> None:
    mine, theirs = DatabaseTokens(database, clock), DatabaseTokens(other, clock)
    assert await mine.claim("ww1:abc")
    assert not await theirs.claim("ww1:abc")
    assert await theirs.claim("ww1:of another secret")
    await mine.release("ww1:abc")
    assert await theirs.claim("ww1:abc")
    clock.advance(seconds=16)  # it died in the middle
    assert await mine.claim("ww1:abc")
    assert clock.now() - NOON < timedelta(minutes=1)
