"""What a manager gets who is called to somebody in danger: steps and words of that very danger."""

from __future__ import annotations

import pytest

from bot.emulator.contact import befriend
from tests.journeys.staff import RM
from tests.journeys.town import Life


async def texts(life: Life, words: str) -> list[str]:
    """Let the manager's friend write; return what the manager gets of it, and after taking it."""
    before = len(life.world.app_messages.inbox(RM))
    await life.asks(words)
    for card in life.cards(RM, "lead:"):
        await life.press(card, "take")
    return [item.text for item in life.world.app_messages.inbox(RM)[before:]]


@pytest.mark.parametrize(
    ("words", "wanted"), [("安眠药我都攒好了", "12356"), ("我爸嘴歪了，说不出话了", "120")]
)
async def test_who_wants_to_die_or_is_ill_is_not_answered_as_one_who_is_robbed(
    life: Life, words: str, wanted: str
) -> None:
    befriend(life.world, RM, life.visitor, quiet=True)
    await life.go_to("09:30")
    got = await texts(life, words)
    told = "\n".join(got)
    assert wanted in told
    assert not any(other in told for other in ("您先别转", "共享", "96110", "挂失"))


async def test_who_is_being_robbed_is_answered_with_what_was_written_for_it(life: Life) -> None:
    befriend(life.world, RM, life.visitor, quiet=True)
    await life.go_to("09:30")
    told = "\n".join(await texts(life, "我被骗了，钱刚转给骗子了"))
    assert "关掉共享的屏幕" in told
    assert "银行不会打电话催您" not in told


async def test_who_asks_what_to_say_to_somebody_in_danger_is_told_what_to_do_first(
    life: Life,
) -> None:
    befriend(life.world, RM, life.visitor, quiet=True)
    await life.go_to("09:30")
    await texts(life, "安眠药我都攒好了")
    name = life.world.customers[life.visitor].nickname
    agent = life.demo.settings.wecom.agent_id
    life.world.app_messages.member_says(RM, agent, f"怎么跟{name}说")
    await life.settle()
    told = life.world.app_messages.inbox(RM)[-1].text
    assert "先做：心理援助热线 12356" in told
    assert "您说的我都听着" in told
    assert "问清楚再回您" not in told


async def test_another_danger_in_the_same_talk_comes_with_its_own_first_steps(life: Life) -> None:
    befriend(life.world, RM, life.visitor, quiet=True)
    await life.go_to("09:30")
    await texts(life, "安眠药我都攒好了")
    await life.wait(2)
    told = [text for text in await texts(life, "我爸晕倒了叫不醒") if "又说" in text]
    assert "请客户或家人马上打 120" in told[0]
    assert "12356" not in told[0]
