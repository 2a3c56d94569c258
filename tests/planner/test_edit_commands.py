"""``zhilin sop simulate``, ``diff`` and ``move`` as an ops person runs them."""

from __future__ import annotations

import json

from bot.bench.ground import SCRIPT
from tests.planner.test_sop_commands import FILE, GROUPS, Desk
from tests.planner.test_sop_commands import desk as desk

RULES = "今天说说咱们群的小规矩，就四条"


async def test_a_simulation_is_read_as_a_calendar(desk: Desk) -> None:
    said = await desk.run("simulate", SCRIPT, "--start", "2026-10-12", "--groups", "12")
    asked = ("谁进来", "10-13 周二", RULES, "任意七天的群发次数已满", "同事要点几次", "没有要改的")
    for words in asked:
        assert words in said
    path = str(desk.workspace.root / FILE)
    assert said == await desk.run("simulate", path, "--start", "2026-10-12", "--groups", "12")


FRIENDS = "new-friend-7d"
REFUSED = (
    (("nobody", "--start", "2026-10-12"), "没有剧本「nobody」"),
    ((SCRIPT, "--start", "明天"), "2026-10-12 的样子"),
    ((SCRIPT, "--start", "2026-10-12", "--rate", "下雨=1"), "不认识「下雨」"),
    ((SCRIPT, "--start", "2026-10-12", "--rate", "客户回复=2"), "0 到 1"),
    ((SCRIPT, "--start", "2026-10-12", "--event", "2:客户回复"), "--who"),
    ((SCRIPT, "--start", "2026-10-12", "--who", "1", "--event", "客户回复"), "2:客户回复"),
    ((SCRIPT, "--start", "2026-10-12", "--who", "1", "--fact", "身高=1"), "对象是客户群"),
    ((FRIENDS, "--start", "2026-10-12", "--who", "1", "--fact", "身高=1"), "没有「身高」"),
    ((SCRIPT, "--start", "2026-10-12", "--who", "999"), "一共只有"),
)


async def test_what_nobody_can_mean_is_refused_with_its_mend(desk: Desk) -> None:
    for words, mend in REFUSED:
        said = await desk.run("simulate", *words, refused=True)
        assert mend in said.replace("\n", "")


async def test_a_simulation_shows_what_the_wording_rules_hit(desk: Desk) -> None:
    desk.edit(RULES, "稳赚不赔，就四条")
    report = json.loads(
        await desk.run("simulate", SCRIPT, "--start", "2026-10-12", "--groups", "5", "--json")
    )
    assert any("稳赚" in hit for hit in report["hits"])


async def test_the_difference_says_who_is_concerned(desk: Desk) -> None:
    desk.edit(RULES, "今天说说咱们群的规矩，就四条")
    said = await desk.run("diff", SCRIPT, "--running")
    assert "d02-rules  改了文字" in said
    assert "〔小→〕" in said
    assert f"影响 {GROUPS} 个：安心群1、安心群2、安心群3" in said
    plain = json.loads(await desk.run("diff", SCRIPT, "--running", "--json"))
    assert [step["step"] for step in plain["steps"]] == ["d02-rules"]
    assert "两份不同的剧本" not in said
    others = await desk.run("diff", "sop/senior-21d.sop.yaml", "sop/new-friend-7d.sop.yaml")
    first = others.splitlines()[0]
    assert "两份不同的剧本，编号是 senior-21d 和 new-friend-7d" in first
    assert plain["running"]["runs"] == GROUPS


async def test_those_who_run_are_moved_after_a_look(desk: Desk) -> None:
    before = {run.version for run in await desk.running()}
    assert "没有在走的" in await desk.run("move", SCRIPT)
    desk.edit("改文件后: 只影响未到期步骤", "改文件后: 只影响新进入")
    desk.edit(RULES, "今天说说咱们群的规矩，就四条")
    await desk.serve()
    assert {run.version for run in await desk.running()} == before
    asked = await desk.run("move", SCRIPT, input="n\n")
    assert f"在走、还不在这一版的：{GROUPS} 个" in asked
    assert {run.version for run in await desk.running()} == before
    done = await desk.run("move", SCRIPT, "--yes", "--by", "运营-周岚")
    assert f"换好了 {GROUPS} 个" in done
    after = {run.version for run in await desk.running()}
    assert len(after) == 1
    assert not after & before
    assert await desk.ledger("moved") == GROUPS
    back = await desk.run("move", SCRIPT, "--to", next(iter(before))[:8], "--yes", "--json")
    assert json.loads(back)["moved"] == GROUPS
    assert "对不上" in await desk.run("move", SCRIPT, "--to", "zz", refused=True)
    assert "没有步骤" in await desk.run("move", SCRIPT, "--map", "a=b", refused=True)
