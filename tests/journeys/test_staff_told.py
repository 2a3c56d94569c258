"""Staff are answered in the app and over the webhook, and their group is told what matters."""

from __future__ import annotations

import asyncio

from bot.config.parts import LlmSettings, StaffSettings
from bot.emulator import aibot_people
from bot.workspace import Workspace
from tests import waiting
from tests.ai.openai_server import openai_server
from tests.journeys.staff import (
    BOT,
    QUESTION,
    RM,
    last,
    restart,
    town_with_a_bot,
    town_with_a_webhook_bot,
    two_of_one_surname,
    until,
)
from tests.journeys.town import live


async def test_without_an_ai_bot_the_app_answers(workspace: Workspace) -> None:
    async with live(workspace, groups=1, members=10) as life:
        for _ in range(2):
            life.world.app_messages.member_says(RM, next(iter(life.world.apps)), QUESTION)
            await life.wait(1)
        words = [item.text for item in life.world.app_messages.inbox(RM)]
        assert len(words) == 2
        assert all("大额存单" in text and "**" not in text for text in words)
        await two_of_one_surname(life)
        life.world.app_messages.member_says(RM, next(iter(life.world.apps)), "客户欧阿姨")
        await life.settle()
        (card,) = life.cards(RM, "ask")
        key = next(key for key, name in card.buttons.items() if name == "欧阳建国")
        life.world.app_messages.press(RM, card.msgid, key)
        await life.settle()
        assert life.world.app_messages.item(RM, card.msgid).replaced == "已选"
        assert "欧阳建国" in life.world.app_messages.inbox(RM)[-1].text


async def test_over_the_webhook_it_is_heard_at_once_and_answered_a_second_later(
    workspace: Workspace,
) -> None:
    async with town_with_a_webhook_bot(workspace) as life:
        assert await life.world.bot_poster.verify(BOT) == 200
        aibot_people.enters(life.world, BOT, RM)
        aibot_people.says(life.world, BOT, RM, QUESTION)
        await life.world.bot_poster.flush()
        welcome, shown = life.world.aibots.seen_by(RM)
        assert "可以这样问我" in welcome.text
        assert (shown.text, shown.finished) == ("正在查…", False)
        await life.settle()
        life.demo.clock.advance(seconds=1)
        await life.world.bot_poster.flush()
        assert shown.finished
        assert "大额存单" in shown.text
        assert {what for _, what in life.world.bot_poster.answers} == {"ok"}
        await two_of_one_surname(life)
        aibot_people.says(life.world, BOT, RM, "客户欧阿姨")
        await until(life, lambda: last(life, RM).kind == "template_card")
        card = last(life, RM)
        aibot_people.presses(life.world, RM, card.msgid, next(iter(card.buttons)))
        await until(life, lambda: last(life, RM).kind == "markdown")
        assert card.text.startswith("您看的是：欧阳")
        assert "**欧阳" in last(life, RM).text


async def test_too_late_for_the_stream_the_response_url_takes_the_answer(
    workspace: Workspace,
) -> None:
    async with town_with_a_webhook_bot(workspace) as life:
        aibot_people.says(life.world, BOT, RM, QUESTION)
        await life.world.bot_poster.flush()  # heard, and not yet worked on
        life.demo.clock.advance(minutes=7)
        await life.world.bot_poster.flush()
        shown = last(life, RM)
        assert shown.expired
        await life.settle()
        late = last(life, RM)
        assert (late.kind, late.source) == ("markdown", "aibot_response")
        assert "大额存单" in late.text


async def test_the_group_hears_of_red_flags_and_gets_its_brief(workspace: Workspace) -> None:
    async with live(workspace, groups=1, members=10) as life:
        robot = life.world.webhooks.add("key-1", "wrk-staff")
        url = f"{life.demo.server.base_url}/cgi-bin/webhook/send?key={robot.key}"
        await restart(life, staff=StaffSettings(group_webhook=url, brief_hour=9))
        await life.go_to("08:30")
        await life.asks("有人让我共享屏幕转账")
        (alert,) = life.world.deliveries.select("webhook")
        name = life.world.customers[life.visitor].nickname
        assert "负责" in alert.text
        assert name not in alert.text
        await life.go_to("09:00")
        await life.go_to("09:30")
        briefs = [one.text for one in life.world.deliveries.select("webhook")][1:]
        assert len(briefs) == 1
        assert "新线索 1 条" in briefs[0]


async def test_a_models_answer_is_seen_growing(workspace: Workspace) -> None:
    async with openai_server() as server, town_with_a_bot(workspace) as life:
        server.says = "有的能提前取，但利息会少算[1]。买之前先问清，急用的钱别放[1]。"
        server.pause = asyncio.Event()
        await restart(life, llm=LlmSettings(model="m", base_url=server.url))
        await until(life, lambda: BOT in life.world.aibot_lines.live)
        aibot_people.says(life.world, BOT, RM, QUESTION)
        notices_come = asyncio.create_task(until(life, lambda: bool(server.asked)))
        await waiting.until(lambda: bool(life.world.aibots.seen_by(RM)), 15)
        shown = last(life, RM)
        await waiting.until(lambda: shown.text == "有的能提前取，但利息会少算。", 15)
        assert not shown.finished
        server.pause.set()
        await notices_come
        await until(life, lambda: shown.finished)
        assert shown.text.startswith("有的能提前取，但利息会少算。买之前先问清，急用的钱别放。")
        assert "依据：《" in shown.text
        assert len(life.world.deliveries.select("aibot")) == 1
