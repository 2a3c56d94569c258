"""Who wants a person gets one, in whatever words; who says 「不用了」 does not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.answering.answer import Question
from bot.domain.actions import HandOver
from bot.domain.tickets import Ticket
from bot.workspace import Workspace
from tests.journeys.town import Life, live
from tests.make import local

KNOWN = "取五万块钱要提前预约吗"
TOMORROW = "2026-10-13"


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a small town in the middle of a morning."""
    async with live(workspace, groups=1, members=4) as town:
        await town.go_to("10:00")
        yield town


async def ticket_of(life: Life, customer: str) -> Ticket | None:
    async with life.demo.bot.database.read() as tx:
        return await tx.tickets.newest(customer, life.account)


def ends(life: Life, customer: str) -> str:
    """Let the person who has a customer's talk say a word and end it; return the person."""
    person = str(life.world.kf.conversation(life.account, customer).servicer)
    life.world.kf.servicer_says(life.account, customer, person, "办好了。")
    life.world.kf.servicer_ends(life.account, customer)
    return person


async def test_a_person_comes_to_whoever_wants_one_and_to_nobody_else(life: Life) -> None:
    one, two, three, four, five, six = life.demo.town.visitors[:6]
    for customer, words in ((one, "别跟我扯机器人了"), (two, "有冇人呀"), (three, "俺要跟人唠")):
        await life.asks(words, customer)
        assert life.state(customer) == 3, words
    (greeted,) = await life.asks("喂，有人吗", four)
    assert "我在呢" in greeted
    assert life.state(four) == 0
    await life.asks(KNOWN, four)
    await life.asks("有人吗？", four)  # in the middle of a talk it is the wish for a person
    assert life.state(four) == 3
    for customer, words in ((five, "不用转人工"), (six, "不要人工，你说就行")):
        (going_on,) = await life.asks(words, customer)
        assert "我接着陪您" in going_on
        assert life.state(customer) == 0
        assert await life.leads(customer) == []


async def test_what_is_said_instead_of_pressed_is_a_rating_and_no_complaint(life: Life) -> None:
    good, bad = life.demo.town.visitors[:2]
    for customer, words, rating in ((good, "挺满意的", 1), (bad, "不太满意。", 3)):
        await life.asks("转人工", customer)
        ends(life, customer)
        await life.settle()
        (thanks,) = await life.asks(words, customer)
        assert ("谢谢您告诉我们" if rating == 1 else "没让您满意") in thanks
        assert life.state(customer) == 0
        ticket = await ticket_of(life, customer)
        assert ticket is not None
        assert ticket.rating == rating
    needs = [[lead.need.value for lead in await life.leads(one)] for one in (good, bad)]
    assert needs == [["找人工"], ["找人工", "潜在投诉"]]


async def test_at_night_whoever_comes_is_not_said_to_come_in_the_morning(life: Life) -> None:
    robbed, angry, calm = life.demo.town.visitors[:3]
    await life.go_to("21:00")
    await life.asks("我刚给他转了三万,我是不是被骗了", robbed)
    await life.asks("我要投诉你们", angry)
    await life.asks("转人工", calm)
    manager = str(life.world.contacts.of_customer(calm)[0].userid)
    await life.press(next(iter(life.cards(manager, "ticket"))), "take")
    for customer in (robbed, angry, calm):
        assert life.state(customer) == 3
        (said,) = life.on_occasion(customer)
        assert "这就来跟您说" in said
        assert "上班" not in said


async def test_who_gives_up_at_night_is_not_called_on_in_the_morning(life: Life) -> None:
    one, robbed = life.demo.town.visitors[:2]
    await life.go_to("21:00")
    await life.asks("转人工", one)
    (going_on,) = await life.asks("算了不用了", one)
    assert "我接着陪您" in going_on
    (lead,) = await life.leads(one)
    assert (lead.stage, lead.outcome_reason) == ("closed", "客户说不用了")
    await life.asks("我刚给他转了三万,我是不是被骗了", robbed)
    await life.wait(6)  # nobody came: a person is promised for the morning
    await life.asks("古钱币能不能拿来鉴定", robbed)
    await life.asks("算了，不用了", robbed)
    await life.go_to("08:31", TOMORROW)
    assert life.state(one) == 0
    assert life.state(robbed) == 3
    ticket = await ticket_of(life, robbed)
    assert ticket is not None
    assert ticket.reason == "红线"  # a later, lesser question does not stand in its place


async def test_what_is_written_down_as_a_call_for_a_person_calls_one(life: Life) -> None:
    asked = Question(text="我要找真人", plane="kf", variables={})
    recited = life.demo.bot.content.answerer.recite("qa-710", asked, life.world.now())
    assert [type(one) for one in recited.actions] == [HandOver]
    night = life.demo.town.visitors[2]
    await life.go_to("21:00")
    (told,) = await life.asks("事情解决了不投诉了，投诉能撤回吗", night)
    assert "登记撤回" in told
    assert "明天 08:30 上班" in told


async def test_a_yes_is_heard_where_the_manager_knows_already(life: Life) -> None:
    await life.asks("给我推荐一个理财吧，哪个好")
    assert "会联系您" in (await life.asks("好"))[0]
    (asked,) = await life.asks("你推荐我买哪个理财好")
    assert "回「可以」" in asked
    assert "会联系您" in (await life.asks("好的好的"))[0]
    assert len(await life.leads(life.visitor)) == 1
    assert "有事随时找我" in (await life.asks("好"))[0]  # a nod: nobody asked again


async def test_over_a_long_holiday_the_customers_next_word_brings_the_person(
    workspace: Workspace,
) -> None:
    async with live(workspace, local("20:00", "2026-09-30"), groups=1, members=4) as life:
        (told,) = await life.asks("转人工")
        assert "10月8日 08:30" in told or "周四 08:30" in told
        assert "再说一句话" in told  # after 48 hours of silence nobody may write first
        life.demo.clock.jump(local("08:31", "2026-10-08"))
        await life.settle()
        assert life.state() == 4
        manager = str(life.world.contacts.of_customer(life.visitor)[0].userid)
        inbox = life.world.app_messages.inbox(manager)
        assert any("请打电话" in item.text for item in inbox)
        await life.go_to("21:00", "2026-10-08")
        await life.asks("在吗")
        assert life.state() == 0
        await life.go_to("08:31", "2026-10-09")
        assert life.state() == 3
