"""Words in a group become a lead: once, with the right person, and buttons that work."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.emulator.contact import befriend
from bot.workspace import Workspace
from tests.journeys.town import Life, live


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a town with one group: most of these stories play on its eleventh day."""
    async with live(workspace, groups=1, members=10) as town:
        yield town


async def test_a_keyword_said_twice_is_one_lead_with_both_quotes(life: Life) -> None:
    await life.had("d11-event-invite")
    member, owner = life.member(life.chat), life.owner(life.chat)
    await life.says(life.chat, member, "报名")
    await life.wait(10)
    await life.says(life.chat, member, "我和老伴都报名,我来")
    (lead,) = await life.leads(member)
    assert (lead.need.value, lead.rm, lead.stage) == ("活动", owner, "new")
    assert [item.quote for item in lead.evidence] == ["报名", "我和老伴都报名,我来"]
    assert (lead.script, lead.step) == ("senior-21d", "d11-event-invite")
    (card,) = life.cards(owner, "lead")
    name = life.world.customers[member].nickname
    assert name in card.text
    assert "报名" in card.text


async def test_the_card_goes_to_the_customers_own_manager_not_to_the_groups_owner(
    life: Life,
) -> None:
    await life.had("d11-event-invite")
    member, owner = life.member(life.chat), life.owner(life.chat)
    bank = life.demo.bot.content.bank
    me = bank.member(owner)
    colleague = next(
        one.userid
        for one in bank.staff
        if one.role == "客户经理" and one.userid != owner and me and one.branch == me.branch
    )
    life.demo.clock.advance(minutes=1)
    befriend(life.world, colleague, member)  # the newest relation
    await life.says(life.chat, member, "报名")
    (lead,) = await life.leads(member)
    assert lead.rm == colleague
    assert len(life.cards(colleague, "lead")) == 1
    assert life.cards(owner, "lead") == []


async def test_taking_a_lead_updates_the_card_and_nobody_else_is_asked(life: Life) -> None:
    await life.had("d11-event-invite")
    await life.says(life.chat, life.member(life.chat), "报名")
    owner = life.owner(life.chat)
    (card,) = life.cards(owner, "lead")
    await life.press(card, "take")
    (lead,) = await life.leads()
    assert (lead.stage, lead.rm, lead.taken_at) == ("taken", owner, life.world.now())
    assert life.cards(owner, "lead") == []
    await life.wait(60)
    assert await life.ledger("lead_offered_again") == 0
    assert (await life.leads())[0].rm == owner


async def test_a_second_press_before_the_card_is_grey_changes_nothing(life: Life) -> None:
    await life.had("d11-event-invite")
    await life.says(life.chat, life.member(life.chat), "报名")
    (card,) = life.cards(life.owner(life.chat), "lead")
    key = next(key for key in card.buttons if key.endswith(":take"))
    for _ in range(2):
        life.world.app_messages.press(card.userid, card.msgid, key)
    await life.settle()
    assert await life.ledger("lead_taken") == 1


async def test_passing_a_lead_on_gives_the_colleague_a_card_and_a_watch(life: Life) -> None:
    await life.had("d11-event-invite")
    await life.says(life.chat, life.member(life.chat), "报名")
    owner = life.owner(life.chat)
    (card,) = life.cards(owner, "lead")
    selection = card.content["button_selection"]
    colleague = selection["option_list"][0]["id"]
    await life.press(card, "reassign", {selection["question_key"]: [colleague]})
    (lead,) = await life.leads()
    assert (lead.rm, lead.stage) == (colleague, "new")
    (passed,) = life.cards(colleague, "lead")
    assert life.cards(owner, "lead") == []
    await life.wait(5 * 60)
    assert await life.ledger("lead_escalated") == 1
    assert passed.buttons == {}, "the offer lapsed"
    (nobodys,) = life.cards(colleague, "lead")  # he heads the branch
    assert "还没有人接手" in nobodys.text
    await life.press(nobodys, "take")
    (lead,) = await life.leads()
    assert (lead.rm, lead.stage) == (colleague, "taken")


async def test_passing_on_without_choosing_anybody_changes_nothing(life: Life) -> None:
    await life.had("d11-event-invite")
    await life.says(life.chat, life.member(life.chat), "报名")
    (card,) = life.cards(life.owner(life.chat), "lead")
    await life.press(card, "reassign")
    (lead,) = await life.leads()
    assert (lead.rm, lead.stage) == (life.owner(life.chat), "new")
    assert len(life.all_cards("lead")) <= 1


async def test_an_invalid_lead_is_closed_and_the_next_words_open_another(life: Life) -> None:
    await life.had("d11-event-invite")
    member = life.member(life.chat)
    await life.says(life.chat, member, "报名")
    (card,) = life.cards(life.owner(life.chat), "lead")
    await life.press(card, "invalid")
    (lead,) = await life.leads()
    assert lead.stage == "invalid"
    assert lead.closed_at is not None
    await life.says(life.chat, member, "报名")
    assert [one.stage for one in await life.leads(member)] == ["invalid", "new"]


async def test_consent_is_asked_for_before_a_card_goes_out(life: Life) -> None:
    await life.had("d12-fin-literacy")
    yes, no = life.member(life.chat, 0), life.member(life.chat, 1)
    owner = life.owner(life.chat)
    for member in (yes, no):
        await life.says(life.chat, member, "三笔钱")
    assert [lead.stage for lead in await life.leads()] == ["asking", "asking"]
    assert life.cards(owner, "lead") == []
    drafts = life.cards(owner, "draft")
    assert len(drafts) == 2
    assert "可以打电话" in drafts[0].text
    await life.says(life.chat, yes, "可以")  # the owner has not asked yet: a yes to something else
    assert [lead.stage for lead in await life.leads()] == ["asking", "asking"]
    for draft in drafts:
        await life.press(draft, "sent")
    await life.wait(20)
    await life.says(life.chat, yes, "可以")
    await life.says(life.chat, no, "不用了")
    agreed, refused = (await life.leads(yes))[0], (await life.leads(no))[0]
    assert (agreed.stage, refused.stage) == ("new", "refused")
    assert (agreed.respond_by - life.world.now()).total_seconds() == 240 * 60
    (card,) = life.cards(owner, "lead")
    assert card.task_id.startswith(f"lead-{agreed.id}-")


async def test_wanting_a_person_on_wechat_opens_a_lead_and_brings_one(life: Life) -> None:
    await life.go_to("08:31")
    answers = await life.asks("我要找人工")
    assert len(answers) == 1
    (lead,) = await life.leads(life.visitor)
    assert lead.need.value == "找人工"
    assert life.state() == 3


async def test_who_comes_back_to_a_taken_lead_is_not_overheard(life: Life) -> None:
    await life.asks("有人让我共享屏幕")
    (lead,) = await life.leads(life.visitor)
    (card,) = life.cards(lead.rm, "lead")
    await life.press(card, "take")
    life.world.kf.servicer_ends(life.demo.town.kf_account, life.visitor)
    await life.settle()
    await life.asks("我刚把钱转给陌生人了")
    assert len(await life.leads(life.visitor)) == 1
    words = [item.text for item in life.world.app_messages.inbox(lead.rm)]
    assert any("又说" in text and "转给陌生人" in text for text in words)


async def test_passing_on_without_naming_anybody_leaves_the_buttons(life: Life) -> None:
    await life.asks("我要找人工")
    (lead,) = await life.leads(life.visitor)
    (card,) = life.cards(lead.rm, "lead")
    await life.press(card, "reassign")
    again = life.world.app_messages.item(lead.rm, card.msgid)
    assert "接手" in again.buttons.values()
    assert (await life.leads(life.visitor))[0].stage == "new"
