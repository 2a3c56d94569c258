"""A step on its day: a task, the owner's press, late and never, and what each leaves behind."""

from __future__ import annotations

from collections import Counter

from bot.emulator import broadcast, groups
from bot.emulator.violations import audit
from tests.journeys.town import Life
from tests.make import local

DAY2, DAY3 = "2026-10-13", "2026-10-14"


async def test_the_owner_confirms_and_the_group_reads_it(life: Life) -> None:
    await life.go_to("09:29", DAY2)
    assert life.tasks(life.chat) == []
    assert (await life.step(life.chat, "d02-rules")).state == "planned"
    await life.go_to("09:31", DAY2)
    assert (await life.step(life.chat, "d02-rules")).state == "waiting"
    assert life.broadcasts_to(life.chat) == []  # no program speaks in a group
    assert life.confirm(life.chat) == [1]
    (message,) = life.broadcasts_to(life.chat)
    assert "小规矩" in message.text
    assert "{" not in message.text
    await life.go_to("09:45", DAY2)
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason, step.iteration) == ("confirmed", "", 1)
    assert await life.ledger("step_confirmed") == 1
    await life.go_to("12:00", DAY2)  # its cancel is taken back with it
    assert len(life.broadcasts_to(life.chat)) == 1


async def test_a_late_owner_gets_the_task_again_after_the_quiet_hours(life: Life) -> None:
    await life.go_to("11:44", DAY2)
    (first,) = life.tasks(life.chat)
    await life.go_to("11:45", DAY2)
    assert life.tasks(life.chat) == []  # taken back, so that a press at noon wakes nobody
    assert broadcast.confirm(life.world, first, life.owner(life.chat)) == {}
    await life.go_to("14:29", DAY2)
    assert life.tasks(life.chat) == []
    await life.go_to("14:31", DAY2)
    (second,) = life.tasks(life.chat)
    assert second != first
    assert life.confirm(life.chat) == [1]
    await life.go_to("14:50", DAY2)
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.iteration) == ("confirmed", 2)
    (message,) = life.broadcasts_to(life.chat)
    assert message.at == local("14:31", DAY2)
    assert audit(life.world) == {"caps": 0, "quiet_hours": 0, "opt_out": 0}


async def test_an_owner_who_never_presses_is_a_skip_with_its_reason(life: Life) -> None:
    await life.go_to("19:00", DAY2)
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "owner_unconfirmed")
    assert life.tasks(life.chat) == []
    assert life.broadcasts_to(life.chat) == []
    await life.go_to("09:31", DAY3)  # and the next day goes on
    assert (await life.step(life.chat, "d03-fraud-child")).state == "waiting"


async def test_the_owner_is_reminded_but_not_more_often_than_wecom_lets(life: Life) -> None:
    await life.go_to("19:00", DAY2)
    notices = life.world.broadcasts.notices[life.owner(life.chat)]
    reminded = Counter(notice.ref for notice in notices if notice.kind == "reminder")
    # Of the morning's task twice; that of the afternoon is the same step's, and says nothing new.
    assert list(reminded.values()) == [2]
    assert await life.ledger("owner_reminded") == 2 * len(life.demo.town.groups)


async def test_an_owner_who_sent_words_of_his_own_just_before_gets_the_step_tomorrow(
    life: Life,
) -> None:
    await life.go_to("09:31", DAY2)
    owner = life.owner(life.chat)
    broadcast.owner_broadcasts_himself(life.world, owner, [life.chat], "这周六网点有义诊。")
    assert life.confirm(life.chat) == [3]
    await life.go_to("09:45", DAY2)
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.opens_at) == ("planned", local("09:30", DAY3))
    assert life.broadcasts_to(life.chat) == []
    assert await life.ledger("task_refused") == 1
    await life.go_to("09:31", DAY3)
    assert life.confirm(life.chat) == [1]
    await life.go_to("09:45", DAY3)
    assert (await life.step(life.chat, "d02-rules")).state == "confirmed"
    assert (await life.step(life.chat, "d03-fraud-child")).state == "planned"  # it gives way


async def test_a_task_is_for_its_own_group_only(life: Life) -> None:
    """WeCom would send to all of an owner's groups where none is named (field lesson D4)."""
    await life.go_to("09:31", DAY2)
    for chat in life.demo.town.groups:
        (msgid,) = life.tasks(chat)
        (task,) = life.world.broadcasts.need(msgid).tasks.values()
        assert list(task.outcomes) == [chat]


async def test_a_group_that_is_gone_gets_nothing_more(life: Life) -> None:
    await life.go_to("09:00", DAY2)
    groups.dismiss(life.world, life.chat)
    await life.go_to("12:00", DAY2)
    assert (await life.run_states())[life.chat] == "exited"
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "group_dismissed")
    assert life.broadcasts_to(life.chat) == []


async def test_wecom_unsure_about_a_task_is_not_asked_to_make_it_twice(life: Life) -> None:
    life.world.faults.plan("externalcontact/add_msg_template", "lost_answer", times=1)
    await life.go_to("11:00", DAY2)
    assert await life.ledger("message_in_doubt") == 1
    assert await life.ledger("doubt_cleared") == 1  # WeCom's list told that it had made it
    for chat in life.demo.town.groups:
        assert len(life.tasks(chat)) == 1
        assert life.confirm(chat) == [1]
    await life.wait(10)
    for chat in life.demo.town.groups:
        assert (await life.step(chat, "d02-rules")).state == "confirmed"


async def test_a_result_that_cannot_be_asked_for_at_the_windows_end_doubles_nothing(
    life: Life,
) -> None:
    await life.go_to("11:40", DAY2)
    assert life.confirm(life.chat) == [1]
    results = "externalcontact/get_groupmsg_send_result"
    life.world.faults.plan(results, "errcode", times=9, errcode=-1)
    await life.go_to("15:00", DAY2)
    assert len(life.broadcasts_to(life.chat)) == 1
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.iteration) == ("confirmed", 1)
