"""A talk goes to a person and comes back: by night and by day, by press, by time, by its end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.domain.tickets import Ticket
from bot.workspace import Workspace
from tests.journeys.town import Life, live

KNOWN = "存单快到期了,怎么办呀"
TOMORROW = "2026-10-13"


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a small town in the middle of a morning."""
    async with live(workspace, groups=1, members=4) as town:
        await town.go_to("10:00")
        yield town


async def ticket_of(life: Life, customer: str = "") -> Ticket:
    """Return the newest ticket of a customer."""
    async with life.demo.bot.database.read() as tx:
        return (await tx.tickets.of(customer or life.visitor))[-1]


def manager(life: Life) -> str:
    return str(life.world.contacts.of_customer(life.visitor)[0].userid)


def servicer(life: Life) -> str:
    return str(life.world.kf.conversation(life.account, life.visitor).servicer)


async def says(life: Life, text: str) -> None:
    """Let the person who has the talk write."""
    life.world.kf.servicer_says(life.account, life.visitor, servicer(life), text)
    await life.settle()


async def chooses(life: Life, item: str) -> list[str]:
    """Let the customer press an item of a menu; return what was answered."""
    life.new()
    life.world.kf.customer_clicks(life.account, life.visitor, item)
    await life.settle()
    return life.answers()


async def test_at_night_the_bot_stays_with_the_customer_and_the_morning_brings_the_person(
    life: Life,
) -> None:
    await life.go_to("21:00")
    (answer,) = await life.asks("有没有活人")
    hotline = life.demo.bot.content.bank.institution.hotline
    assert "明天 08:30 上班" in answer
    assert hotline in answer
    assert life.state() == 0
    (card,) = life.cards(manager(life), "ticket")
    assert "小安先陪着" in card.text
    assert "有没有活人" in card.text
    (known,) = await life.asks(KNOWN)  # nobody is left in silence until the morning
    assert "依据" in known
    await life.go_to("08:29", TOMORROW)
    assert life.state() == 0
    await life.go_to("08:31", TOMORROW)
    assert (life.state(), servicer(life)) == (3, manager(life))
    assert f"这就来跟您说，请稍等。急事打 {hotline}。" in life.on_occasion()[-1]
    newest = life.cards(manager(life), "ticket")[-1]
    assert "在等您" in newest.text
    assert KNOWN in newest.text
    assert await life.asks("在吗") == []


async def test_who_wants_to_can_take_the_talk_at_night(life: Life) -> None:
    await life.go_to("21:00")
    await life.asks("转人工")
    (card,) = life.cards(manager(life), "ticket")
    await life.press(card, "take")
    assert (life.state(), servicer(life)) == (3, manager(life))
    await life.go_to("08:31", TOMORROW)
    assert await life.ledger("handed_over") == 1


async def test_what_was_settled_by_the_morning_brings_nobody(life: Life) -> None:
    await life.go_to("21:00")
    await life.asks("转人工")
    (lead,) = await life.leads(life.visitor)
    (card,) = life.cards(lead.rm, "lead")
    await life.press(card, "invalid")
    await life.go_to("09:00", TOMORROW)
    assert life.state() == 0
    assert (await ticket_of(life)).how == "settled"


async def test_somebody_in_danger_has_a_person_at_night_and_the_bot_again_within_minutes(
    life: Life,
) -> None:
    await life.go_to("21:00")
    (answer,) = await life.asks("我刚给他转了三万,我是不是被骗了")
    assert "110" in answer
    assert life.state() == 3
    await life.wait(6)  # nobody spoke: who is being robbed is not left in silence
    assert life.state() == 4
    (back,) = life.on_occasion()[-1:]
    assert "上班" in back
    assert "先问小安" in back
    assert "接着等" not in back
    (known,) = await life.asks(KNOWN)
    assert "依据" in known
    await life.go_to("08:31", TOMORROW)
    assert life.state() == 3  # what was promised is kept


async def test_the_person_answers_and_the_bot_is_silent_until_it_is_given_back(
    life: Life,
) -> None:
    await life.asks("我要找真人")
    await says(life, "您好，我是您的客户经理。")
    assert await life.asks(KNOWN) == []
    (card,) = life.cards(manager(life), "ticket")
    await life.press(card, "back")
    assert life.state() == 4
    goodbye = life.on_occasion()[-1]
    assert "接下来有事还是问我" in goodbye
    assert "不满意" in goodbye
    assert life.cards(manager(life), "ticket") == []
    (known,) = await life.asks(KNOWN)
    assert "依据" in known
    ticket = await ticket_of(life)
    assert (ticket.how, ticket.taken_by) == ("given_back", manager(life))
    assert await chooses(life, "rate:1") == ["收到，谢谢您告诉我们。"]
    assert (await ticket_of(life)).rating == 1


async def test_a_second_press_changes_nothing(life: Life) -> None:
    await life.asks("转人工")
    (card,) = life.cards(manager(life), "ticket")
    key = next(key for key in card.buttons if key.endswith(":back"))
    for _ in range(2):
        life.world.app_messages.press(card.userid, card.msgid, key)
    await life.settle()
    assert await life.ledger("given_back") == 1
    assert len([words for words in life.on_occasion() if "接下来" in words]) == 1


async def test_a_card_that_has_passed_into_other_hands_gives_nothing_back(life: Life) -> None:
    await life.asks("转人工")
    (card,) = life.cards(manager(life), "ticket")
    bank = life.demo.bot.content.bank
    heads = {branch.head for branch in bank.branches}
    own = bank.member(manager(life))
    colleague = next(
        one.userid
        for one in bank.staff
        if own and one.branch == own.branch and one.userid not in {own.userid, *heads}
    )
    life.world.kf.servicer_transfers(life.account, life.visitor, colleague)
    await life.settle()
    await says(life, "我接着跟您说")
    async with life.demo.bot.database.begin() as tx:  # the lead went to the colleague, too
        await tx.tickets.change((await ticket_of(life)).id, wanted=colleague)
    await life.press(card, "back")
    assert life.state() == 3
    assert servicer(life) == colleague
    (passed,) = life.cards(colleague, "ticket")
    await life.press(passed, "back")
    assert life.state() == 4


async def test_nobody_comes_so_the_bot_is_back_and_the_customer_chooses(life: Life) -> None:
    await life.asks("转人工")
    await life.wait(14)
    assert life.state() == 3
    await life.wait(2)
    assert life.state() == 4
    waited = life.on_occasion()[-1]
    assert "让您久等了" in waited
    assert life.demo.bot.content.bank.institution.hotline in waited
    assert len(await life.leads(life.visitor)) == 1  # it is still somebody's to see to
    assert "我在呢" in (await chooses(life, "wait:bot"))[0]
    await chooses(life, "wait:person")
    assert life.state() == 2  # whoever is free may take it now
    (lead,) = await life.leads(life.visitor)
    inbox = life.world.app_messages.inbox(lead.rm)
    assert any("排队等人" in item.text for item in inbox)
    life.world.kf.servicer_takes(life.account, life.visitor, manager(life))
    await life.settle()
    await says(life, "我来了")
    ticket = await ticket_of(life)
    assert (ticket.state, ticket.taken_by) == ("talking", manager(life))


async def test_who_waits_in_the_pool_is_told_how_many_came_first(life: Life) -> None:
    for userid in list(life.world.kf.account(life.account).servicers):
        life.world.kf.servicer_status(life.account, userid, receiving=False)
    first, second, third = life.demo.town.visitors[:3]
    for customer in (first, second, third):
        await life.asks("转人工", customer)
    said = ["".join(life.on_occasion(customer)) for customer in (first, second, third)]
    assert "正在给您找人" in said[0]
    assert "前面还有" not in said[0]
    assert "前面还有 1 位" in said[1]
    assert "前面还有 2 位" in said[2]


async def test_a_colleague_who_takes_the_talk_from_the_pool_has_its_lead_too(life: Life) -> None:
    own = manager(life)
    life.world.kf.servicer_status(life.account, own, receiving=False)
    await life.asks("转人工")
    bank = life.demo.bot.content.bank
    colleague = next(one.userid for one in bank.staff if one.role == "大堂经理")
    life.world.kf.servicer_takes(life.account, life.visitor, colleague)
    await life.settle()
    await says(life, "我来了")
    (lead,) = await life.leads(life.visitor)
    assert (lead.rm, lead.stage) == (colleague, "taken")
    cards = {userid: len(life.cards(userid, "lead")) for userid in life.world.members}
    await life.wait(20)
    await says(life, "还在给您查")
    await life.wait(20)
    (lead,) = await life.leads(life.visitor)
    assert (lead.rm, lead.stage) == (colleague, "taken")  # nobody else is asked to take it
    assert {one: len(life.cards(one, "lead")) for one in life.world.members} == cards


@pytest.mark.parametrize("state", ["later", "waiting", "pool", "talking", "over"])
async def test_wherever_the_power_goes_a_talk_goes_on_from_there(life: Life, state: str) -> None:
    if state == "pool":
        for userid in list(life.world.kf.account(life.account).servicers):
            life.world.kf.servicer_status(life.account, userid, receiving=False)
    if state == "later":
        await life.go_to("21:00")
    await life.asks("转人工")
    if state in ("talking", "over"):
        await says(life, "我在，您说。")
    if state == "over":
        life.world.kf.servicer_ends(life.account, life.visitor)
        await life.settle()
    before, heard = (await ticket_of(life)).state, len(life.on_occasion())
    cards = life.cards(manager(life), "ticket")
    await life.demo.restart()
    await life.settle()
    assert (await ticket_of(life)).state == before
    assert len(life.on_occasion()) == heard  # nothing is said a second time
    assert [card.msgid for card in life.cards(manager(life), "ticket")] == [
        card.msgid for card in cards
    ]
    silent = await life.asks("还在吗") == []
    assert silent == (state in ("waiting", "pool", "talking"))
    if state == "later":
        await life.go_to("08:31", TOMORROW)
        assert life.state() == 3
    elif state == "over":
        assert await chooses(life, "rate:1") == ["收到，谢谢您告诉我们。"]
    else:
        await life.wait(31)
        assert life.state() == 4


async def test_a_talk_in_which_nobody_speaks_any_more_is_the_bots_again(life: Life) -> None:
    await life.asks("转人工")
    await says(life, "我在，您说。")
    await life.wait(25)
    await life.asks("等一下，我找找存折")
    await life.wait(25)
    assert life.state() == 3  # a word from either side counts
    await says(life, "好的，不着急")
    await life.wait(29)
    assert life.state() == 3
    await life.wait(2)
    assert life.state() == 4
    assert "接下来有事还是问我" in life.on_occasion()[-1]
    assert (await ticket_of(life)).how == "idle"
    (known,) = await life.asks(KNOWN)
    assert "依据" in known


async def test_who_asked_last_and_got_no_word_is_not_said_goodbye_to(life: Life) -> None:
    await life.asks("转人工")
    await says(life, "我在，您说。")
    await life.asks("我那张存单到底怎么办")
    await life.wait(31)
    assert life.state() == 4
    assert "让您久等了" in life.on_occasion()[-1]
    assert (await ticket_of(life)).how == "waited"


async def test_the_end_in_the_client_closes_the_ticket_and_keeps_the_rating(life: Life) -> None:
    await life.asks("转人工")
    await says(life, "办好了。")
    life.world.kf.servicer_ends(life.account, life.visitor)
    await life.settle()
    assert (await ticket_of(life)).how == "ended"
    (words,) = await chooses(life, "rate:3")
    assert "对不起" in words
    assert (await ticket_of(life)).rating == 3
    needs = [lead.need.value for lead in await life.leads(life.visitor)]
    assert needs == ["找人工", "潜在投诉"]


async def test_a_talk_and_its_time_survive_a_restart(life: Life) -> None:
    await life.asks("转人工")
    await life.wait(5)
    await life.demo.restart()
    await life.settle()
    assert await life.asks("还在吗") == []
    await life.wait(11)
    assert life.state() == 4
    assert "让您久等了" in life.on_occasion()[-1]


async def test_a_person_who_writes_of_himself_has_the_word_and_loses_it_by_time(
    life: Life,
) -> None:
    await life.asks(KNOWN)
    talk = life.world.kf.conversation(life.account, life.visitor)
    talk.stored_state = type(talk.stored_state)(4)
    life.world.kf.servicer_says(life.account, life.visitor, manager(life), "存单的事我来办")
    await life.settle()
    assert await life.asks("好的") == []
    await life.wait(31)
    assert life.state() == 4
    assert "让您久等了" in life.on_occasion()[-1]
