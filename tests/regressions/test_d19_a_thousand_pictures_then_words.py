"""D19: the archive's place moves past every kind of message, not past texts alone."""

from __future__ import annotations

from bot.emulator import groups
from tests.journeys.town import Life


async def test_words_after_a_thousand_pictures_are_read(life: Life) -> None:
    member, owner = life.member(life.chat), life.owner(life.chat)
    for _ in range(1000):
        groups.says(life.world, life.chat, member, "x", msgtype="image")
    await life.settle()

    await life.says(life.chat, member, "取五万块钱要提前预约吗?")

    (card,) = life.cards(owner, "draft")
    assert "预约" in card.text
