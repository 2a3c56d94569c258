"""A run that leaves takes back what its owner could still send."""

from __future__ import annotations

from bot.domain.runs import cancel_key
from bot.emulator import broadcast, groups
from tests.journeys.town import Life

DAY2 = "2026-10-13"


async def test_a_task_is_taken_back_at_once_when_its_group_is_gone(life: Life) -> None:
    await life.go_to("09:31", DAY2)
    (task,) = life.tasks(life.chat)
    owner = life.owner(life.chat)
    groups.dismiss(life.world, life.chat)
    await life.go_to("09:32", DAY2)
    assert broadcast.confirm(life.world, task, owner) == {}  # hours before its window's end
    async with life.demo.bot.database.read() as tx:
        assert ((await tx.outbox.state_of(cancel_key(task))) or ("",))[0] == "sent"
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "group_dismissed")
    await life.go_to("12:00", DAY2)
    reminders = [one for one in life.world.broadcasts.notices[owner] if one.kind == "reminder"]
    assert reminders == []
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "group_dismissed")


async def test_an_owner_who_was_quicker_than_the_exit_has_sent(life: Life) -> None:
    await life.go_to("09:31", DAY2)
    assert life.confirm(life.chat) == [1]
    async with life.demo.bot.database.begin() as tx:
        (run,) = await tx.runs.of_subject(life.chat)
        await tx.runs.end(run.id, "exited", "script_gone", life.demo.clock.now())
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "script_gone")
    await life.go_to("09:35", DAY2)
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("confirmed", "")
    assert len(life.broadcasts_to(life.chat)) == 1
