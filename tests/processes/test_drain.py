"""A process that is told to stop ends what it has in hand; what it cannot end is free at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from bot.clock import SystemClock
from bot.front import listening
from bot.storage.db import Database
from bot.workers.loop import Worker, run_for_ever
from tests.make import notice
from tests.processes.conftest import Open
from tests.waiting import until


class Slow:
    """Takes one notice a step, and finishes it once it may."""

    watches = ("notices",)

    def __init__(self, database: Database, clock: SystemClock) -> None:
        self._database = database
        self._clock = clock
        self.may_finish = asyncio.Event()
        self.taken: list[str] = []
        self.finished: list[str] = []

    async def step(self) -> int:
        async with self._database.begin() as tx:
            claimed = await tx.inbox.claim_notices(self._clock.now(), limit=1)
        for item in claimed:
            self.taken.append(item.notice.key)
            await self.may_finish.wait()
            async with self._database.begin() as tx:
                assert await tx.inbox.finish_notice(item)
            self.finished.append(item.notice.key)
        return len(claimed)


@asynccontextmanager
async def working(
    worker: Worker, database: Database, clock: SystemClock, drain_s: float
) -> AsyncIterator[Callable[[], asyncio.Task[None]]]:
    """Run a worker; give what tells it to stop and returns its end."""
    stopping = asyncio.Event()
    running = asyncio.create_task(
        run_for_ever([worker], database, clock, stopping, drain_s=drain_s)
    )

    def stop() -> asyncio.Task[None]:
        stopping.set()
        return running

    yield stop
    stopping.set()
    await running


async def add(database: Database, clock: SystemClock, *keys: str) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice(key) for key in keys], clock.now())


async def test_what_is_in_hand_is_finished_and_nothing_more_is_taken(
    another: Open, clock: SystemClock
) -> None:
    database = await another()
    worker = Slow(database, clock)
    await add(database, clock, "a", "b")
    async with working(worker, database, clock, drain_s=10) as stop:
        await until(lambda: worker.taken == ["a"])
        ending = stop()
        worker.may_finish.set()
        await ending
    assert worker.finished == ["a"]
    async with database.begin() as tx:
        assert [item.notice.key for item in await tx.inbox.claim_notices(clock.now())] == ["b"]


async def test_what_does_not_end_in_time_is_free_for_the_next_process_at_once(
    another: Open, clock: SystemClock
) -> None:
    mine, following = await another(), await another()
    worker = Slow(mine, clock)
    await add(mine, clock, "a")
    async with working(worker, mine, clock, drain_s=0.05) as stop:
        await until(lambda: worker.taken == ["a"])
        await stop()
    async with following.begin() as tx:
        (item,) = await tx.inbox.claim_notices(clock.now())
        assert await tx.inbox.finish_notice(item)
    assert worker.finished == []


async def test_calls_that_a_step_left_going_are_waited_for(
    another: Open, clock: SystemClock
) -> None:
    class Sender:
        watches = ("notices",)
        drained = False

        async def step(self) -> int:
            return 0

        async def drain(self) -> None:
            await asyncio.sleep(0.01)
            self.drained = True

    sender = Sender()
    async with working(sender, await another(), clock, drain_s=5) as stop:
        await stop()
    assert sender.drained


async def test_the_listener_closes_only_after_it_has_answered_what_it_took() -> None:
    entered, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        entered.set()
        await may_answer.wait()
        return web.Response(text="stored")

    application = web.Application()
    application.add_routes([web.post("/", slow)])
    async with aiohttp.ClientSession() as session:

        async def post(address: str) -> str:
            async with session.post(address) as answer:
                return await answer.text()

        async with listening(application, "127.0.0.1", 0) as address:
            posting = asyncio.create_task(post(address))
            await entered.wait()
            asyncio.get_running_loop().call_later(0.05, may_answer.set)
        assert await posting == "stored"
        with pytest.raises(aiohttp.ClientConnectionError):
            await post(address)
