"""Staff ask the AI bot over the WebSocket: one answer, in time, and of their own customers only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.emulator import aibot_people
from bot.emulator.contact import befriend
from bot.workspace import Workspace
from tests.journeys.staff import (
    BOT,
    HEAD,
    QUESTION,
    RM,
    STRANGER,
    ask,
    last,
    line_of,
    town_with_a_bot,
    two_of_one_surname,
    until,
)
from tests.journeys.town import Life


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    async with town_with_a_bot(workspace) as life:
        yield life


async def test_a_product_is_explained_with_document_section_and_version(life: Life) -> None:
    answer = await ask(life, QUESTION)
    assert "大额存单" in answer
    assert "依据：《" in answer
    assert "版本 " in answer
    assert len(life.world.deliveries.select("aibot", RM)) == 1
    assert await life.ledger("staff_answered") == 1


async def test_a_managers_own_customer_is_shown_and_a_colleagues_is_not(life: Life) -> None:
    customer = life.visitor
    befriend(life.world, RM, customer, quiet=True)
    await life.asks("我想问问理财,我的卡号是6222021234567890123")
    name = life.world.customers[customer].nickname
    shown = await ask(life, f"客户{name}")
    assert f"**{name}**" in shown
    assert "未办结的线索" in shown
    assert "6222021234567890123" not in shown
    assert "0123" in shown
    assert f"**{name}**" in await ask(life, f"{name}最近怎么样", HEAD)
    hidden = await ask(life, f"客户{name}", STRANGER)
    assert "没有找到您名下" in hidden
    assert "标签" not in hidden


async def test_of_two_who_may_be_meant_one_is_chosen_by_a_button(life: Life) -> None:
    await two_of_one_surname(life)
    assert "哪一位" in await ask(life, "客户欧阿姨")
    await until(life, lambda: last(life, RM).kind == "template_card")
    card = last(life, RM)
    assert sorted(card.buttons.values()) == ["欧阳建国", "欧阳桂芳"]
    key = next(key for key, name in card.buttons.items() if name == "欧阳桂芳")
    aibot_people.presses(life.world, RM, card.msgid, key)
    await until(life, lambda: card.updated == 1 and last(life, RM).kind == "markdown")
    assert "**欧阳桂芳**" in last(life, RM).text
    assert (card.text, dict(card.buttons)) == ("您看的是：欧阳桂芳", {})


async def test_a_button_shows_nobody_who_is_not_the_pressers(life: Life) -> None:
    await two_of_one_surname(life)
    await ask(life, "客户欧阿姨")
    await until(life, lambda: last(life, RM).kind == "template_card")
    card = last(life, RM)
    aibot_people.says(life.world, BOT, STRANGER, "帮助")
    aibot_people.presses(life.world, STRANGER, card.msgid, next(iter(card.buttons)))
    await until(life, lambda: len(life.world.aibots.seen_by(STRANGER)) == 2)
    shown = [one.text for one in life.world.aibots.seen_by(STRANGER)]
    assert any("没有找到您名下" in text for text in shown)
    assert not any("标签" in text for text in shown)


async def test_what_is_said_of_customers_stays_out_of_groups(life: Life) -> None:
    name = life.world.customers[life.visitor].nickname
    life.world.aibots.add_group("wrk1", {RM, HEAD})
    assert "单聊" in await ask(life, f"客户{name}", chatid="wrk1")


async def test_an_owner_sees_what_the_groups_get_today(life: Life) -> None:
    owner = life.owner(life.chat)
    step = await life.step(life.chat, "d01-welcome")
    answer = await ask(life, "我的群今天发什么", owner)
    group = life.world.groups.need(life.chat).name
    assert group in answer
    assert f"{step.opens_at.astimezone(life.demo.bot.content.bank.zone):%H:%M}" in answer
    assert "第 5 天" in await ask(life, "剧本 senior-21d 第5天", owner)


async def test_who_comes_in_is_welcomed(life: Life) -> None:
    aibot_people.enters(life.world, BOT, RM)
    await until(life, lambda: bool(life.world.aibots.seen_by(RM)))
    assert "可以这样问我" in last(life, RM).text
    assert last(life, RM).source == "aibot_welcome"


async def test_a_message_told_twice_is_answered_once(life: Life) -> None:
    told = aibot_people.says(life.world, BOT, RM, QUESTION)
    life.world.aibots.again(told.req_id)
    await until(life, lambda: bool(life.world.deliveries.select("aibot", RM)))
    await ask(life, "帮助")
    assert len(life.world.deliveries.select("aibot", RM)) == 2


async def test_a_lost_acknowledgement_shows_no_second_answer(life: Life) -> None:
    life.world.faults.plan("aibot_respond_msg", "lost_answer")
    line = line_of(life)
    line._socket._ack_within_s = 0.2
    await ask(life, QUESTION)
    await until(life, lambda: not life.world.faults.orders)
    states = {}
    while not states or "ready" in states.values():
        await life.wait(1)
        found = await life.outbox_states()
        states = {key: state for key, state in found.items() if key.startswith("staff:")}
    assert set(states.values()) == {"sent"}
    assert len(life.world.deliveries.select("aibot", RM)) == 1


async def test_a_stream_that_closed_early_is_answered_in_a_message_of_its_own(life: Life) -> None:
    told = aibot_people.says(life.world, BOT, RM, QUESTION)
    line = line_of(life)
    await until(
        life, lambda: any(cmd == "aibot_respond_msg" for _, cmd in life.world.aibot_lines.commands)
    )
    assert told.req_id
    life.world.faults.plan("aibot_respond_msg", "errcode", errcode=846608)
    aibot_people.says(life.world, BOT, RM, "大额存单多少钱起存")
    await until(life, lambda: last(life, RM).kind == "markdown")
    assert "大额存单" in last(life, RM).text
    assert line.connected


async def test_cut_off_it_comes_back_and_answers_what_it_had_heard(life: Life) -> None:
    told = aibot_people.says(life.world, BOT, RM, QUESTION)
    life.world.aibot_lines.kick(BOT, told=False)
    await until(life, lambda: not line_of(life).connected)
    assert told.req_id

    def back_in_a_while() -> bool:
        life.demo.clock.advance(seconds=1)  # its waiting may begin later than we look
        return BOT in life.world.aibot_lines.live

    await until(life, back_in_a_while)
    assert life.world.aibot_lines.connected == 2
    assert "大额存单" in await ask(life, QUESTION)


async def test_an_invalid_lead_asks_why(life: Life) -> None:
    await life.asks("我要找人工")
    (lead,) = await life.leads(life.visitor)
    (card,) = life.cards(lead.rm, "lead")
    await life.press(card, "invalid")
    (poll,) = life.cards(lead.rm, "why")
    assert poll.card_type == "vote_interaction"
    await life.press(poll, "send", {f"why-{lead.id}": ["no_need"]})
    assert await life.ledger("lead_invalid_reason") == 1
    again = life.world.app_messages.item(lead.rm, poll.msgid)
    assert again.replaced == "谢谢，已记下"


async def test_an_answer_can_be_rated(life: Life) -> None:
    await ask(life, QUESTION)
    aibot_people.rates(life.world, RM, last(life, RM).msgid, 2, reasons=[2])
    limit = time.monotonic() + 10
    while await life.ledger("answer_wrong") == 0:
        assert time.monotonic() < limit
        await life.settle()
        await asyncio.sleep(0.01)
