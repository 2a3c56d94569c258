"""D11: one group goes and another comes at once; their number is the same, their runs are not."""

from __future__ import annotations

from bot.emulator.group_actions import create, dismiss
from tests.journeys.town import Life


async def states(life: Life) -> dict[str, str]:
    """Return each group's run of the 21-day script with its state."""
    async with life.demo.bot.database.read() as tx:
        return {run.subject: run.state for run in await tx.runs.of_script("senior-21d")}


async def test_a_group_that_takes_anothers_place_gets_a_run_of_its_own(life: Life) -> None:
    old = life.world.groups.need(life.chat)
    before = await states(life)
    customers = list(old.customers())
    dismiss(life.world, old.chat_id)
    new = create(life.world, old.owner, "梧桐街银龄安心群九", customers)
    await life.settle()
    after = await states(life)
    assert len(life.world.groups.living()) == len(before)
    assert after[old.chat_id] != "running"
    assert after[new.chat_id] in ("running", "held_out")
    assert {chat: after[chat] for chat in before if chat != old.chat_id} == {
        chat: state for chat, state in before.items() if chat != old.chat_id
    }
