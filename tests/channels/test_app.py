"""Cards to staff and the buttons that come back."""

from __future__ import annotations

import pytest

from bot.channels.app import AppChannel
from bot.domain.events import CardPressed, Notice, StaffAsked
from bot.domain.messages import Button, Card, Choice, StaffCard, StaffCardUpdate
from bot.domain.staff_messages import Poll, StaffNotice, StaffPoll
from bot.emulator.callbacks import render_xml
from bot.errors import Undeliverable
from tests.channels.bank import OTHER, Bank, told
from tests.make import OWNER, staff_card, staff_text

CHOICE = Choice(key="to-1", title="转派给", options=((OTHER, "王浩然"), ("he.jing", "何静")))
BUTTONS = (Button(text="接手", key="lead:1:take"), Button(text="转派", key="lead:1:reassign"))


def card() -> StaffCard:
    shown = Card(title="客户想问理财", rows=(("客户", "李女士"),), buttons=BUTTONS, choice=CHOICE)
    return StaffCard(to=OWNER, task="lead-1", card=shown)


def pressed(bank: Bank, key: str, selected: dict[str, list[str]] | None = None) -> Notice:
    """Press a button of the newest card; return the callback that tells of it."""
    (item,) = bank.world.app_messages.inbox(OWNER)
    heard: list[dict[str, object]] = []
    bank.world.ring = lambda config, fields: heard.append(dict(fields))  # type: ignore[method-assign]
    bank.world.app_messages.press(OWNER, item.msgid, key, selected)
    return Notice(key="n", channel="app", body=render_xml({"CreateTime": 1, **heard[0]}))


async def test_a_press_tells_who_what_and_which_colleague(bank: Bank) -> None:
    await bank.app.send("k", card(), repeated=False)
    notice = pressed(bank, "lead:1:reassign", {"to-1": [OTHER]})
    (arrival,) = (await bank.app.receive(notice, "")).arrivals
    event = arrival.event
    assert isinstance(event, CardPressed)
    assert (event.by, event.key, event.task) == (OWNER, "lead:1:reassign", "lead-1")
    assert event.selected == {"to-1": OTHER}
    assert event.response_code
    assert arrival.lane == "card:lead-1"


async def test_a_press_without_a_choice_has_none(bank: Bank) -> None:
    await bank.app.send("k", card(), repeated=False)
    (arrival,) = (await bank.app.receive(pressed(bank, "lead:1:take"), "")).arrivals
    assert isinstance(arrival.event, CardPressed)
    assert arrival.event.selected == {}


async def test_a_worked_on_card_is_greyed_and_a_repeat_of_that_is_no_failure(bank: Bank) -> None:
    await bank.app.send("k", card(), repeated=False)
    (arrival,) = (await bank.app.receive(pressed(bank, "lead:1:take"), "")).arrivals
    assert isinstance(arrival.event, CardPressed)
    code = arrival.event.response_code
    update = StaffCardUpdate(to=OWNER, response_code=code, replace="已接手")
    await bank.app.send("u", update, repeated=False)
    (item,) = bank.world.app_messages.inbox(OWNER)
    assert (item.replaced, dict(item.buttons)) == ("已接手", {})
    await bank.app.send("u", update, repeated=True)
    with pytest.raises(Undeliverable, match="wecom_60140"):
        await bank.app.send("u", update, repeated=False)


@pytest.mark.parametrize("message", [staff_card(), staff_text()])
async def test_a_repeated_send_reaches_the_person_once(bank: Bank, message: StaffCard) -> None:
    for repeated in (False, True):
        await bank.app.send("k", message, repeated=repeated)
    assert len(bank.world.app_messages.inbox(OWNER)) == 1


async def test_what_a_member_writes_to_the_app_is_a_question(bank: Bank) -> None:
    notice = told("app", MsgType="text", Content="在吗", FromUserName=OWNER, MsgId="77")
    (arrival,) = (await bank.app.receive(notice, "")).arrivals
    event = arrival.event
    assert isinstance(event, StaffAsked)
    assert (event.by, event.text, event.msgid, event.reply.via) == (OWNER, "在吗", "77", "app")
    assert arrival.lane == f"staff:{OWNER}"


async def test_with_an_ai_bot_the_app_does_not_listen(bank: Bank) -> None:
    deaf = AppChannel(bank.app._api, listens=False)
    notice = told("app", MsgType="text", Content="在吗", FromUserName=OWNER, MsgId="77")
    assert (await deaf.receive(notice, "")).arrivals == ()


async def test_other_news_of_the_app_asks_nothing(bank: Bank) -> None:
    for fields in ({"MsgType": "event", "Event": "enter_agent"}, {}):
        assert (await bank.app.receive(told("app", **fields), "")).arrivals == ()


async def test_a_poll_brings_back_every_option_that_was_chosen(bank: Bank) -> None:
    options = (("a", "满意"), ("b", "一般"), ("c", "不满意"))
    question = Poll(key="q", title="怎么样", options=options)
    poll = StaffPoll(
        to=OWNER,
        task="poll-1",
        title="今天的安排",
        questions=(question,),
        press="p:1",
        several=True,
    )
    await bank.app.send("k", poll, repeated=False)
    (item,) = bank.world.app_messages.inbox(OWNER)
    assert item.card_type == "vote_interaction"
    (arrival,) = (await bank.app.receive(pressed(bank, "p:1", {"q": ["a", "c"]}), "")).arrivals
    assert isinstance(arrival.event, CardPressed)
    assert arrival.event.chosen == {"q": ("a", "c")}


async def test_two_questions_are_drop_downs_and_a_notice_opens_a_page(bank: Bank) -> None:
    questions = tuple(Poll(key=key, title=key, options=(("1", "是"), ("2", "否"))) for key in "ab")
    poll = StaffPoll(to=OWNER, task="poll-2", title="两个问题", questions=questions, press="p:2")
    link = "https://bank.example/leads"
    notice = StaffNotice(to=OWNER, title="线索快到时限", rows=(("客户", "李女士"),), url=link)
    picture = notice.model_copy(update={"picture": "https://bank.example/a.png"})
    for number, message in enumerate((poll, notice, picture)):
        await bank.app.send(f"k{number}", message, repeated=False)
    kinds = [item.card_type for item in bank.world.app_messages.inbox(OWNER)]
    assert kinds == ["multiple_interaction", "text_notice", "news_notice"]
