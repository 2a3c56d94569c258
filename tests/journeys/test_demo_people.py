"""The people of the demo answer when they are asked for a yes."""

from __future__ import annotations

import pytest

from bot.demo.people import Chance
from bot.demo.players import Act, Players
from tests.journeys.town import Life


@pytest.mark.parametrize("visitors", [True, False])
async def test_who_is_asked_alone_says_yes_or_leaves_it_to_whoever_plays_him(
    life: Life, visitors: bool
) -> None:
    acts: list[Act] = []
    players = Players(
        life.demo.town,
        life.demo.bot.content.bank,
        Chance(1),
        {},
        lambda at, act: acts.append(act),
        visitors=visitors,
    )
    players.look_round()
    acts.clear()
    asked = [one for one in life.demo.town.visitors if await life.asks("国债怎么买", one)]
    players.look_round()
    assert bool(acts) is visitors
    for act in acts:
        act()
    await life.settle()
    stages = [lead.stage for one in asked for lead in await life.leads(one)]
    assert ("new" in stages) is visitors
    assert "asking" in stages
