"""What owners send themselves takes the group's places: the script gives way, and goes on."""

from __future__ import annotations

from bot.emulator import broadcast
from bot.emulator.violations import audit
from tests.journeys.town import Life
from tests.make import local

DAY2, DAY3 = "2026-10-13", "2026-10-14"


async def test_an_owner_who_sent_twice_by_hand_gets_the_days_step_tomorrow(life: Life) -> None:
    life.world.broadcasts.quota.rules = ("days_in_month",)
    owner = life.owner(life.chat)
    for clock, words in (("08:10", "早上好，今天降温。"), ("08:40", "这周六网点有义诊。")):
        await life.go_to(clock, DAY2)
        broadcast.owner_broadcasts_himself(life.world, owner, [life.chat], words)
    await life.go_to("09:45", DAY2)
    assert life.tasks(life.chat) == []
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.opens_at) == ("planned", local("09:30", DAY3))
    other = life.demo.town.groups[1]
    assert len(life.tasks(other)) == 1  # who was sent nothing gets the day's words
    await life.go_to("09:31", DAY3)
    assert life.confirm(life.chat) == [1]
    await life.go_to("09:45", DAY3)
    assert (await life.step(life.chat, "d02-rules")).state == "confirmed"
    assert audit(life.world)["caps"] == 0
