"""Somebody is being robbed, or complains: a person knows at once, and nothing more is sold."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.ids import CustomerId
from bot.domain.people import Customer
from bot.emulator.contact import befriend
from bot.workspace import Workspace
from tests.journeys.friends import begin, run_of, with_friends
from tests.journeys.staff import RM
from tests.journeys.town import Life, live
from tests.make import local, staff_terms, staff_text

ROBBED = "有人自称公安让我共享屏幕，把钱转到安全账户"
ANGRY = "我要投诉你们，理财亏了没人管"


async def _known(life: Life) -> None:
    befriend(life.world, RM, life.visitor, quiet=True)
    await life.wait(1)


async def _customer(life: Life) -> Customer:
    async with life.demo.bot.database.read() as tx:
        found = await tx.people.customer(CustomerId(life.visitor))
    assert found is not None
    return found


async def test_of_a_fraud_in_progress_the_manager_knows_within_a_second(
    workspace: Workspace,
) -> None:
    async with live(workspace, groups=1, members=10) as life:
        await _known(life)
        said_at = life.world.now()
        answers = await life.asks(ROBBED)
        assert any("110" in text for text in answers)
        (card,) = life.cards(RM, "lead")
        assert (card.at - said_at).total_seconds() < 1
        assert card.text.startswith("紧急")
        for part in ("打电话，别打字", "110", "96110", "挂失"):
            assert part in card.text
        assert next(iter(card.buttons.values())) == "接手"
        assert "稍后" not in card.buttons.values()
        await life.press(card, "take")
        item = life.world.app_messages.item(RM, card.msgid)
        assert "96110" in item.text
        packet = life.world.app_messages.inbox(RM)[-1].text
        assert "不问密码和验证码" in packet
        assert "不谈任何产品" in packet
        customer = await _customer(life)
        assert customer.refuses_marketing(life.world.now())


async def test_a_red_flag_comes_through_a_flood_at_once_and_as_a_card_of_its_own(
    workspace: Workspace,
) -> None:
    async with live(workspace, groups=1, members=10) as life:
        await _known(life)
        async with life.demo.bot.database.begin() as tx:
            for number in range(30):
                words = staff_text(f"第 {number} 件小事")
                await tx.outbox.put(f"small:{number}", words, staff_terms(), life.world.now())
        said_at = life.world.now()
        await life.asks(ROBBED)
        (card,) = life.cards(RM, "lead")
        assert (card.at - said_at).total_seconds() < 1
        await life.wait(3)
        inbox = life.world.app_messages.inbox(RM)
        assert life.world.app_messages.dropped == 0
        digests = [item.text for item in inbox if "合在一起" in item.text]
        assert 1 <= len(digests) <= 3
        told = "\n".join(item.text for item in inbox)
        assert all(f"第 {number} 件小事" in told for number in range(30))
        assert len(inbox) < 20


@pytest.mark.parametrize(("words", "days"), [(ANGRY, 300), (ROBBED, 29)])
async def test_what_sells_stops_in_the_script_that_runs_and_everywhere_else(
    workspace: Workspace, tmp_path: Path, words: str, days: int
) -> None:
    files = with_friends(workspace, tmp_path / "w")
    async with live(files, local("10:00"), groups=1, members=10) as life:
        run = await begin(life, life.visitor)
        assert not (await _customer(life)).refuses_marketing(life.world.now())
        assert not (await run_of(life, run)).marketing_stopped
        await life.asks(words)
        until = (await _customer(life)).marketing_paused_until
        assert until is not None
        assert (until - life.world.now()).days >= days
        stopped = await run_of(life, run)
        assert stopped.marketing_stopped or stopped.state == "exited"
        (lead,) = await life.leads(life.visitor)
        (card,) = life.cards(lead.rm, "lead")
        assert "不谈任何产品" not in card.text  # what to do comes first, on one screen
        await life.press(card, "take")
        packet = life.world.app_messages.inbox(lead.rm)[-1].text
        assert "不谈任何产品和活动" in packet


async def test_of_a_complaint_the_card_says_what_comes_first(workspace: Workspace) -> None:
    async with live(workspace, groups=1, members=10) as life:
        await _known(life)
        await life.asks(ANGRY)
        (card,) = life.cards(RM, "lead")
        assert card.text.startswith("客户投诉")
        for part in ("先道歉", "12378", "请在此前回"):
            assert part in card.text
        assert "稍后" not in card.buttons.values()
