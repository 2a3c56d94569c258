"""D5: a script that is paused between due and fire sends nothing; nothing is lost by it either."""

from __future__ import annotations

import pytest

from bot.workers.orders import Orders
from tests.journeys.town import SCRIPT, Life

DAY2 = "2026-10-13"


def orders(life: Life) -> Orders:
    bot = life.demo.bot
    return Orders(bot.database, bot.content.bank, life.demo.clock, "王芳", "演练")


@pytest.mark.parametrize("words", [SCRIPT, f"{SCRIPT}/d02-rules"])
async def test_a_pause_between_due_and_fire_lets_nothing_leave(life: Life, words: str) -> None:
    await life.go_to("09:30", DAY2)
    queued = [key for key, state in (await life.outbox_states()).items() if "d02" in key]
    assert len(queued) == 3  # it is due, its words are in the outbox
    assert [life.tasks(chat) for chat in life.demo.town.groups] == [[], [], []]
    (target,) = await orders(life).meant([words])
    await orders(life).hold(target, "pause")
    await life.go_to("10:00", DAY2)
    assert [life.tasks(chat) for chat in life.demo.town.groups] == [[], [], []]
    assert set(queued) <= set(await life.outbox_states())
    await orders(life).resume(target)
    await life.wait(1)
    assert [len(life.tasks(chat)) for chat in life.demo.town.groups] == [1, 1, 1]
    assert life.confirm(life.chat) == [1]
    assert len(life.broadcasts_to(life.chat)) == 1
