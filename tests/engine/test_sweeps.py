"""A sweep that has to wait for somebody's press is looked at now and then, not all the time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.script import SopScript
from bot.domain.script_parts import OnEdit
from bot.storage.moving import Moving
from bot.workers.publish import Sweeper
from bot.workers.sweeps import Chunk, carry_out
from tests.engine.test_token_runs import flow, sends
from tests.engine.world import World
from tests.make import local


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often the runs that are behind are read; they are read as ever."""
    counted: list[str] = []
    as_it_is = Moving.runs_behind

    async def reads(self, script, version, after, **more):  # type: ignore[no-untyped-def]
        counted.append(script)
        return await as_it_is(self, script, version, after, **more)

    monkeypatch.setattr(Moving, "runs_behind", reads)
    return counted


def version(number: int) -> SopScript:
    script = flow(sends("a"), sends("b"), more=f"休息日: 照发\n最长天数: {30 + number}\n")
    return script.model_copy(update={"number": number, "on_edit": OnEdit.UNDUE_STEPS})


async def test_who_awaits_a_press_is_looked_at_by_the_next_poll_and_moved_once_it_came(
    world: World, looks: list[str]
) -> None:
    old, new = version(1), version(2)
    world.wire.confirm = 0.0
    await world.publish(old)
    await world.people("wm1", "wm2")
    await world.enrol(old, "wm1", "wm2")
    await world.until(local("10:35"))
    assert [step.state for step in await world.steps("wm1")] == ["waiting"]
    await world.publish(new)
    async with world.database.begin() as tx:
        await tx.moving.begin(f"runs:{new.id}")
    sweeper = Sweeper(world.database, world.content, world.clock)
    before = (await world.run("wm1")).version
    for _ in range(7 * 60):
        await sweeper.sweep()
        world.clock.advance(seconds=1)
        if world.clock.now().second == 0:
            await world.work()
    assert (await world.run("wm1")).version == before
    assert 2 <= len(looks) <= 2 * 8
    await world.until(local("11:40"))  # it was taken back unsent, and is skipped
    await sweeper.sweep()
    assert (await world.run("wm1")).version != before
    async with world.database.read() as tx:
        assert await tx.moving.under_way() == {}


async def test_a_sweep_that_waits_begins_at_once_where_there_is_something_new(
    world: World,
) -> None:
    class Left:
        seen = 0

        async def next(self, tx, reached, limit, now):  # type: ignore[no-untyped-def]
            assert reached == ""
            self.seen += 1
            return Chunk(0, 0, "", over=True, again_at=now + timedelta(minutes=5))

    chunks, clock = Left(), world.clock
    async with world.database.begin() as tx:
        await tx.moving.begin("runs:trial")
    for _ in range(4):
        await carry_out(world.database, clock, "runs:trial", chunks)
    assert chunks.seen == 1
    clock.advance(minutes=5)
    await carry_out(world.database, clock, "runs:trial", chunks)
    assert chunks.seen == 2
    async with world.database.begin() as tx:
        await tx.moving.begin("runs:trial")
    await carry_out(world.database, clock, "runs:trial", chunks)
    assert chunks.seen == 3


async def test_a_sweep_begun_anew_while_it_runs_is_not_forgotten(world: World) -> None:
    class Busy:
        async def next(self, tx, reached, limit, now):  # type: ignore[no-untyped-def]
            if reached == "a":  # somebody saves another version meanwhile
                await tx.moving.begin("runs:trial")
                return Chunk(1, 1, "b")
            return Chunk(1, 1, "a")

    async with world.database.begin() as tx:
        await tx.moving.begin("runs:trial")
    assert await carry_out(world.database, world.clock, "runs:trial", Busy()) == 2
    async with world.database.read() as tx:
        assert await tx.moving.under_way() == {"runs:trial": ""}
