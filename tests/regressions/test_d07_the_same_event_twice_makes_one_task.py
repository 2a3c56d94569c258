"""D7: an event that is told again, or worked on again, makes no second mass-send task."""

from __future__ import annotations

from bot.emulator.groups import create
from tests.journeys.town import SCRIPT, Life

DAY2 = "2026-10-13"


async def test_each_callback_twice_and_a_restart_make_one_run_and_one_task(life: Life) -> None:
    owner = life.owner(life.chat)
    life.world.faults.plan("contact", "duplicate", times=50)
    members = [life.member(life.chat, number) for number in range(5)]
    fresh = create(life.world, owner, "梧桐街银龄安心群99", members).chat_id
    await life.settle()
    async with life.demo.bot.database.begin() as tx:  # as if the worker had died before the end
        await tx.connection.exec_driver_sql(
            "UPDATE events SET state = 'ready', due_at = 0 WHERE state = 'done' AND body <> '{}'"
        )
        runs = await tx.runs.of_subject(fresh, state=None)
    assert len([run for run in runs if run.script == SCRIPT]) <= 1
    await life.demo.restart()
    await life.go_to("09:31", DAY2)
    for chat in (*life.demo.town.groups, fresh):
        assert len(life.tasks(chat)) <= 1
    assert len(life.tasks(life.chat)) == 1
    states = await life.outbox_states()
    steps = [key for key in states if key.startswith("sop:") and key.endswith(":1")]
    assert len(steps) == len(set(steps))


async def test_the_same_step_worked_on_twice_is_in_the_outbox_once(life: Life) -> None:
    await life.go_to("09:31", DAY2)
    before = life.tasks(life.chat)
    async with life.demo.bot.database.begin() as tx:  # the runs wake as if nothing had happened
        await tx.connection.exec_driver_sql(
            "UPDATE run_steps SET state = 'planned', iteration = 0 WHERE step = 'd02-rules'"
        )
        await tx.connection.exec_driver_sql("UPDATE enrolments SET due_at = 0")
    await life.settle()
    assert life.tasks(life.chat) == before
    assert len(before) == 1
