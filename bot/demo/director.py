"""Runs the live demo: lets everything settle many times a second, and pushes the clock."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Literal

from bot.demo.people import Chance, what_a_bank_knows
from bot.demo.players import Act, Players
from bot.demo.running import Demo
from bot.demo.story import SCRIPT
from bot.domain.ids import GroupChatId
from bot.domain.runs import Run
from bot.log import logger

Push = Literal["hour", "step", "day", "end"]
_BEAT = 0.05
log = logger(__name__)
_LONGEST = timedelta(days=40)
_JUST_AFTER = timedelta(minutes=1)


class Director:
    """The one hand that moves the demo on; ``version`` grows with everything that happens."""

    def __init__(self, demo: Demo, seed: int = 1) -> None:
        self.demo = demo
        self.version = 1
        self._news = asyncio.Event()
        self.pushing = ""
        self.chat = ""
        self._lock = asyncio.Lock()
        self._queue: list[tuple[datetime, int, Act]] = []
        self._order = itertools.count()
        self._bank = demo.bot.content.bank
        self._players = Players(
            demo.town, self._bank, Chance(seed), {}, self._later, visitors=False
        )

    def _tell(self) -> None:
        """Wake everybody who waits for something to happen."""
        self.version += 1
        self._news.set()
        self._news = asyncio.Event()

    async def wait_for_news(self, seen: str, at_most: float) -> None:
        """Return once the version is another than ``seen``, or after so many seconds."""
        news = self._news
        if str(self.version) == seen:
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), at_most)

    def _later(self, at: datetime, act: Act) -> None:
        heapq.heappush(self._queue, (at, next(self._order), act))

    async def open(self) -> None:
        """Let the groups enter their script, and pick the one that is shown."""
        await self._settle()
        await self._tell_of_visitors()
        async with self.demo.bot.database.read() as tx:
            runs = await tx.runs.of_script(SCRIPT)
        running = {run.subject for run in runs if run.state == "running"}
        self.show(next(chat for chat in self.demo.town.groups if chat in running))

    async def _tell_of_visitors(self) -> None:
        """Let the bank's systems tell what they know of those who write one to one."""
        now, people = self.demo.clock.now(), self.demo.town.world.customers
        today = now.astimezone(self._bank.zone).date()
        rows = [
            (one, what_a_bank_knows(number, people[one].age, today))
            for number, one in enumerate(self.demo.town.visitors)
        ]
        async with self.demo.bot.database.begin() as tx:
            await tx.facts.put(rows, now)

    def saved(self) -> None:
        """Say that the file was saved."""
        self._tell()

    def show(self, chat: str) -> None:
        """Show a group's calendar; its owner is now played by the viewer."""
        if chat not in self.demo.town.groups:
            return
        self.chat = chat
        self._players.by_hand = {self.demo.town.world.groups.need(chat).owner}
        self._tell()

    async def run(self, stopping: asyncio.Event) -> None:
        """Let everything settle again and again until told to stop."""
        minute = None
        while not stopping.is_set():
            async with self._lock:
                try:
                    await self._act_due()
                    if await self._settle():
                        self._tell()
                except Exception:
                    log.exception("demo_stumbled")
            now = self.demo.clock.now().replace(second=0, microsecond=0)
            if now != minute:
                minute = now
                self._tell()
            await asyncio.sleep(_BEAT)

    async def push(self, push: Push) -> None:
        """Push the clock and play all that falls due on the way."""
        async with self._lock:
            self.pushing = push
            self._tell()
            by_hand = self._players.by_hand
            if push in ("day", "end"):
                self._players.by_hand = set()
            try:
                await self._play_until(await self._target(push), to_the_end=push == "end")
            finally:
                self._players.by_hand = by_hand
                self.pushing = ""
                self._tell()

    async def _play_until(self, target: datetime, *, to_the_end: bool) -> None:
        clock = self.demo.clock
        while (moment := await self._next()) is not None and moment <= target:
            clock.jump(moment)
            await self._act_due()
            worked = await self._settle()
            self._tell()
            if to_the_end and worked and await self._all_ended():
                return
        clock.jump(target)
        await self._settle()

    async def _target(self, push: Push) -> datetime:
        now = self.demo.clock.now()
        match push:
            case "hour":
                return now + timedelta(hours=1)
            case "step":
                return await self._next_step() or now + timedelta(days=1)
            case "day":
                tomorrow = now.astimezone(self._bank.zone).date() + timedelta(days=1)
                return datetime.combine(tomorrow, time(9), tzinfo=self._bank.zone)
            case "end":
                return now + _LONGEST

    async def _next_step(self) -> datetime | None:
        """Return the moment just after the shown group's next step opens."""
        run = await self.shown_run()
        if run is None:
            return None
        async with self.demo.bot.database.read() as tx:
            steps = await tx.runs.steps(run.id)
        now = self.demo.clock.now()
        opens = [step.opens_at for step in steps if step.state == "planned" and step.opens_at > now]
        return min(opens) + _JUST_AFTER if opens else None

    async def shown_run(self) -> Run | None:
        """Return the run of the group that is shown."""
        async with self.demo.bot.database.read() as tx:
            runs = await tx.runs.of_subject(GroupChatId(self.chat), state=None)
        return next((run for run in runs if run.script == SCRIPT), None)

    async def _all_ended(self) -> bool:
        async with self.demo.bot.database.read() as tx:
            return not await tx.runs.any_running(SCRIPT)

    async def _next(self) -> datetime | None:
        async with self.demo.bot.database.read() as tx:
            due = await tx.next_due(after=self.demo.clock.now())
        planned = self._queue[0][0] if self._queue else None
        return min((moment for moment in (due, planned) if moment is not None), default=None)

    async def _act_due(self) -> None:
        while self._queue and self._queue[0][0] <= self.demo.clock.now():
            heapq.heappop(self._queue)[2]()

    async def _settle(self) -> int:
        worked = await self.demo.settle()
        self._players.look_round()
        return worked
