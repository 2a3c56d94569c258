"""A text is withdrawn, or a script paused, between the plan and the call: the gate has the word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.domain.mass_messages import CustomerBroadcast
from bot.domain.messages import BroadcastCancel, Outbound, Receipt
from bot.domain.targets import Target
from bot.domain.withdrawal import body_hash, text_of
from bot.workers.orders import Orders
from bot.workers.publish import Sweeper
from tests.engine.test_token_runs import flow, sends
from tests.engine.world import Wire, World
from tests.make import local

SCRIPT = flow(sends("a"), sends("b"), more="休息日: 照发\n")
PEOPLE = ("wm1", "wm2", "wm3")


class Meanwhile(Wire):
    """Lets something happen while a mass-send task is being made."""

    once: Callable[[], Awaitable[None]] | None = None

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        if self.once is not None and isinstance(message, CustomerBroadcast):
            once, self.once = self.once, None
            await once()
        return await super().send(key, message, repeated=repeated)


@pytest.fixture
def orders(world: World) -> Orders:
    return Orders(world.database, world.content.bank, world.clock, "王芳", "演练")


async def planned(world: World) -> None:
    """Bring three customers' first step into the outbox, before anything of it has left."""
    await world.publish(SCRIPT)
    await world.people(*PEOPLE)
    await world.enrol(SCRIPT, *PEOPLE)
    await world.until(local("09:59"))
    world.clock.jump(local("10:35"))
    while await world.runs.step():
        pass
    states = [(await world.steps(subject))[0].state for subject in PEOPLE]
    assert states == ["queued"] * 3
    assert not world.wire.sent


def hash_of(step: str) -> str:
    part = SCRIPT.part(step)
    assert part is not None
    return body_hash(text_of(part))


async def withdrawn_row(world: World, step: str) -> None:
    """Write the withdrawal alone, as it stands before anybody has carried it out."""
    async with world.database.begin() as tx:
        await tx.withdrawals.add(SCRIPT.id, step, hash_of(step), "王芳", "错字", world.clock.now())


async def test_what_is_withdrawn_between_plan_and_send_never_leaves(
    world: World, orders: Orders
) -> None:
    await planned(world)
    back = await orders.withdraw(SCRIPT, "a", [hash_of("a")])
    assert back.taken_back == len(PEOPLE)
    await world.until(local("12:00", "2026-10-14"))
    for subject in PEOPLE:
        assert await world.outcome(subject) == {"a": "withdrawn", "b": "confirmed"}
    assert {words for _, _, words in world.wire.delivered()} == {"您好b"}


async def test_the_gate_sees_a_withdrawal_that_nobody_has_carried_out_yet(world: World) -> None:
    """The withdrawal is committed after the plan was; the sender is quicker than its sweep."""
    await planned(world)
    await withdrawn_row(world, "a")
    await world.until(local("12:00", "2026-10-14"))
    for subject in PEOPLE:
        assert await world.outcome(subject) == {"a": "withdrawn", "b": "confirmed"}
    assert {words for _, _, words in world.wire.delivered()} == {"您好b"}
    slots = await world.rows("SELECT count(*) FROM quota WHERE key LIKE '%:a'")
    assert slots == [(0,)]  # what never left takes no place


async def test_who_opens_steps_sees_a_withdrawal_before_anything_is_worded(world: World) -> None:
    await world.publish(SCRIPT)
    await world.people(*PEOPLE)
    await world.enrol(SCRIPT, *PEOPLE)
    await withdrawn_row(world, "a")
    await world.until(local("12:00"))
    assert [key for key in await world.keys() if ":a:" in key] == []
    assert (await world.outcome("wm1"))["a"] == "withdrawn"


async def test_what_is_withdrawn_during_the_call_is_taken_out_of_the_list_after_it(
    world: World, orders: Orders
) -> None:
    wire = Meanwhile(world.clock)
    world.wire, wire.confirm = wire, 0.0
    world.begin()
    await planned(world)
    recalled = []

    async def withdraw() -> None:
        recalled.append(await orders.withdraw(SCRIPT, "a", [hash_of("a")]))

    wire.once = withdraw
    world.clock.advance(seconds=15)  # a wave is gathered before it leaves
    await world.outbox.step()
    await world.outbox.drain()
    assert [one.taken_back for one in recalled] == [0]  # it was on its way
    assert len(wire.tasks) == 1
    sweeper = Sweeper(world.database, world.content, world.clock)
    world.clock.advance(seconds=6)
    await sweeper.sweep()
    await world.work()
    assert [one for _, one in wire.sent if isinstance(one, BroadcastCancel)]
    assert not [
        step
        for subject in PEOPLE
        for step in await world.steps(subject)
        if step.step == "a" and step.reason != "withdrawn"
    ]
    world.clock.advance(seconds=6)
    await sweeper.sweep()
    async with world.database.read() as tx:
        assert await tx.moving.under_way() == {}


@pytest.mark.parametrize(
    "target",
    [
        Target(scope="script", target="trial"),
        Target(scope="step", target="trial/a"),
        Target(scope="customer", target="wm2"),
    ],
)
async def test_what_is_paused_between_plan_and_send_waits_and_leaves_once_it_goes_on(
    world: World, orders: Orders, target: Target
) -> None:
    await planned(world)
    await orders.hold(target, "pause")
    await world.until(local("10:50"))
    told = {
        who
        for _, message in world.wire.sent
        if isinstance(message, CustomerBroadcast)
        for who in message.customers
    }
    assert told == (set(PEOPLE) - {"wm2"} if target.scope == "customer" else set())
    await orders.resume(target)
    await world.until(world.clock.now() + timedelta(seconds=20))
    told = {
        who
        for _, message in world.wire.sent
        if isinstance(message, CustomerBroadcast)
        for who in message.customers
    }
    assert told == set(PEOPLE)
