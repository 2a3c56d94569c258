"""What nobody had written down is asked, answered by a person, taught, and answered by the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from bot.errors import ConfigError
from bot.teaching_room import Room, open_room
from bot.workers.teaching_book import TeachingBook
from bot.workers.teaching_desk import Published, Wish
from tests.journeys.town import Life

ASKED = (
    "你们网点有没有保管箱可以租呀",
    "保管箱怎么租，租一年多少钱",
    "家里的首饰想租个保管箱放着",
)
NEXT = "我想租保管箱，一年要多少钱"
PERSON = 3
AUTHOR = "运营-周岚"
SAID = "有的，小号保管箱一年三百元。您带身份证来网点签合同，当天就能用。"


@asynccontextmanager
async def room_of(life: Life) -> AsyncIterator[Room]:
    bot = life.demo.bot
    async with AsyncExitStack() as stack:
        yield await open_room(stack, bot.settings, bot.workspace, bot.database, bot.clock)


async def three_ask(life: Life) -> None:
    """Let three customers ask in their own words; a person answers each."""
    for customer, text in zip(life.demo.town.visitors, ASKED, strict=False):
        await life.asks(text, customer)
        if life.state(customer) != PERSON:  # what sounds like another kind calls nobody by itself
            await life.asks("转人工", customer)
        talk = life.world.kf.conversation(life.account, customer)
        assert talk.servicer, "a person has the word"
        life.world.kf.servicer_says(life.account, customer, talk.servicer, SAID)
        life.world.kf.servicer_ends(life.account, customer)
        await life.settle()
    await life.wait(5)


async def taught(room: Room, book: TeachingBook, number: int) -> Published:
    """Have the person's answer written, allowed by two people, and published."""
    with pytest.raises(ConfigError, match="来写"):  # nothing that is approved says it
        await room.desk.draft(number, Wish(by=AUTHOR))
    draft = await room.desk.draft(number, Wish(by=AUTHOR, use_reply=True))
    assert draft.answer == SAID
    with pytest.raises(ConfigError, match="不能自己批自己"):
        await book.approve(number, "业务", "周岚")
    await book.approve(number, "业务", "业务-李敏")
    with pytest.raises(ConfigError, match="要换一位"):
        await book.approve(number, "合规", "李敏")
    with pytest.raises(ConfigError, match="还差合规批"):
        await room.desk.publish(number, AUTHOR)
    await book.approve(number, "合规", "消保-何静")
    return await room.desk.publish(number, AUTHOR)


async def test_the_bot_itself_collects_by_the_hour_and_groups_at_night(life: Life) -> None:
    await life.go_to("10:00")
    await three_ask(life)
    await life.go_to("12:00")
    bot = life.demo.bot
    async with bot.database.read() as tx:
        assert len(await tx.questions.in_state("new", limit=9)) == 3
    await life.go_to("05:30", "2026-10-13")
    (page,) = await TeachingBook(bot.database, bot.clock).pages()
    assert (page.volume.questions, page.volume.people) == (3, 3)


async def test_a_gap_is_collected_taught_and_answered(life: Life) -> None:
    await life.go_to("10:00")
    await three_ask(life)
    bot = life.demo.bot
    book = TeachingBook(bot.database, bot.clock)
    async with room_of(life) as room:
        assert await room.collector.collect() == 3
        assert await room.collector.collect() == 0  # each is kept once
        placed = await room.placer.place()
        assert placed.proposals == 1
        (page,) = await book.pages()
        assert (page.volume.questions, page.volume.people, page.volume.unanswered) == (3, 3, 3)
        assert {one.reply for one in page.asked} == {SAID}
        done = await taught(room, book, page.proposal.id)
    assert done.trial.passed, done.trial.objections()
    assert done.trial.golden.total > 100
    assert done.trial.own.total == 3
    text = (bot.workspace.root / done.file).read_text("utf-8")
    assert "审批人: 业务-李敏、消保-何静" in text
    assert await bot.content_worker.reload()
    await life.settle()
    (answer,) = await life.asks(NEXT, life.demo.town.visitors[3])
    assert "一年三百元" in answer
    assert await life.ledger("teaching_published") == 1
