"""D10: an edit, a pause, a lost friend between plan and fire count when the step fires."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.emulator import broadcast
from bot.emulator.friends import befriend, unfriend
from bot.workers.content import version_of
from bot.workers.orders import Orders
from bot.workspace import Workspace
from tests.journeys.friends import SCRIPT, TEXT, with_friends
from tests.journeys.town import Life, edit, live
from tests.make import ZONE, local

FILE = f"sop/{SCRIPT}.sop.yaml"
BY_HAND = "进入: {方式: 手工}"
MOVED = f"{BY_HAND}\n改文件后: 只影响未到期步骤"
OLD, NEW = "往后有事直接找我", "有事随时找我"


class Story:
    """A customer who has just become a manager's friend, whose first words are planned."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.customer = life.demo.town.visitors[3]
        self.manager = life.owner(life.chat)

    async def begin(self) -> None:
        """Let the two have just become friends, and the script have begun."""
        befriend(self.life.world, self.manager, self.customer)
        await self.life.settle()
        content, now = self.life.demo.bot.content, self.life.demo.clock.now()
        async with self.life.demo.bot.database.begin() as tx:
            run = await tx.runs.enrol(
                script=SCRIPT,
                version=version_of(content.snapshot.scripts[SCRIPT]),
                subject=self.customer,
                owner=self.manager,
                branch="",
                anchor=now.astimezone(ZONE).date(),
                state="running",
                now=now,
            )
            assert run is not None
            await tx.runs.change(run, subject_kind="customer")
        await self.life.settle()

    def press(self) -> None:
        """Let the manager send whatever waits."""
        for task in self.life.world.broadcasts.todo(self.manager):
            if self.customer in task.tasks[self.manager].outcomes:
                broadcast.confirm(self.life.world, task.msgid, self.manager)

    async def said(self) -> list[str]:
        """Return what reached the customer by the manager's hand by half past eleven."""
        await self.life.go_to("10:30")
        self.press()
        await self.life.go_to("11:20")
        self.press()
        await self.life.settle()
        return [item.text for item in self.life.world.deliveries.select("single", self.customer)]


@pytest.fixture
async def story(workspace: Workspace, tmp_path: Path) -> AsyncIterator[Story]:
    text = TEXT.replace(BY_HAND, MOVED)
    files = with_friends(workspace, tmp_path / "w", text)
    async with live(files, local("08:30"), groups=1, members=4) as life:
        made = Story(life)
        await made.begin()
        yield made


async def test_an_edit_reaches_a_step_that_is_planned(story: Story) -> None:
    edit(story.life.demo.workspace, FILE, OLD, NEW)
    assert await story.life.demo.bot.content_worker.reload()
    (said,) = await story.said()
    assert NEW in said
    assert OLD not in said


async def test_a_pause_before_firing_sends_nothing(story: Story) -> None:
    bot = story.life.demo.bot
    orders = Orders(bot.database, bot.content.bank, story.life.demo.clock, "王芳", "演练")
    (target,) = await orders.meant([f"客户:{story.customer}"])
    await orders.hold(target, "pause")
    assert await story.said() == []


async def test_a_friend_who_is_lost_gets_nothing_and_leaves(story: Story) -> None:
    unfriend(story.life.world, story.manager, story.customer, by="customer")
    assert await story.said() == []
    async with story.life.demo.bot.database.read() as tx:
        (run,) = await tx.runs.of_subject(story.customer, state=None)
    assert run.state == "exited"
