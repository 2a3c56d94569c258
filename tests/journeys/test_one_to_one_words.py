"""What a customer says one to one while a script runs: on 微信客服, and to the manager alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.ids import CustomerId
from bot.domain.people import Customer
from bot.emulator import friends
from bot.workspace import Workspace
from tests.journeys.friends import HELLO, begin, manager_of, run_of, with_friends, writes
from tests.journeys.town import Life, live
from tests.make import local


@pytest.fixture
async def week(workspace: Workspace, tmp_path: Path) -> AsyncIterator[Life]:
    """Open a town at ten in the morning whose bank has a one-to-one script."""
    files = with_friends(workspace, tmp_path / "w")
    async with live(files, local("10:00"), groups=1, members=10) as town:
        yield town


def known(life: Life) -> list[str]:
    """Return customers who each have a manager."""
    contacts = life.world.contacts
    return [one for one in life.demo.town.visitors if contacts.of_customer(one)]


async def kinds(life: Life, person: str) -> list[str]:
    """Return what is kept of what a customer did."""
    async with life.demo.bot.database.read() as tx:
        found = await tx.occurrences.of_subjects([person])
    return sorted(event.kind for event in found.get(person, []))


async def customer_of(life: Life, person: str) -> Customer:
    async with life.demo.bot.database.read() as tx:
        found = await tx.people.customer(CustomerId(person))
    assert found is not None
    return found


async def test_words_that_a_step_listens_for_are_answered_and_acted_on(week: Life) -> None:
    reads, comes, tired = known(week)[:3]
    runs = {person: await begin(week, person) for person in (reads, comes, tired)}
    (answer,) = await week.asks("大字", reads)
    assert "长辈版" in answer
    assert await week.leads(reads) == []
    assert await kinds(week, reads) == ["客户回复"]
    (answer,) = await week.asks("我要报名", comes)
    assert "留了位子" in answer
    (lead,) = await week.leads(comes)
    assert (lead.need.value, lead.script, lead.step) == ("活动", "friends-week", HELLO)
    assert lead.respond_by == lead.evidence[0].at + timedelta(minutes=240)
    assert await kinds(week, comes) == ["客户回复", "活动报名"]
    (answer,) = await week.asks("少发点", tired)
    assert "一周最多" in answer
    assert (await run_of(week, runs[tired])).weekly_cap == 1
    assert (await customer_of(week, tired)).weekly_cap == 1  # over every script
    assert (await customer_of(week, reads)).weekly_cap is None


async def test_a_customer_is_asked_before_a_manager_calls(week: Life) -> None:
    agrees, declines, thanks = known(week)[:3]
    for person in (agrees, declines, thanks):
        await begin(week, person)
        (answer,) = await week.asks("三笔钱", person)
        assert "可以打电话给您聊聊吗" in answer
        (lead,) = await week.leads(person)
        assert lead.stage == "asking"
    assert week.all_cards("lead") == []
    (answer,) = await week.asks("可以", agrees)
    assert "告诉" in answer
    await week.asks("不用了", declines)
    await week.asks("取五万块钱要提前预约吗?", thanks)
    await week.asks("好的", thanks)  # says so to the answer, not to the question for consent
    stages = [(await week.leads(one))[0].stage for one in (agrees, declines, thanks)]
    assert stages == ["new", "refused", "asking"]
    assert len(week.all_cards("lead")) == 1


async def test_words_that_need_a_person_hand_over_and_a_refusal_counts_there_too(
    week: Life,
) -> None:
    run = await begin(week)
    (answer,) = await week.asks("钱取不出来了")
    assert "别着急" in answer
    (lead,) = await week.leads(week.visitor)
    assert lead.need.value == "服务"
    assert week.state() in (2, 3)
    assert await week.asks("别发了") == []  # a person has the word
    assert (await run_of(week, run)).reason == "customer_refused"


async def test_any_reply_does_its_part_once_and_a_question_is_answered_besides(
    week: Life,
) -> None:
    chats, asks, hoped = known(week)[:3]
    for person in (chats, asks, hoped):
        await begin(week, person)
    assert await week.asks("昨天的桂花真香呀", chats) != []
    await week.asks("今天也香", chats)
    assert await week.ledger("heard_anything") == 1
    (answer,) = await week.asks("取五万块钱要提前预约吗?", asks)
    assert "预约" in answer
    assert all(["已唤醒" in (await customer_of(week, one)).tags for one in (chats, asks)])
    (answer,) = await week.asks("收到", hoped)
    assert "谢谢" in answer
    async with week.demo.bot.database.read() as tx:
        (entry,) = await tx.ledger.of_kinds(["interaction"])
    assert (entry.facts["metric"], entry.facts["correct"]) == ("新朋友开口率", True)
    assert all(lead.need.value == "答不上" for lead in await week.leads())


async def test_a_refusal_a_complaint_and_a_lost_friend_stop_at_once_what_they_are_to_stop(
    week: Life,
) -> None:
    refuses, complains, leaves = people = known(week)[:3]
    runs = [await begin(week, person) for person in people]
    (answer,) = await week.asks("退订", refuses)
    assert "不再给您发了" in answer
    assert (await customer_of(week, refuses)).refuses_marketing(week.world.now())
    await week.asks("我要投诉你们", complains)
    friends.unfriend(week.world, manager_of(week, leaves), leaves, by="customer")
    await week.settle()
    ends = [await run_of(week, run) for run in runs]
    reasons = [(run.state, run.reason, run.marketing_stopped) for run in ends]
    assert reasons[:2] == [("exited", "customer_refused", False), ("running", "", True)]
    assert reasons[2][:2] == ("exited", "friend_lost")
    told = [set(await kinds(week, person)) - {"客户回复"} for person in people]
    assert told == [{"客户拒收"}, {"投诉"}, {"删好友"}]
    await week.asks("恢复", refuses)
    assert not (await customer_of(week, refuses)).refuses_marketing(week.world.now())
    assert "恢复" in await kinds(week, refuses)


async def test_words_to_the_manager_alone_become_drafts_for_him(week: Life) -> None:
    reads, agrees, refuses = known(week)[:3]
    for person in (reads, agrees, refuses):
        await begin(week, person)
    await writes(week, "大字", reads)
    (card,) = week.cards(manager_of(week, reads), "draft")
    assert "长辈版" in card.text
    assert week.world.deliveries.select("single", reads) == []  # nothing is said by itself
    await writes(week, "三笔钱", agrees)
    await writes(week, "好的", agrees)  # nobody has asked yet
    assert [lead.stage for lead in await week.leads(agrees)] == ["asking"]
    await week.press(week.cards(manager_of(week, agrees), "draft")[-1], "sent")
    await writes(week, "可以", agrees)
    assert [lead.stage for lead in await week.leads(agrees)] == ["new"]
    await writes(week, "别发了", refuses)
    assert "不再给您发了" in week.cards(manager_of(week, refuses), "draft")[-1].text
    assert await kinds(week, refuses) == ["客户回复", "客户拒收"]


async def test_danger_is_heard_in_a_private_chat_and_small_talk_bothers_nobody(
    week: Life,
) -> None:
    talks, robbed = known(week)[:2]
    await writes(week, "中午去哪儿吃饭呀？", talks)
    assert week.all_cards("draft") == []
    assert await week.leads() == []
    await writes(week, "我刚给他转了三万，他说是我儿子换了手机，我是不是被骗了", robbed)
    (lead,) = await week.leads(robbed)
    assert lead.need.value == "红线"
    assert "110" in week.cards(manager_of(week, robbed), "draft")[0].text


async def test_a_deal_that_the_manager_tells_of_stops_products(week: Life) -> None:
    run = await begin(week)
    await week.asks("三笔钱")
    await week.asks("可以")
    (lead,) = await week.leads(week.visitor)
    (card,) = week.cards(lead.rm, "lead")
    await week.press(card, "take")
    (deal,) = week.cards(lead.rm, "deal")
    await week.press(deal, "won")
    narrowed = await run_of(week, run)
    assert (narrowed.product_stopped, narrowed.marketing_stopped) == (True, False)
    assert "线索成交" in await kinds(week, week.visitor)
    (lead,) = await week.leads(week.visitor)
    assert lead.stage == "won"
