"""People's orders while the bot runs: pause, go on, terminate, take a text back."""

from __future__ import annotations

from bot.domain.targets import Target
from bot.domain.withdrawal import body_hash, text_of
from bot.workers.orders import Orders, Recalled, stored_scripts
from tests.journeys.town import SCRIPT, Life, edit

FILE = "sop/senior-21d.sop.yaml"
DAY2, DAY3 = "2026-10-13", "2026-10-14"
RULES, CHILD = "今天说说咱们群的小规矩，就四条", "今天讲一个常见的骗法"


def orders(life: Life) -> Orders:
    bot = life.demo.bot
    return Orders(bot.database, bot.content.bank, life.demo.clock, "王芳", "演练")


async def meant(life: Life, words: str) -> Target:
    (target,) = await orders(life).meant([words])
    return target


async def withdraw(life: Life, step: str) -> Recalled:
    async with life.demo.bot.database.read() as tx:
        script = (await stored_scripts(tx))[SCRIPT]
    part = script.part(step)
    assert part is not None
    recalled = await orders(life).withdraw(script, step, [body_hash(text_of(part))])
    await life.settle()
    return recalled


async def test_a_pause_sends_nothing_and_what_was_missed_is_judged_when_it_ends(
    life: Life,
) -> None:
    target = await meant(life, SCRIPT)
    assert await orders(life).hold(target, "pause")
    assert not await orders(life).hold(target, "pause")
    await life.demo.restart()  # nothing of it is kept in a process
    await life.go_to("10:00", DAY2)
    assert [life.tasks(chat) for chat in life.demo.town.groups] == [[], [], []]
    assert (await life.step(life.chat, "d02-rules")).state == "planned"
    assert await orders(life).resume(target) == ["pause"]
    await life.wait(1)
    assert [len(life.tasks(chat)) for chat in life.demo.town.groups] == [1, 1, 1]
    assert await orders(life).resume(target) == []
    async with life.demo.bot.database.read() as tx:
        (entry,) = await tx.ledger.of_kinds(["sop_paused"])
    assert (entry.subject, entry.facts["by"], entry.facts["why"]) == (SCRIPT, "王芳", "演练")


async def test_one_group_is_paused_and_the_others_go_on(life: Life) -> None:
    first, *others = life.demo.town.groups
    await orders(life).hold(await meant(life, f"群:{first}"), "pause")
    await orders(life).hold(await meant(life, f"{SCRIPT}/d03-fraud-child"), "pause")
    await life.go_to("09:31", DAY2)
    assert life.tasks(first) == []
    assert [len(life.tasks(chat)) for chat in others] == [1] * len(others)
    for chat in others:
        assert life.confirm(chat) == [1]
    await life.go_to("09:31", DAY3)
    assert [life.tasks(chat) for chat in life.demo.town.groups] == [[], [], []]


async def test_terminate_takes_tasks_out_of_owners_lists_and_lets_nobody_in(life: Life) -> None:
    await life.go_to("09:31", DAY2)
    target = await meant(life, SCRIPT)
    extent = await orders(life).extent(target)
    assert (extent.runs, extent.tasks) == (3, 3)
    shown: list[int] = []
    assert await orders(life).terminate(target, shown.append) == 3
    await life.settle()
    assert shown == [3]
    assert set((await life.run_states()).values()) == {"exited"}
    assert [life.tasks(chat) for chat in life.demo.town.groups] == [[], [], []]
    async with life.demo.bot.database.read() as tx:
        holds = await life.demo.bot.content.holds(tx, [], life.demo.clock.now())
    assert holds.draining(SCRIPT) == "drained"


async def test_a_terminated_step_leaves_owners_lists_and_its_runs_go_on(life: Life) -> None:
    await life.go_to("09:31", DAY2)
    assert [len(life.tasks(chat)) for chat in life.demo.town.groups] == [1, 1, 1]
    target = await meant(life, f"{SCRIPT}/d02-rules")
    assert await orders(life).terminate(target, lambda ended: None) == 3
    await life.settle()
    assert [life.tasks(chat) for chat in life.demo.town.groups] == [[], [], []]
    assert set((await life.run_states()).values()) == {"running"}
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "terminated")
    await life.go_to("09:31", DAY3)
    assert [len(life.tasks(chat)) for chat in life.demo.town.groups] == [1, 1, 1]


async def test_a_withdrawn_text_is_taken_back_everywhere_and_who_had_it_is_listed(
    life: Life,
) -> None:
    first, *others = life.demo.town.groups
    await life.go_to("09:31", DAY2)
    assert life.confirm(first) == [1]
    await life.wait(10)
    recalled = await withdraw(life, "d02-rules")
    (had,) = recalled.delivered
    assert (had.subject, had.name) == (first, life.world.groups.need(first).name)
    assert recalled.taken_back == len(others)
    assert [life.tasks(chat) for chat in others] == [[] for _ in others]
    step = await life.step(others[0], "d02-rules")
    assert (step.state, step.reason) == ("skipped", "withdrawn")
    assert (await life.step(first, "d02-rules")).state == "confirmed"
    await life.go_to("09:31", DAY3)
    assert [len(life.tasks(chat)) for chat in life.demo.town.groups] == [1, 1, 1]  # it goes on


async def test_a_withdrawn_text_is_skipped_until_its_words_change(life: Life) -> None:
    assert (await withdraw(life, "d03-fraud-child")).taken_back == 0
    assert (await withdraw(life, "d02-rules")).delivered == ()
    edit(life.demo.workspace, FILE, CHILD, "【改】" + CHILD)
    assert await life.demo.bot.content_worker.reload()
    await life.go_to("09:31", DAY2)
    assert life.tasks(life.chat) == []
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "withdrawn")
    await life.go_to("09:31", DAY3)
    assert life.confirm(life.chat) == [1]
    assert life.broadcasts_to(life.chat)[-1].text.startswith("【改】" + CHILD)
