"""The bot stops and starts again: nothing is lost, nothing is done twice."""

from __future__ import annotations

from tests.journeys.town import Life

DAY2 = "2026-10-13"


async def test_a_restart_in_the_middle_of_a_window_loses_and_doubles_nothing(life: Life) -> None:
    await life.go_to("09:40", DAY2)
    before = {chat: life.tasks(chat) for chat in life.demo.town.groups}
    await life.demo.restart()
    await life.settle()
    assert {chat: life.tasks(chat) for chat in life.demo.town.groups} == before
    first, *others = life.demo.town.groups
    assert life.confirm(first) == [1]
    await life.demo.restart()
    await life.go_to("14:31", DAY2)
    assert [len(life.tasks(chat)) for chat in others] == [1] * len(others)
    assert life.tasks(first) == []
    for chat in others:
        assert life.confirm(chat) == [1]
    await life.demo.restart()
    await life.go_to("15:00", DAY2)
    for chat in life.demo.town.groups:
        assert (await life.step(chat, "d02-rules")).state == "confirmed"
        assert len(life.broadcasts_to(chat)) == 1
    async with life.demo.bot.database.read() as tx:
        assert len(await tx.runs.of_script("senior-21d")) == len(life.demo.town.groups)


async def test_questions_that_were_acknowledged_are_answered_after_a_restart(life: Life) -> None:
    for visitor in life.demo.town.visitors:
        life.world.kf.customer_says(life.account, visitor, "存折还能用吗")
    await life.world.callbacks.flush()  # acknowledged, and not yet worked on
    life.new()
    await life.demo.restart()
    await life.settle()
    answers = life.new("kf")
    assert sorted(item.to for item in answers) == sorted(life.demo.town.visitors)


async def test_a_bot_that_was_down_over_a_window_sends_nothing_stale(life: Life) -> None:
    await life.go_to("09:00", DAY2)
    await life.demo.stop()
    life.demo.clock.advance(hours=26)
    await life.demo.start()
    await life.wait(0.5)  # by then the tasks of one owner are gathered
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "window_missed")
    assert (await life.step(life.chat, "d03-fraud-child")).state == "waiting"
    assert [len(life.tasks(chat)) for chat in life.demo.town.groups] == [1, 1, 1]


async def test_a_sender_that_died_in_the_middle_of_a_call_repeats_only_what_folds(
    life: Life,
) -> None:
    """The rows of a dead process stand as half sent: an answer is repeated, a task is not."""
    await life.asks("存单快到期了,怎么办呀")
    await life.go_to("09:31", DAY2)
    async with life.demo.bot.database.begin() as tx:  # as if the process had died just then
        await tx.connection.exec_driver_sql(
            "UPDATE outbox SET state = 'sending', settled_at = NULL, due_at = 0 "
            "WHERE key LIKE 'kf:%:answer:%' OR key LIKE 'sop:%:d02-rules:1'"
        )
    tasks = {chat: life.tasks(chat) for chat in life.demo.town.groups}
    life.new()
    await life.settle()
    assert life.new("kf") == []
    assert {chat: life.tasks(chat) for chat in life.demo.town.groups} == tasks
    states = await life.outbox_states()
    assert [state for key, state in states.items() if ":answer:" in key] == ["sent"]
    assert {state for key, state in states.items() if ":d02-rules:1" in key} == {"unknown"}
    assert await life.ledger("message_in_doubt") == 3
