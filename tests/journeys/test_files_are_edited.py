"""Ops save a file while the bot runs: a broken one is told and changes nothing else."""

from __future__ import annotations

from tests.journeys.town import Life, edit

SCRIPT = "sop/senior-21d.sop.yaml"
DAY2, DAY3 = "2026-10-13", "2026-10-14"
RULES, CHILD = "今天说说咱们群的小规矩，就四条", "今天讲一个常见的骗法"


async def test_a_broken_edit_is_told_with_its_line_and_the_last_good_version_goes_on(
    life: Life,
) -> None:
    edit(life.demo.workspace, SCRIPT, RULES, "【新】" + RULES)
    text = (life.demo.workspace.root / SCRIPT).read_text("utf-8")
    edit(
        life.demo.workspace,
        SCRIPT,
        "编号: d03-fraud-child\n    第几天: 3",
        "编号: d03-fraud-child\n    第几夭: 3",
    )
    line = text[: text.index("编号: d03-fraud-child")].count("\n") + 2
    assert not await life.demo.bot.content_worker.reload()
    problem = next(p for p in life.demo.bot.content.problems if p.line == line)
    assert problem.file.endswith("senior-21d.sop.yaml")
    assert "第几夭" in str(problem)
    assert problem.mend
    await life.go_to("09:31", DAY2)
    assert life.confirm(life.chat) == [1]
    (message,) = life.broadcasts_to(life.chat)
    assert message.text.startswith(RULES)


async def test_once_mended_the_edit_is_published_and_the_problem_gone(life: Life) -> None:
    edit(life.demo.workspace, SCRIPT, "发送方式: 入群欢迎语", "发送方式: 飞鸽传书")
    assert not await life.demo.bot.content_worker.reload()
    assert life.demo.bot.content.problems
    edit(life.demo.workspace, SCRIPT, "发送方式: 飞鸽传书", "发送方式: 入群欢迎语")
    edit(life.demo.workspace, SCRIPT, RULES, "【新】" + RULES)
    assert await life.demo.bot.content_worker.reload()
    assert life.demo.bot.content.problems == ()
    assert await life.ledger("script_published") >= 2
    await life.go_to("09:31", DAY2)
    assert life.confirm(life.chat) == [1]
    assert life.broadcasts_to(life.chat)[0].text.startswith("【新】")


async def test_a_good_edit_moves_only_the_steps_that_have_not_begun(life: Life) -> None:
    await life.go_to("09:31", DAY2)
    edit(life.demo.workspace, SCRIPT, RULES, "【新】" + RULES)
    edit(life.demo.workspace, SCRIPT, CHILD, "【新】" + CHILD)
    assert await life.demo.bot.content_worker.reload()
    await life.settle()
    assert [len(life.tasks(chat)) for chat in life.demo.town.groups] == [1, 1, 1]
    assert life.confirm(life.chat) == [1]
    await life.go_to("09:31", DAY3)
    life.confirm(life.chat)
    second, third = life.broadcasts_to(life.chat)
    assert second.text.startswith(RULES)  # its task had been made: it keeps its words
    assert third.text.startswith("【新】" + CHILD)
    assert (await life.step(life.chat, "d02-rules")).iteration == 1


async def test_a_step_that_is_taken_out_is_not_sent_and_the_rest_goes_on(life: Life) -> None:
    file = life.demo.workspace.root / SCRIPT
    text = file.read_text("utf-8")
    begins, ends = text.index("  - 编号: d02-rules"), text.index("  - 编号: d03-fraud-child")
    text = (text[:begins] + text[ends:]).replace(
        "[d01-welcome, d02-rules, d03", "[d01-welcome, d03"
    )
    file.write_text(text, "utf-8")
    assert await life.demo.bot.content_worker.reload(), life.demo.bot.content.problems
    await life.go_to("09:31", DAY2)
    assert life.tasks(life.chat) == []
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "step_removed")
    await life.go_to("09:31", DAY3)
    assert len(life.tasks(life.chat)) == 1


async def test_files_that_cannot_be_read_stop_nothing(life: Life) -> None:
    file = life.demo.workspace.root / "knowledge" / "faq" / "card.qa.yaml"
    file.write_bytes(b"\xff\xfe\x00 broken")
    assert not await life.demo.bot.content_worker.reload()
    assert any("card.qa.yaml" in problem.file for problem in life.demo.bot.content.problems)
    (answer,) = await life.asks("存单快到期了,怎么办呀")
    assert "依据" in answer


async def test_a_script_that_is_withdrawn_sends_nothing_more(life: Life) -> None:
    edit(life.demo.workspace, SCRIPT, "状态: 已发布 ", "状态: 停用 ")
    reloaded = await life.demo.bot.content_worker.reload()
    assert reloaded, life.demo.bot.content.problems
    await life.go_to("09:31", DAY2)
    assert [life.tasks(chat) for chat in life.demo.town.groups] == [[], [], []]
    step = await life.step(life.chat, "d02-rules")
    assert (step.state, step.reason) == ("skipped", "script_stopped")
