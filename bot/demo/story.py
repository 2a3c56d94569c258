"""The 21-day story without a browser: played on a clock that jumps from one event to the next."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from bot.demo.people import Chance, Habit
from bot.demo.players import Players
from bot.demo.report import report
from bot.demo.running import Demo
from bot.emulator import broadcast, groups
from bot.emulator.contact import befriend
from bot.emulator.world import Customer

SCRIPT = "senior-21d"
START = datetime.fromisoformat("2026-10-12T08:00:00+08:00")
LONGEST = timedelta(days=35)
RESTART_ON = timedelta(days=10, hours=4)
QUESTIONS = (
    ("存单快到期了，怎么办呀", 0),
    ("手机银行上的字太小了，怎么调大", 0),
    ("这个月养老金还没到账", 1),
    ("取五万块钱要提前预约吗", 2),
    ("理财会不会亏本", 3),
    ("你们周末上班吗", 4),
    ("验证码能告诉银行的人吗", 7),
    ("密码忘了登不上手机银行", 8),
    ("存折还能用吗", 9),
    ("今天的股市大盘会涨到多少点", 10),
    ("国债怎么买", 5),
    ("我要找真人说话", 7),
)


class Story:
    """Plays the parts of everybody until every run has ended."""

    def __init__(self, demo: Demo, seed: int) -> None:
        self._demo = demo
        self._bank = demo.bot.content.bank
        self._chance = Chance(seed)
        self._order = itertools.count()
        self._queue: list[tuple[datetime, int, Callable[[], Awaitable[None] | None]]] = []
        owners = list(dict.fromkeys(self._owner(chat) for chat in demo.town.groups))
        self._habits = {owners[1]: Habit.LATE, owners[2]: Habit.NEVER}
        self._busy_owner = owners[3]
        self._players = Players(demo.town, self._bank, self._chance, self._habits, self.later)

    def later(self, at: datetime, act: Callable[[], Awaitable[None] | None]) -> None:
        """Have something done at a moment."""
        heapq.heappush(self._queue, (at, next(self._order), act))

    async def play(self, days: int | None = None) -> dict[str, Any]:
        """Play until every run has ended, or so many days are over; return the figures."""
        began = time.monotonic()
        end = START + (timedelta(days=days) if days is not None else LONGEST)
        await self._settle()
        self._cast(await self._running_groups())
        while (moment := await self._next()) is not None and moment <= end:
            self._demo.clock.jump(moment)
            while self._queue and self._queue[0][0] <= moment:
                acting = heapq.heappop(self._queue)[2]()
                if acting is not None:
                    await acting
            worked = await self._settle()
            if days is None and worked and await self._all_ended():
                break
        return await report(self._demo, SCRIPT, time.monotonic() - began)

    async def _settle(self) -> int:
        worked = await self._demo.settle()
        self._players.look_round()
        return worked

    async def _next(self) -> datetime | None:
        async with self._demo.bot.database.read() as tx:
            due = await tx.next_due(after=self._demo.clock.now())
        planned = self._queue[0][0] if self._queue else None
        return min((moment for moment in (due, planned) if moment is not None), default=None)

    async def _all_ended(self) -> bool:
        async with self._demo.bot.database.read() as tx:
            return not await tx.runs.any_running(SCRIPT)

    async def _running_groups(self) -> list[str]:
        async with self._demo.bot.database.read() as tx:
            runs = await tx.runs.of_script(SCRIPT)
        steady = {run.subject for run in runs if run.state == "running"}
        return [
            chat
            for chat in self._demo.town.groups
            if chat in steady
            and self._owner(chat) not in self._habits
            and self._owner(chat) != self._busy_owner
        ]

    def _owner(self, chat: str) -> str:
        return self._demo.town.world.groups.need(chat).owner

    def _cast(self, steady: list[str]) -> None:
        """Give out the parts: who is defrauded, who signs up, who asks, who has had enough."""
        world = self._demo.town.world
        said = (
            (2, 11.1, "我刚给他转了三万，他说是我儿子换了手机，我是不是被骗了"),
            (1, 10.8, "存单快到期了，怎么办呀"),
            (5, 10.0, "退订"),
            (11, 11.2, "报名"),
            (22, 11.0, "想了解"),
            (22, 11.3, "给我推荐一个理财吧，哪个好"),
        )
        for number, (day, hour, words) in enumerate(said):
            chat = steady[number % len(steady)]
            member = world.groups.need(chat).customers()[number]
            self.later(_at(day, hour), self._speaks(chat, member, words))
        visitors = self._demo.town.visitors
        for number, (question, day) in enumerate(QUESTIONS):
            hour = 20.5 if number == 5 else 9 + number * 0.7
            self.later(_at(day, hour), self._asks(visitors[number % len(visitors)], question))
        own = [chat for chat in self._demo.town.groups if self._owner(chat) == self._busy_owner]
        self.later(
            _at(2, 8.75),
            lambda: _done(
                broadcast.owner_broadcasts_himself(
                    world, self._busy_owner, own, "叔叔阿姨，这周六网点有义诊，欢迎来坐坐。"
                )
            ),
        )
        self.later(_at(4, 15.0), lambda: self._newcomer(steady[-1]))
        self.later(START + RESTART_ON, self._demo.restart)

    def _speaks(self, chat: str, member: str, words: str) -> Callable[[], None]:
        return lambda: groups.says(self._demo.town.world, chat, member, words)

    def _asks(self, customer: str, words: str) -> Callable[[], None]:
        def act() -> None:
            world, account = self._demo.town.world, self._demo.town.kf_account
            world.kf.enter(account, customer)
            world.kf.customer_says(account, customer, words)

        return act

    def _newcomer(self, chat: str) -> None:
        world = self._demo.town.world
        customer = world.add_customer(Customer(world.new_id("wm"), "新来的周阿姨", age=67))
        befriend(world, self._owner(chat), customer.external_userid, quiet=True)
        groups.join(world, chat, [customer.external_userid])


def _at(day: int, hour: float) -> datetime:
    midnight = START.replace(hour=0, minute=0)
    return midnight + timedelta(days=day, hours=hour)


def _done(result: object) -> None:
    """Turn an act with a result into one without."""
