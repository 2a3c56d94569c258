"""D4: a group task goes to the groups of its script, never to all that its owner has."""

from __future__ import annotations

from bot.emulator import broadcast
from bot.emulator.groups import create
from tests.journeys.town import Life

DAY2 = "2026-10-13"


async def test_a_task_is_made_for_the_scripts_group_and_reaches_no_other_of_its_owner(
    life: Life,
) -> None:
    owner = life.owner(life.chat)
    stranger = life.member(life.chat, 3)
    private = create(life.world, owner, "家人群", [stranger], quiet=True).chat_id
    await life.go_to("09:31", DAY2)
    made = life.world.broadcasts.todo(owner)
    named = {chat for task in made for chat in task.tasks[owner].outcomes}
    assert life.chat in named
    assert private not in named
    for task in made:
        assert not task.may_choose  # no list of groups lets the owner, or WeCom, take them all
        broadcast.confirm(life.world, task.msgid, owner)
    assert len(life.broadcasts_to(life.chat)) == 1
    assert life.broadcasts_to(private) == []
