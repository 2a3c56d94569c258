"""When the bot calls a person of itself: it missed too often, or something of its own broke."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.answering.answer import Answerer, Question
from bot.answering.meaning import Trouble
from bot.domain.knowledge import Answer
from bot.workspace import Workspace, copy_workspace
from tests.journeys.town import Life, edit, live

KNOWN = "存单快到期了,怎么办呀"
OTHER = "取五万块钱要提前预约吗"
NOT_OURS = "今天股市大盘怎么走"
NOT_OURS_EITHER = "帮我查查我邻居王姐卡里有多少钱"


@pytest.fixture
async def life(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a small town in the middle of a morning."""
    async with live(workspace, groups=1, members=4) as town:
        await town.go_to("10:00")
        yield town


class Broken:
    """An answerer in which something of our own breaks, so many times."""

    def __init__(self, life: Life, times: int) -> None:
        self._answerer: Answerer = life.demo.bot.content.answerer
        self._left = times
        life.demo.bot.content.answerer = self  # type: ignore[assignment]

    async def trouble(self, text: str) -> Trouble | None:
        return await self._answerer.trouble(text)

    async def answer(self, question: Question, now: object) -> Answer:
        if question.plane == "kf" and self._left:
            self._left -= 1
            raise RuntimeError("a secret of our own")
        return await self._answerer.answer(question, now)  # type: ignore[arg-type]


async def test_what_breaks_once_is_tried_again_and_nobody_notices(life: Life) -> None:
    Broken(life, times=1)
    await life.asks(KNOWN)
    await life.wait(1)
    assert life.state() == 0
    said = life.world.deliveries.select("kf", life.visitor, "kf_send_msg")
    assert [("依据" in one.text) for one in said if one.source == "kf_send_msg"] == [True]


async def test_what_breaks_again_brings_a_person_and_no_word_of_what_it_was(life: Life) -> None:
    Broken(life, times=99)
    life.new()
    life.world.kf.customer_says(life.account, life.visitor, KNOWN)
    await life.settle()
    await life.wait(1)
    (words,) = life.answers()
    assert "小毛病" in words
    assert life.demo.bot.content.bank.institution.hotline in words
    assert "secret" not in words
    (lead,) = await life.leads(life.visitor)
    assert (lead.need.value, lead.evidence[0].quote) == ("答不上", KNOWN)
    assert life.state() == 3
    await life.wait(10)
    assert len(await life.leads(life.visitor)) == 1
    assert await life.ledger("ticket_opened") == 1


async def test_a_question_that_breaks_keeps_nobody_else_waiting(life: Life) -> None:
    Broken(life, times=2)
    life.world.kf.customer_says(life.account, life.visitor, KNOWN)
    await life.settle()
    await life.wait(1)
    (answer,) = await life.asks(OTHER, life.demo.town.visitors[1])
    assert "预约" in answer


async def test_two_declines_in_one_talk_bring_a_person(life: Life) -> None:
    (first,) = await life.asks(NOT_OURS)
    assert life.state() == 0
    assert "转人工" in first
    (second,) = await life.asks(NOT_OURS_EITHER)
    assert "不耽误您了" in second
    assert life.state() == 3
    (lead,) = await life.leads(life.visitor)
    assert lead.need.value == "答不上"


async def test_declines_that_lie_far_apart_are_two_talks(life: Life) -> None:
    await life.asks(NOT_OURS)
    await life.wait(45)
    await life.asks(NOT_OURS_EITHER)
    assert life.state() == 0


async def test_an_answer_in_between_does_not_hide_that_the_customer_is_not_helped(
    life: Life,
) -> None:
    await life.asks(KNOWN)
    (sorry,) = await life.asks("答非所问")
    assert "对不起" in sorry
    assert life.state() == 0
    (again,) = await life.asks("不是问这个，我问的是取五万块钱要提前预约吗")
    assert "预约" in again  # what was found is said all the same
    assert "不耽误您了" in again
    assert life.state() == 3


async def test_after_a_person_has_come_the_count_begins_anew(life: Life) -> None:
    await life.asks(NOT_OURS)
    await life.asks(NOT_OURS_EITHER)
    life.world.kf.servicer_ends(life.account, life.visitor)
    await life.settle()
    await life.asks(NOT_OURS)
    assert life.state() == 0


async def test_how_often_she_tries_is_written_in_the_persona(
    workspace: Workspace, tmp_path: object
) -> None:
    own = copy_workspace(workspace, tmp_path / "own")  # type: ignore[operator]
    edit(own, "sop/personas/xiaoan.persona.yaml", "连着没答上: 2", "连着没答上: 1")
    async with live(own, groups=1, members=4) as town:
        await town.go_to("10:00")
        (only,) = await town.asks(NOT_OURS)
        assert "不耽误您了" in only
        assert town.state() == 3
