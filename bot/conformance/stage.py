"""The local WeCom with people in it, and the hands by which a scenario moves them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.conformance.slow_model import SlowModel
from bot.conformance.subject import Subject
from bot.conformance.wire_tap import WireTap
from bot.emulator.callbacks import CallbackResult
from bot.emulator.deliveries import Delivery
from bot.emulator.world import Customer, World

_POLL_S = 0.02
REPLY_WITHIN_S = 30.0
CALM_S = 2.5  # longer than any bot waits between the parts of one answer
CALM_WITHIN_S = 60.0


@dataclass
class Stage:
    """What a scenario needs in its hands; every scenario brings customers of its own."""

    world: World
    bot: Subject
    tap: WireTap
    model: SlowModel
    questions: list[str]
    servicer: str
    patience_s: float = REPLY_WITHIN_S
    account: str = ""
    _asked: int = 0
    _names: int = 0
    _quiet_since: float = field(default_factory=time.monotonic)

    def new_account(self) -> str:
        """Open a kf account that the bot has never pulled."""
        account = self.world.kf.add_account("小安").open_kfid
        self.world.kf.add_servicer(account, self.servicer)
        return account

    def customers(self, count: int) -> list[str]:
        """Let so many people come who never wrote before."""
        made = []
        for _ in range(count):
            self._names += 1
            customer = Customer(self.world.new_id("wm"), f"街坊{self._names}")
            made.append(self.world.add_customer(customer).external_userid)
        return made

    def customer(self) -> str:
        """Let one person come who never wrote before."""
        return self.customers(1)[0]

    def question(self) -> str:
        """Return the next of the questions that the bot can answer."""
        self._asked += 1
        return self.questions[self._asked % len(self.questions)]

    def asks(self, customer: str, words: str = "", account: str = "") -> str:
        """Let a customer write, a question of ours unless words are given; return the msgid."""
        words = words or self.question()
        return self.world.kf.customer_says(account or self.account, customer, words)

    def replies(self, *customers: str) -> list[Delivery]:
        """Return what the bot said to these customers, its welcome apart."""
        return [
            item
            for customer in customers
            for item in self.world.deliveries.select("kf", customer, "kf_send_msg")
            if item.source == "kf_send_msg"
        ]

    def answered(self, customers: list[str]) -> int:
        """Count the customers who have a reply."""
        return sum(bool(self.replies(customer)) for customer in customers)

    async def until(self, there: Callable[[], bool], within_s: float = 0.0) -> bool:
        """Wait until something is so; False where it is not in time (0: the stage's patience)."""
        deadline = time.monotonic() + (within_s or self.patience_s)
        while time.monotonic() < deadline:
            if there():
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def all_answered(self, customers: list[str], within_s: float = 0.0) -> bool:
        """Wait until each of these customers has a reply."""
        return await self.until(lambda: self.answered(customers) == len(customers), within_s)

    async def calm(self, seconds: float = CALM_S) -> None:
        """Wait until nothing was delivered, posted or asked for so long: a double shows late."""
        deadline = time.monotonic() + CALM_WITHIN_S
        seen, since = self._activity(), time.monotonic()
        while time.monotonic() < min(deadline, since + seconds):
            await asyncio.sleep(_POLL_S)
            if (now := self._activity()) != seen:
                seen, since = now, time.monotonic()

    def _activity(self) -> tuple[int, int, int]:
        sender = self.world.callbacks
        return len(self.world.deliveries), len(sender.results), sender.waiting

    async def doorbells(self, since: int, count: int = 1) -> list[CallbackResult]:
        """Wait for callbacks posted after the result numbered ``since``; return them."""
        results = self.world.callbacks.results
        await self.until(lambda: len(results) >= since + count)
        return list(results)[since:]

    def posted(self) -> int:
        """Return how many callbacks have been posted."""
        return len(self.world.callbacks.results)

    def post_again(self, result: CallbackResult) -> None:
        """Post a callback once more, as WeCom does when it had no answer."""
        self.world.callbacks.repeat(result)
