"""Runs workers: by hand until nothing is due, or for ever, woken by news and by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from bot.errors import DatabaseFailed
from bot.log import logger
from bot.ports import Clock
from bot.storage.clock_steps import pull_back, was_put_back
from bot.storage.db import Database
from bot.workers.complaints import Complaints, pause_after

log = logger(__name__)
_LONGEST_SLEEP = timedelta(seconds=1)  # other processes may put in work without waking us
_SLOW_S = 0.02  # a step that takes longer waits for somebody else: more can be done beside it


async def side_by_side(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do pieces of work together, so that a slow one holds up nobody else."""
    await asyncio.gather(*works)


async def one_by_one(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do pieces of work in their order, so that the same story plays the same way twice."""
    for work in works:
        await work


Manner = Callable[[Iterable[Coroutine[Any, Any, None]]], Awaitable[None]]


class Worker(Protocol):
    """Something that works on a batch at a time; with ``hands`` on so many batches side by side."""

    @property
    def watches(self) -> tuple[str, ...]:
        """Name the tables whose due rows this worker works on; none for one that keeps time."""

    async def step(self) -> int:
        """Work on one batch; return how many pieces it held."""


@runtime_checkable
class Draining(Protocol):
    """A worker whose steps leave something going when they have ended."""

    async def drain(self) -> None:
        """Return once nothing is going any more."""


async def run_until_idle(workers: Sequence[Worker], database: Database, clock: Clock) -> int:
    """Step every worker that has something due until none has; return the pieces worked on."""
    total = 0
    while True:
        await _mind_the_clock(database, clock.now())
        async with database.read() as tx:
            due = await tx.due()
        ready = _ready(due, clock.now())
        worked = 0
        for worker in workers:
            if not worker.watches or ready.intersection(worker.watches):
                worked += await worker.step()
                if isinstance(worker, Draining):
                    await worker.drain()
        total += worked
        if not worked:
            return total


async def run_for_ever(
    workers: Sequence[Worker],
    database: Database,
    clock: Clock,
    stopping: asyncio.Event,
    *,
    drain_s: float = 20.0,
) -> None:
    """Step each worker whenever something of its own is due, until told to stop.

    One look at the database after each commit serves all of them; each then works by itself, and
    an error stops none. What they have in hand when told to stop is worked to its end, for
    ``drain_s`` seconds at most; what is still in hand then is given back. Cancelled, it waits for
    nothing.
    """
    foreman = _Foreman(workers, database, clock)
    try:
        while not stopping.is_set():
            due = await foreman.call()
            await foreman.rest(due, stopping)
    finally:
        # Cancelled, nothing may be left going: it would open again what its caller closes.
        await foreman.dismiss(drain_s if stopping.is_set() else 0.0)


class _Foreman:
    """Calls the workers that have something to do, none into more steps than it has hands."""

    def __init__(self, workers: Sequence[Worker], database: Database, clock: Clock) -> None:
        self._workers = workers
        self._database = database
        self._clock = clock
        self._news = database.listen()
        self._at_work: dict[Worker, dict[asyncio.Task[None], float]] = {
            worker: {} for worker in workers
        }
        self._wanted_again: set[Worker] = set()
        self._looked_at = clock.now()
        self._mind_at = self._ask_time_at = 0.0
        self._put_off = False
        self._complaints = Complaints()

    async def call(self) -> dict[str, datetime]:
        """Set to work whoever has something due; return when the next piece falls due."""
        self._news.clear()
        try:
            await self._mind_the_clock()
            async with self._database.read() as tx:
                due = await tx.due()
        except Exception as error:
            self._complaints.note("due_not_read", error)
            return {}
        self._complaints.settled("due_not_read")
        self._looked_at = self._clock.now()
        ready = _ready(due, self._looked_at)
        times_turn = self._is_times_turn()
        for worker in self._workers:
            if worker.watches and not ready.intersection(worker.watches):
                continue
            if not (worker.watches or times_turn or worker in self._wanted_again):
                self._put_off = True
                continue
            if self._has_a_hand_free(worker):
                self._wanted_again.discard(worker)
                task = asyncio.create_task(self._work(worker))
                self._at_work[worker][task] = asyncio.get_running_loop().time()
            else:
                self._wanted_again.add(worker)
        return due

    def _is_times_turn(self) -> bool:
        """Tell whether to ask those who keep time: after every commit would be far too often."""
        time = asyncio.get_running_loop().time()
        self._put_off = False
        if time < self._ask_time_at:
            return False
        self._ask_time_at = time + _SLOW_S
        return True

    async def _mind_the_clock(self) -> None:
        """Look whether the clock was put back, once a second: mending is a commit, too."""
        time = asyncio.get_running_loop().time()
        if time >= self._mind_at:
            self._mind_at = time + _LONGEST_SLEEP.total_seconds()
            await _mind_the_clock(self._database, self._clock.now())

    def _has_a_hand_free(self, worker: Worker) -> bool:
        """Tell whether to begin one more step: beside others only where those take their time."""
        steps = self._at_work[worker]
        if not steps:
            return True
        slow = asyncio.get_running_loop().time() - _SLOW_S
        return len(steps) < _hands(worker) and all(began <= slow for began in steps.values())

    async def _work(self, worker: Worker) -> None:
        worked, name = 0, type(worker).__name__
        try:
            worked = await worker.step()
            self._complaints.settled(name)
        except Exception as error:
            self._complaints.note(name, error)
            await asyncio.sleep(pause_after(error))
            self._wanted_again.add(worker)
        finally:
            task = asyncio.current_task()
            if task is not None:
                self._at_work[worker].pop(task, None)
            if worked or worker in self._wanted_again:
                # There may be more; where nothing could be had, only news or time brings it.
                self._wanted_again.discard(worker)
                if worked and not worker.watches:
                    self._wanted_again.add(worker)
                self._news.set()

    async def rest(self, due: dict[str, datetime], stopping: asyncio.Event) -> None:
        """Wait for a commit, the next due moment, the order to stop, or the longest sleep."""
        now = self._clock.now()
        # Also what has fallen due since the look: for that nobody has been called yet.
        later = [moment for moment in due.values() if moment > self._looked_at]
        until = min([*later, now + _LONGEST_SLEEP])
        spare = any(len(self._at_work[one]) < _hands(one) for one in self._wanted_again)
        longest = _SLOW_S if spare or self._put_off else _LONGEST_SLEEP.total_seconds()
        waits = [
            asyncio.ensure_future(self._news.wait()),
            asyncio.ensure_future(stopping.wait()),
            asyncio.ensure_future(self._clock.wait_until(until)),
            asyncio.ensure_future(asyncio.sleep(longest)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def dismiss(self, within_s: float) -> None:
        """Wait until everybody has ended what is in hand, then take the rest out of their hands."""
        until = asyncio.get_running_loop().time() + within_s
        cut = await self._ended([task for steps in self._at_work.values() for task in steps], until)
        # Only now: a step that ended may have set more going.
        drains = [one.drain() for one in self._workers if isinstance(one, Draining)]
        cut += await self._ended([asyncio.ensure_future(drain) for drain in drains], until)
        try:
            given_back = await self._database.let_go(self._clock.now())
        except DatabaseFailed as error:
            log.warning("claims_not_given_back", reason=error.reason)
            return
        if cut or given_back:
            log.warning("work_cut_short", cut=cut, given_back=given_back)

    async def _ended(self, tasks: Sequence[asyncio.Future[None]], until: float) -> int:
        """Wait for tasks until a moment of the loop's time; cancel and count what is left."""
        if not tasks:
            return 0
        left_s = max(0.0, until - asyncio.get_running_loop().time())
        _, left = await asyncio.wait(tasks, timeout=left_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(left)


def _hands(worker: Worker) -> int:
    """Return in how many steps a worker may be at once: ``hands`` of it, or one."""
    hands: int = getattr(worker, "hands", 1)
    return hands


async def _mind_the_clock(database: Database, now: datetime) -> None:
    """After a clock was put back, let nothing wait until it shows the same moment again.

    Somebody may still write a moment that he read before: so it is looked at for as long as that.
    """
    seen = database.seen_at
    if seen is None or was_put_back(seen, now):
        async with database.begin() as tx:
            pulled = await pull_back(tx.connection, now)
        if pulled:
            log.warning("clock_was_put_back", pulled=pulled)
    database.seen_at = now if seen is None else max(seen, now)


def _ready(due: dict[str, datetime], now: datetime) -> set[str]:
    return {name for name, moment in due.items() if moment <= now}
