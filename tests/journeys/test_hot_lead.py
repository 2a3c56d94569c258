"""A customer shows a need: in words, in a group, by a day that comes. Who is told, and when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.ids import CustomerId
from bot.domain.lead import Lead
from bot.emulator import friends
from bot.leads.report import Ratio, report_of
from bot.workers.bank_data import take_facts
from bot.workspace import Workspace
from tests.journeys.friends import manager_of, writes
from tests.journeys.town import Life, live
from tests.make import local


@pytest.fixture
async def day(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a town at ten in the morning of a Monday."""
    async with live(workspace, local("10:00"), groups=1, members=10) as town:
        yield town


async def the_lead(life: Life, customer: str = "") -> Lead:
    (lead,) = await life.leads(customer or life.visitor)
    return lead


async def befriended(life: Life) -> str:
    """Return a member of the group who is a friend of its owner's."""
    async with life.demo.bot.database.read() as tx:
        group = await tx.people.group(life.chat)
        assert group is not None
        for member in group.customers:
            known = await tx.people.customer(CustomerId(member.id))
            if known is not None and group.owner in known.managers:
                return member.id
    member, owner = life.member(life.chat), life.owner(life.chat)
    friends.befriend(life.world, owner, member)
    await life.settle()
    return member


async def test_a_hot_lead_is_taken_in_time_and_answered_by_a_person(day: Life) -> None:
    (answer,) = await day.asks("我想买点国债，找谁办")
    manager = manager_of(day, day.visitor)
    assert "已经告诉" in answer
    lead = await the_lead(day)
    assert (lead.need.value, lead.product, lead.stage) == ("理财咨询", "国债", "new")
    assert (lead.rm, lead.origin, lead.asked) == (manager, "kf", False)
    assert {"explicit", "product", "friend"} <= {one.code for one in lead.reasons}
    (card,) = day.cards(manager, "lead")
    assert "国债" in card.text
    await day.wait(8)
    await day.press(card, "take")
    await day.wait(5)
    friends.says(
        day.world, manager, day.visitor, "您好，我是您的客户经理，国债的事我跟您说说", by="member"
    )
    await day.settle()
    lead = await the_lead(day)
    assert lead.stage == "taken"
    assert lead.first_response_at is not None
    assert lead.first_response_at - lead.opened_at <= timedelta(minutes=15)
    done = report_of([lead], day.world.now())
    assert (done.taken, done.in_time, done.late) == (Ratio(1, 1), Ratio(1, 1), Ratio(0, 1))
    assert await day.ledger("lead_escalated") == 0


async def test_a_wish_is_the_need_and_class_that_was_said_whatever_answer_was_found(
    day: Life,
) -> None:
    """An approved answer opens the first, advice that is declined stood before the second."""
    card, house = day.demo.town.visitors[:2]
    await day.asks("我要办张信用卡", card)
    lead = await the_lead(day, card)
    assert (lead.need.value, lead.product, lead.stage) == ("银行卡", "信用卡", "new")
    (answer,) = await day.asks("帮我办个房贷", house)
    assert "已经告诉" in answer
    lead = await the_lead(day, house)
    assert (lead.need.value, lead.product, lead.stage) == ("贷款咨询", "房贷", "new")


async def test_who_only_asks_is_asked_back_and_a_yes_brings_the_manager(day: Life) -> None:
    (answer,) = await day.asks("国债怎么买")
    assert answer.endswith("回「好」就行，不用也没关系。")
    lead = await the_lead(day)
    manager = manager_of(day, day.visitor)
    assert (lead.stage, lead.asked) == ("asking", True)
    assert day.cards(manager, "lead") == []
    (answer,) = await day.asks("好")
    assert "会联系您" in answer
    assert (await the_lead(day)).stage == "new"
    assert len(day.cards(manager, "lead")) == 1


async def test_a_no_is_kept_to_and_nobody_asks_again(day: Life) -> None:
    await day.asks("国债怎么买")
    await day.asks("不用了")
    assert (await the_lead(day)).stage == "refused"
    await day.wait(60)
    (answer,) = await day.asks("大额存单怎么买")
    assert "回「好」" not in answer
    assert len(await day.leads(day.visitor)) == 1


async def test_who_is_told_once_is_not_told_at_every_word(day: Life) -> None:
    await day.asks("我想买点国债，找谁办")
    await day.wait(5)
    (answer,) = await day.asks("国债几号开始卖")
    assert "已经告诉" not in answer
    assert "回「好」" not in answer
    assert len(await day.leads(day.visitor)) == 1


async def test_in_a_group_nobody_is_asked_before_the_others(day: Life) -> None:
    member, owner = await befriended(day), day.owner(day.chat)
    await day.says(day.chat, member, "国债怎么买呀")
    lead = await the_lead(day, member)
    assert (lead.stage, lead.origin, lead.chat) == ("asking", "group", "")
    asking = [card for card in day.cards(owner, "draft") if "单独跟您细说" in card.text]
    assert len(asking) == 1
    await day.press(asking[0], "sent")
    await day.wait(5)
    await day.says(day.chat, member, "好")  # to the group, and not to the question
    assert (await the_lead(day, member)).stage == "asking"
    await writes(day, "好的", member)
    assert (await the_lead(day, member)).stage == "new"


async def test_in_a_group_who_wants_it_outright_gets_the_owner(day: Life) -> None:
    member, owner = await befriended(day), day.owner(day.chat)
    await day.says(day.chat, member, "我想买十万国债，请联系我")
    lead = await the_lead(day, member)
    assert (lead.stage, lead.rm, lead.chat) == ("new", owner, day.chat)


async def test_in_a_group_a_wish_is_heard_where_advice_is_declined_and_once_where_it_is_answered(
    day: Life,
) -> None:
    asks_advice, borrows = day.member(day.chat), day.member(day.chat, 1)
    await day.says(day.chat, asks_advice, "我想买理财，买哪个好")
    lead = await the_lead(day, asks_advice)
    assert (lead.need.value, lead.stage, lead.rm) == ("理财咨询", "new", day.owner(day.chat))
    day.new()
    await day.says(day.chat, borrows, "想贷款怎么办，帮我贷点款")
    lead = await the_lead(day, borrows)
    assert (lead.need.value, lead.stage, len(lead.evidence)) == ("贷款咨询", "new", 1)
    assert not any("又说" in item.text for item in day.new("member"))


async def test_what_is_said_to_the_manager_is_his_at_once_and_needs_no_leave(day: Life) -> None:
    await writes(day, "李经理，贷款需要什么材料，我想了解一下")
    lead = await the_lead(day)
    assert (lead.need.value, lead.stage, lead.origin) == ("贷款咨询", "new", "private")
    assert lead.rm == manager_of(day, day.visitor)


async def test_a_day_that_comes_near_is_asked_about_by_the_own_manager(day: Life) -> None:
    database, person = day.demo.bot.database, day.visitor
    manager = manager_of(day, person)
    known = [
        (person, {"到期日": "2026-10-20"}),
        (day.demo.town.visitors[1], {"到期日": "2026-12-20"}),
    ]
    await take_facts(database, known, day.world.now(), day.world.now(), by="core")
    await day.go_to("09:30", "2026-10-13")
    lead = await the_lead(day)
    assert (lead.need.value, lead.stage, lead.origin) == ("到期续存", "asking", "date")
    assert [one.quote for one in lead.evidence] == ["到期日 10月20日"]
    (draft,) = [card for card in day.cards(manager, "draft") if "快到期" in card.text]
    await day.press(draft, "sent")
    await day.go_to("09:30", "2026-10-14")
    assert len(await day.leads()) == 1  # one day is asked about once
    await writes(day, "好")
    assert (await the_lead(day)).stage == "new"
    (card,) = day.cards(manager, "lead")
    assert "到期" in card.text


async def test_who_wants_nothing_sold_is_not_asked_about_a_day(day: Life) -> None:
    await day.asks("退订")
    known = [(day.visitor, {"到期日": "2026-10-20"})]
    await take_facts(day.demo.bot.database, known, day.world.now(), day.world.now(), by="core")
    await day.go_to("09:30", "2026-10-13")
    assert await day.leads(day.visitor) == []
