"""A lead moves in the sidebar or in the terminal: the card in WeCom says so, once, and stays so."""

from __future__ import annotations

import pytest

from bot.domain.ids import RmId
from bot.domain.lead import Lead
from bot.domain.lead_rights import BY_OPS
from bot.emulator.app import InboxItem
from bot.emulator.contact import befriend
from bot.workers.lead_desk import desk_beside
from tests.journeys.sidebar import browser
from tests.journeys.staff import HEAD, RM
from tests.journeys.town import Life

COLLEAGUE = "wang.haoran"
CODE_DAYS = 3


async def given(life: Life) -> tuple[Lead, InboxItem]:
    """Let the manager's friend want something; return the lead and its card."""
    befriend(life.world, RM, life.visitor, quiet=True)
    await life.go_to("09:30")
    await life.asks("我想问问理财，让客户经理给我打电话")
    (lead,) = await life.leads(life.visitor)
    (card,) = life.cards(RM, f"lead:{lead.id}:")
    return lead, card


async def in_sidebar(life: Life, member: str, lead: Lead, act: str, choice: str = "") -> None:
    async with browser(life, member) as page:
        status, told = await page.post(f"api/leads/{lead.id}", {"act": act, "choice": choice})
    assert status == 200, told
    await life.settle()


async def in_terminal(life: Life, lead: Lead, to: str) -> None:
    """Pass a lead on as ``zhilin leads assign`` does: beside the bot, which sends what is said."""
    content = life.demo.bot.content
    desk = desk_beside(lambda: content.bank, lambda: content.tables, content.assigning)
    async with life.demo.bot.database.begin() as tx:
        await desk.pass_on(tx, lead.id, RmId(to), BY_OPS, life.world.now())
    await life.settle()


def updates(states: dict[str, str]) -> list[str]:
    return [state for key, state in states.items() if key.startswith("lead-card:")]


async def test_taken_in_the_sidebar_the_card_still_works_and_ended_there_it_is_grey(
    life: Life,
) -> None:
    lead, card = await given(life)
    await in_sidebar(life, RM, lead, "take")
    assert (card.replaced, next(iter(card.buttons.values()))) == ("", "接手")
    await life.press(card, "take")
    assert card.text.startswith("您已接手")
    await in_sidebar(life, RM, lead, "contacted")
    await in_sidebar(life, RM, lead, "done")
    assert (card.replaced, card.buttons) == ("已办结", {})
    assert updates(await life.outbox_states()) == ["sent"]


async def test_passed_on_in_the_terminal_the_card_says_to_whom(life: Life) -> None:
    lead, card = await given(life)
    await in_terminal(life, lead, COLLEAGUE)
    assert (card.replaced, card.buttons) == ("已转给王浩然", {})
    (other,) = life.cards(COLLEAGUE, f"lead:{lead.id}:")
    await in_sidebar(life, HEAD, lead, "take")
    assert (other.replaced, other.buttons) == ("已由沈明远接手", {})


async def test_a_card_that_was_pressed_to_the_end_is_changed_by_its_press_alone(
    life: Life,
) -> None:
    _, card = await given(life)
    await life.press(card, "invalid")
    assert card.replaced == "已标记无效"
    assert updates(await life.outbox_states()) == []


async def test_after_three_days_nothing_is_sent_and_a_press_says_how_things_stand(
    life: Life,
) -> None:
    lead, card = await given(life)
    await in_sidebar(life, RM, lead, "take")
    await life.go_to("10:00", f"2026-10-{12 + CODE_DAYS}")
    await in_sidebar(life, RM, lead, "done")
    assert updates(await life.outbox_states()) == []
    await life.press(card, "take")
    assert card.replaced == "已经办结"


async def test_an_offer_that_lapsed_is_gone_from_the_first_ones_card(life: Life) -> None:
    lead, card = await given(life)
    await life.wait(16)
    (lead,) = await life.leads(life.visitor)
    assert lead.rm not in ("", RM)
    name = life.demo.bot.content.bank.member(lead.rm)
    assert name is not None
    assert card.replaced == f"已转给{name.name}"


async def test_a_lead_is_taken_though_no_words_for_it_can_be_found(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    befriend(life.world, RM, life.visitor, quiet=True)
    await life.go_to("09:30")
    await life.asks("我想买国债，帮我办一下")
    (lead,) = await life.leads(life.visitor)
    (card,) = life.cards(RM, f"lead:{lead.id}:")

    async def broken(*_: object) -> None:
        raise RuntimeError("the index is gone")

    monkeypatch.setattr(life.demo.bot.content.answerer, "answer", broken)
    await life.press(card, "take")
    assert card.text.startswith("您已接手")
    packet = life.world.app_messages.inbox(RM)[-1].text
    assert "可以这样说" in packet
