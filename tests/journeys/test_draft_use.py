"""What becomes of a draft: told by the owner's own words in the archive, by a press, or by time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.answering.answer import Question
from bot.domain.adoption import adoption_of
from bot.domain.draft import Draft
from bot.domain.ids import RmId
from bot.emulator import friends, groups
from bot.emulator.app import InboxItem
from bot.workers.drafting import Place, put_draft
from bot.workspace import Workspace
from tests.journeys.friends import begin, manager_of, with_friends, writes
from tests.journeys.town import Life, live
from tests.make import local

CASH = "取五万块钱要提前预约吗?"
BOOK = "存折丢了怎么补?"
LIMIT = "转账限额怎么改?"


@pytest.fixture
async def small(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a town with one group."""
    async with live(workspace, groups=1, members=10) as town:
        yield town


async def drafts_of(life: Life, chat: str = "") -> list[Draft]:
    """Return a chat's drafts, oldest first."""
    since = life.world.now() - timedelta(days=3)
    async with life.demo.bot.database.read() as tx:
        return (await tx.drafts.since(chat or life.chat, since))[::-1]


async def asked(life: Life, text: str, number: int = 0) -> tuple[Draft, InboxItem]:
    """Let a member ask; return the draft that was made, and its card."""
    await life.says(life.chat, life.member(life.chat, number), text)
    draft = (await drafts_of(life))[-1]
    assert draft.question == text
    return draft, life.cards(life.owner(life.chat), f"draft:{draft.id}:")[0]


async def owner_says(life: Life, text: str) -> None:
    groups.owner_says(life.world, life.chat, text)
    await life.settle()


async def test_the_owners_own_words_tell_what_became_of_each_draft(small: Life) -> None:
    life = small
    name = life.world.customers[life.member(life.chat, 2)].nickname
    first, card = await asked(life, CASH)
    await owner_says(life, f"{first.text.partition(chr(10) + '依据')[0]}")
    assert card.replaced == "已发出"
    second, card = await asked(life, BOOK, 1)
    changed = second.text[: len(second.text) * 2 // 3] + "，来了找我就行"
    await owner_says(life, changed)
    assert card.replaced == "改过发出"
    _, card = await asked(life, LIMIT, 2)
    await owner_says(life, "早上好，各位")  # says nothing to it
    assert not card.replaced
    await owner_says(life, f"@{name} 您下午过来，我教您")
    assert card.replaced == "已另外回复"
    assert [one.state for one in await drafts_of(life)] == ["sent", "edited", "otherwise"]
    assert [one.said for one in await drafts_of(life)][1] == changed
    for kind in ("draft_sent", "draft_edited", "answered_otherwise"):
        assert await life.ledger(kind) == 1
    async with life.demo.bot.database.read() as tx:
        assert adoption_of(await tx.drafts.counts()).share == "2/3（67%）"


async def test_a_press_says_it_too_with_its_reason_and_time_ends_the_rest(small: Life) -> None:
    life = small
    dropped, card = await asked(life, CASH)
    await life.press(card, "drop", {f"why-draft-{dropped.id}": ["wrong"]})
    assert card.replaced == "已放弃"
    again = life.member(life.chat, 3)
    await life.says(life.chat, again, "取五万块钱要不要提前预约?")  # he did not want this one
    assert len(await drafts_of(life)) == 1
    marked, card = await asked(life, BOOK, 1)
    await life.press(card, "sent")
    await owner_says(life, marked.text[: len(marked.text) // 2])  # was changed before it was sent
    _, card = await asked(life, LIMIT, 2)
    await life.wait(24 * 60 + 1)
    assert card.replaced == "过时了"
    found = await drafts_of(life)
    assert [(one.state, one.reason) for one in found] == [
        ("dropped", "wrong"),
        ("edited", ""),
        ("expired", ""),
    ]
    assert await life.ledger("draft_expired") == 1


async def test_several_who_ask_the_same_have_one_draft_whose_card_names_them(small: Life) -> None:
    life = small
    _, card = await asked(life, CASH)
    await life.says(life.chat, life.member(life.chat, 1), "取五万块要不要提前预约呀?")
    await life.says(life.chat, life.member(life.chat, 1), CASH)  # the same person once more
    (draft,) = await drafts_of(life)
    names = [life.world.customers[life.member(life.chat, n)].nickname for n in (0, 1)]
    assert [one.name for one in draft.askers] == names
    (card,) = life.cards(life.owner(life.chat), "draft:")
    assert all(name in str(card.content) for name in names)
    await life.press(card, "sent")
    assert [one.state for one in await drafts_of(life)] == ["sent"]


async def test_where_a_person_was_quicker_nothing_waits_for_the_owner(small: Life) -> None:
    life = small
    member = life.member(life.chat)
    groups.says(life.world, life.chat, member, CASH)
    groups.owner_says(life.world, life.chat, "取五万要预约的，您明天上午来就行")
    await life.settle()
    assert all(one.state == "otherwise" for one in await drafts_of(life))
    assert not life.cards(life.owner(life.chat), "draft:")


async def test_a_draft_is_there_within_seconds_of_the_question(small: Life) -> None:
    life = small
    begun = life.world.now()
    groups.says(life.world, life.chat, life.member(life.chat), CASH)
    await life.settle()  # the archive rings once in a while: the second question waits for that
    groups.says(life.world, life.chat, life.member(life.chat, 1), BOOK)
    groups.says(life.world, life.chat, life.member(life.chat, 2), "我想问一下")
    groups.says(life.world, life.chat, life.member(life.chat, 2), LIMIT)
    await life.wait(1)
    cards = life.cards(life.owner(life.chat), "draft:")
    assert len(cards) == 3
    assert max(card.at - begun for card in cards) <= timedelta(seconds=20)


async def test_what_a_manager_writes_to_a_customer_alone_settles_the_draft(
    workspace: Workspace, tmp_path: Path
) -> None:
    files = with_friends(workspace, tmp_path / "w")
    async with live(files, local("10:00"), groups=1, members=10) as life:
        await begin(life)
        await writes(life, "三笔钱")
        (draft,) = await drafts_of(life, life.visitor)
        friends.says(life.world, manager_of(life), life.visitor, draft.text, by="member")
        await life.settle()
        assert [one.state for one in await drafts_of(life, life.visitor)] == ["sent"]
        await writes(life, "可以")
        (lead,) = await life.leads(life.visitor)
        assert lead.stage == "new"  # the question for consent was asked, though nobody pressed


async def test_amounts_and_yields_stay_out_of_a_groups_draft(small: Life) -> None:
    life = small
    answerer = life.demo.bot.content.answerer
    said = await answerer.answer(Question(text=CASH, plane="group"), life.world.now())
    place = Place(life.chat, RmId(life.owner(life.chat)), "wm1", "王阿姨", "银龄安心群")
    rules = life.demo.bot.content.snapshot.rules
    async with life.demo.bot.database.begin() as tx:
        for key, words in (("a", said.text), ("b", "这款理财年化百分之三点二，收益不错。")):
            await put_draft(
                tx,
                place,
                key=key,
                question="问",
                words=words,
                sources=(),
                variables={},
                rules=rules,
                now=life.world.now(),
            )
    assert [one.key for one in await drafts_of(life)] == ["a"]
    assert await life.ledger("draft_blocked") == 1


async def test_what_nobody_knows_is_counted_and_brought_to_the_owner_once(small: Life) -> None:
    life = small
    await life.says(life.chat, life.member(life.chat), "你们网点能寄存行李吗?")
    assert await drafts_of(life) == []
    assert await life.ledger("answer_declined") == 1
    (lead,) = await life.leads()
    assert lead.need.value == "答不上"
