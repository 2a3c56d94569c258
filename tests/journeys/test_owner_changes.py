"""A group goes to another owner: what waits for the old one's hand is made anew for the new."""

from __future__ import annotations

from bot.emulator import broadcast, groups
from tests.journeys.town import Life

DAY2 = "2026-10-13"
STEP = "d02-rules"
NEW = "xu.jiahe"


async def test_the_open_task_is_taken_back_and_made_for_the_new_owner(life: Life) -> None:
    await life.go_to("09:40", DAY2)
    old = life.owner(life.chat)
    (task,) = life.tasks(life.chat)
    groups.change_owner(life.world, life.chat, NEW)
    await life.wait(3)
    assert life.owner(life.chat) == NEW
    (fresh,) = life.tasks(life.chat)
    assert fresh != task
    assert life.world.broadcasts.todo(old) == []
    assert life.confirm(life.chat) == [1]
    await life.wait(10)
    assert (await life.step(life.chat, STEP)).state == "confirmed"
    assert len(life.broadcasts_to(life.chat)) == 1
    assert await life.ledger("owner_changed") == 1


async def test_an_old_owner_who_was_quicker_has_sent_it_and_nobody_does_again(life: Life) -> None:
    await life.go_to("09:40", DAY2)
    old = life.owner(life.chat)
    (task,) = life.tasks(life.chat)
    broadcast.confirm(life.world, task, old)
    groups.change_owner(life.world, life.chat, NEW)
    await life.wait(30)
    assert (await life.step(life.chat, STEP)).state == "confirmed"
    assert life.tasks(life.chat) == []
    assert len(life.broadcasts_to(life.chat)) == 1


async def test_the_next_task_goes_to_the_new_owner(life: Life) -> None:
    groups.change_owner(life.world, life.chat, NEW)
    await life.settle()
    await life.go_to("09:40", DAY2)
    assert life.owner(life.chat) == NEW
    assert len(life.tasks(life.chat)) == 1
    assert life.confirm(life.chat) == [1]


async def test_a_change_too_late_in_the_window_skips_the_step(life: Life) -> None:
    step = await life.step(life.chat, STEP)
    await life.go_to("09:40", DAY2)
    step = await life.step(life.chat, STEP)
    closes = step.closes_at
    life.demo.clock.jump(closes)
    groups.change_owner(life.world, life.chat, NEW)
    await life.wait(5)
    assert (await life.step(life.chat, STEP)).state == "skipped"
    assert life.tasks(life.chat) == []
