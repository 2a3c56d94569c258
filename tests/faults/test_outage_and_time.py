"""WeCom is away for an hour, or the clock jumps: nothing is lost, doubled, hurried or stuck."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.ids import CustomerId, KfAccountId, RmId
from bot.domain.messages import KfReply, Outbound, Text
from bot.domain.pace import paces_for
from bot.emulator.faults import Fault, Faults
from bot.emulator.world import Customer, World
from bot.storage.tables import outbox
from bot.workspace import Workspace
from tests.faults.conftest import Tell
from tests.faults.counts import FULL, times
from tests.faults.power import Power, wired
from tests.faults.small_town import (
    ACCOUNT,
    Ground,
    SmallTown,
    open_town,
    prepare,
    quick_parts,
)
from tests.make import NOON, staff_card

ROWS = times(120, 2000)
JUMPS = times(12, 300)
SEED = 11
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

pytestmark = pytest.mark.timeout(3600 if FULL else 110)


class MovableClock(FakeClock):
    """A clock that can also be put back."""

    def __init__(self) -> None:
        super().__init__(NOON)

    def shift(self, delta: timedelta) -> None:
        self._start += delta


@dataclass
class Counting(Faults):
    """Notes when each API was called: every call asks for a slow fault once."""

    world: World | None = None
    calls: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def take(self, api: str, kind: str) -> Fault | None:  # type: ignore[override]
        if kind == "slow" and self.world is not None:
            self.calls[api].append(self.world.now())
        return super().take(api, kind)  # type: ignore[arg-type]


def busiest(moments: list[datetime], span: timedelta) -> int:
    """Return the most calls in any span."""
    most, window = 0, deque[datetime]()
    for moment in sorted(moments):
        window.append(moment)
        while window[0] <= moment - span:
            window.popleft()
        most = max(most, len(window))
    return most


@pytest.fixture(scope="module")
def ground(files: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return asyncio.run(prepare(files, tmp_path_factory.mktemp("time")))


@pytest.fixture
def power() -> Power:
    return Power()


@pytest.fixture
async def town(ground: Ground, power: Power, tmp_path: Path) -> AsyncIterator[SmallTown]:
    with quick_parts(ground.snapshot), wired(power):
        async with open_town(ground, tmp_path / "a.db", power, MovableClock()) as opened:
            yield opened


def newcomer(town: SmallTown) -> str:
    customer = Customer(town.world.new_id("wm"), "街坊")
    return town.world.add_customer(customer).external_userid


def _waiting_row(town: SmallTown, number: int) -> tuple[str, Outbound]:
    """Return a message for a customer who has just written, or for one of the staff."""
    if number % 4:
        customer = newcomer(town)
        town.world.kf.conversation(ACCOUNT, customer).customer_wrote(
            town.world.now(), town.world.kf.account(ACCOUNT).first_state
        )
        words = Text(text=f"reply:{number}")
        to = CustomerId(customer)
        return words.text, KfReply(account=KfAccountId(ACCOUNT), customer=to, content=words)
    name = f"card:{number}"
    return name, staff_card(name.replace(":", "-"), RmId(town.servicers[number % 7]))


def arrived(town: SmallTown) -> Counter[str]:
    said = [one.text for one in town.world.deliveries.select("kf", source="kf_send_msg")]
    cards = [
        item.task_id.replace("-", ":", 1)
        for name in town.world.members
        for item in town.world.app_messages.inbox(name)
    ]
    return Counter(said + cards)


async def work_until(town: SmallTown, until: datetime) -> None:
    """Let the bot work, stopping at whatever falls due, up to a moment."""
    while True:
        await town.settle()
        async with town.database.read() as tx:
            due = await tx.next_due(["notices", "events", "outbox"])
        if due is None or due > until:
            break
        town.clock.jump(max(due, town.clock.now() + timedelta(milliseconds=1)))
    town.clock.jump(until)


async def test_an_hour_without_wecom(town: SmallTown, tell: Tell) -> None:
    server, address = town.demo.server, urlsplit(town.demo.server.base_url)
    counting = town.world.faults = Counting(world=town.world)
    keys: list[str] = []
    async with town.database.begin() as tx:
        for number in range(ROWS):
            key, message = _waiting_row(town, number)
            keys.append(key)
            terms = Terms(purpose="control", subject=key)
            await tx.outbox.put(key, message, terms, town.clock.now())
    await server.stop()
    await work_until(town, town.clock.now() + HOUR)
    tries = sum(row.attempt for row in await town.rows(outbox.select()))
    assert not counting.calls
    await server.start(address.hostname or "", address.port or 0)
    await work_until(town, town.clock.now() + 2 * HOUR)
    found = arrived(town)
    lost = [key for key in keys if not found[key]]
    twice = [key for key in keys if found[key] > 1]
    paces = {}
    for number in range(4):
        paces |= paces_for(_waiting_row(town, number)[1])
    worst = {api: busiest(moments, MINUTE) for api, moments in counting.calls.items()}
    allowed = {api: paces[api].burst + 60 * paces[api].per_second for api in worst if api in paces}
    per_member = max(
        busiest([item.at for item in town.world.app_messages.inbox(name)], MINUTE)
        for name in town.world.members
    )
    line = (
        f"WeCom away for an hour: waiting {ROWS}, tries meanwhile {tries}, "
        f"lost {len(lost)}, twice {len(twice)}, calls in the busiest minute "
        f"{max(worst[api] for api in allowed)}, cards to one member in a minute {per_member}"
    )
    assert not lost, line
    assert not twice, line
    assert tries <= ROWS * 14, line
    assert all(worst[api] <= most for api, most in allowed.items()), line
    assert per_member <= 30, line
    tell(line)


async def test_the_clock_jumps_while_rows_are_claimed_and_sent(
    town: SmallTown, power: Power, tell: Tell
) -> None:
    chance, clock = random.Random(SEED), town.clock
    assert isinstance(clock, MovableClock)
    town.world.kf.customer_says(ACCOUNT, newcomer(town), "在吗")
    await town.settle()
    asked: dict[str, str] = {}
    for number in range(JUMPS):
        delta = chance.choice([DAY, -HOUR])

        def jump(by: timedelta = delta) -> None:
            clock.shift(by)

        customers = [newcomer(town) for _ in range(3)]
        for customer in customers:
            asked[customer] = f"问题{len(asked)}号"
            town.world.kf.customer_says(ACCOUNT, customer, asked[customer])
        power.strike = jump
        power.cut_after(chance.randrange(40))
        await town.settle()
        power.back()
        town.world.kf.customer_says(ACCOUNT, newcomer(town), "在吗")  # its doorbell is heard
        await work_until(town, clock.now() + max(-delta, timedelta()) + 20 * MINUTE)
        _all_answered_once(town, asked, f"jump {number} by {delta}, seed {SEED}")
    tell(f"clock jumps {power.cuts}: asked {len(asked)}, stuck 0, lost 0, twice 0")
    assert power.cuts > JUMPS // 2


def _all_answered_once(town: SmallTown, asked: dict[str, str], when: str) -> None:
    for customer, question in asked.items():
        said = town.world.deliveries.select("kf", customer, "kf_send_msg")
        assert [one.text.count(question) for one in said] == [1], (when, question, said)
