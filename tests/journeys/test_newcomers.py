"""Who comes late into a group: the owner gets what they missed, and asks before he sends it."""

from __future__ import annotations

from pathlib import Path

from bot.emulator import groups
from bot.workspace import Workspace, copy_workspace
from tests.journeys.town import Life, edit, live

LATE = "补课方式: 入群欢迎语附目录"


def alone(workspace: Workspace, folder: Path) -> Workspace:
    """Return a copy of the files in which newcomers are caught up with one by one."""
    copied = copy_workspace(workspace, folder)
    edit(copied, "sop/senior-21d.sop.yaml", LATE, "补课方式: 单独私聊")
    return copied


async def comes(life: Life) -> str:
    """Let a customer who is in no group join the first one; return who it is."""
    newcomer = life.visitor
    assert newcomer not in life.world.groups.need(life.chat).members
    groups.join(life.world, life.chat, [newcomer])
    await life.settle()
    return newcomer


async def test_the_owner_gets_what_a_newcomer_missed_and_nothing_goes_out_by_itself(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with live(alone(workspace, tmp_path / "w"), groups=1, members=10) as life:
        await life.had("d02-rules")
        newcomer = await comes(life)
        (card,) = life.cards(life.owner(life.chat), "late")
        assert "小规矩" in card.text
        assert "打不通就打 110" not in card.text  # is still to come
        assert life.world.deliveries.select("single", newcomer) == []
        await life.press(card, "sent")
        assert await life.ledger("late_joiners_caught_up") == 1
        async with life.demo.bot.database.read() as tx:
            found = await tx.occurrences.of_subjects([newcomer, life.chat])
        assert {one.kind for events in found.values() for one in events} >= {"客户入群"}


async def test_who_comes_before_anything_was_said_has_missed_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with live(alone(workspace, tmp_path / "w"), groups=1, members=10) as life:
        await comes(life)
        assert life.all_cards("late") == []


async def test_without_the_files_wish_nobody_is_asked(life: Life) -> None:
    await life.had("d02-rules")
    await comes(life)
    assert life.all_cards("late") == []


async def test_an_owner_is_not_called_outside_the_hours_of_the_script(
    workspace: Workspace, tmp_path: Path
) -> None:
    """只在 counts as 静默时段 does: people are not called when they may not write."""
    files = alone(workspace, tmp_path / "w")
    mornings = '只在: {工作日: ["08:30-11:45"]}'
    edit(files, "sop/senior-21d.sop.yaml", '静默时段: ["11:45-14:30", "19:30-08:30"]', mornings)
    async with live(files, groups=1, members=10) as life:
        await life.had("d02-rules")
        await life.go_to("15:00", "2026-10-13")
        await comes(life)
        assert life.all_cards("late") == []
        await life.go_to("08:45", "2026-10-14")
        assert len(life.all_cards("late")) == 1
