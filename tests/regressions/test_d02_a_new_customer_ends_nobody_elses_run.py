"""D2: a customer who enters a script leaves the run of every other customer as it is."""

from __future__ import annotations

from pathlib import Path

from bot.emulator.friends import befriend
from bot.workspace import Workspace
from tests.journeys.friends import SCRIPT, TEXT, with_friends
from tests.journeys.town import Life, live
from tests.make import local

BY_FRIEND = "进入: {方式: 事件, 事件: 添加好友}"


async def runs(life: Life) -> dict[str, dict[str, object]]:
    """Return each customer's run of the script, as it stands."""
    async with life.demo.bot.database.read() as tx:
        return {run.subject: run.model_dump() for run in await tx.runs.of_script(SCRIPT)}


async def test_enrolling_b_while_a_runs_leaves_a_unaffected(
    workspace: Workspace, tmp_path: Path
) -> None:
    text = TEXT.replace("进入: {方式: 手工}", BY_FRIEND)
    for kind in ("关怀", "活动"):  # what is for the public good lets in everybody
        text = text.replace(f"类型: {kind}", "类型: 公益")
    files = with_friends(workspace, tmp_path / "w", text)
    async with live(files, local("08:30"), groups=1, members=10) as life:
        strangers = [life.demo.town.visitors[number] for number in (3, 7)]
        manager = life.owner(life.chat)
        befriend(life.world, manager, strangers[0])
        await life.settle()
        before = (await runs(life))[strangers[0]]
        assert before["state"] == "running"
        befriend(life.world, manager, strangers[1])
        await life.settle()
        after = await runs(life)
        assert after[strangers[0]] == before
        assert after[strangers[1]]["state"] == "running"
