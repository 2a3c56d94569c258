"""In a group no program may speak: the owner gets a draft, refusals are kept, some groups wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.emulator import groups
from bot.workspace import Workspace, copy_workspace
from tests.journeys.town import Life, edit, live


@pytest.fixture
async def small(workspace: Workspace) -> AsyncIterator[Life]:
    """Open a town with one group, for stories that play in its third week."""
    async with live(workspace, groups=1, members=10) as town:
        yield town


async def test_a_question_becomes_a_draft_that_the_owner_sends(life: Life) -> None:
    member, owner = life.member(life.chat), life.owner(life.chat)
    await life.says(life.chat, member, "取五万块钱要提前预约吗?")
    (card,) = life.cards(owner, "draft")
    assert "预约" in card.text
    assert life.world.customers[member].nickname in card.text
    assert life.world.deliveries.select("group", life.chat) == []
    words = card.content["quote_area"]["quote_text"]
    groups.owner_says(life.world, life.chat, words, sidebar=True)
    await life.press(card, "sent")
    async with life.demo.bot.database.read() as tx:
        assert await tx.drafts.counts() == {"sent": 1}
        assert await tx.drafts.waiting(life.chat) == []
    assert life.cards(owner, "draft") == []
    assert await life.ledger("draft_sent") == 1


async def test_a_draft_that_is_not_wanted_is_dropped(life: Life) -> None:
    await life.says(life.chat, life.member(life.chat), "取五万块钱要提前预约吗?")
    (card,) = life.cards(life.owner(life.chat), "draft")
    await life.press(card, "drop")
    async with life.demo.bot.database.read() as tx:
        assert await tx.drafts.counts() == {"dropped": 1}


async def test_chatter_and_the_staffs_own_words_make_no_draft(life: Life) -> None:
    await life.says(life.chat, life.member(life.chat), "早上好,今天天气真好")
    groups.owner_says(life.world, life.chat, "取钱要提前预约吗?可以先打电话。")
    await life.settle()
    assert life.all_cards("draft") == []
    assert await life.leads() == []


async def test_danger_in_a_group_reaches_the_owner_at_once(life: Life) -> None:
    member = life.member(life.chat)
    await life.says(life.chat, member, "我刚给他转了三万,他说是我儿子换了手机,我是不是被骗了")
    (lead,) = await life.leads(member)
    assert lead.need.value == "红线"
    assert (lead.respond_by - lead.opened_at).total_seconds() <= 300
    (card,) = life.cards(lead.rm, "lead")
    assert "紧急" in card.text


async def test_a_refusal_is_written_down_and_the_owner_gets_the_reply(life: Life) -> None:
    member, owner = life.member(life.chat), life.owner(life.chat)
    await life.says(life.chat, member, "退订")
    async with life.demo.bot.database.read() as tx:
        customer = await tx.people.customer(member)
        assert customer is not None
        assert customer.refuses_marketing(life.world.now())
    (card,) = life.cards(owner, "draft")
    assert "不再单独给您发" in card.text
    assert await life.ledger("opted_out") == 1
    assert await life.leads() == []


def half_held_out(workspace: Workspace, folder: Path) -> Workspace:
    copied = copy_workspace(workspace, folder)
    edit(copied, "sop/senior-21d.sop.yaml", "留白群比例: 0.1", "留白群比例: 0.5")
    return copied


async def test_a_held_out_group_gets_nothing_and_a_refusal_there_counts_too(
    workspace: Workspace, tmp_path: Path
) -> None:
    async with live(half_held_out(workspace, tmp_path / "w"), groups=6, members=60) as life:
        states = await life.run_states()
        held = [chat for chat, state in states.items() if state == "held_out"]
        running = [chat for chat, state in states.items() if state == "running"]
        assert held
        assert running
        await life.go_to("09:31", "2026-10-13")
        for chat in life.demo.town.groups:
            life.confirm(chat)
        await life.go_to("12:00", "2026-10-13")
        assert all(life.broadcasts_to(chat) for chat in running)
        assert not any(life.broadcasts_to(chat) for chat in held)
        assert all(life.tasks(chat) == [] for chat in held)
        member = life.member(held[0])
        await life.says(held[0], member, "别发了")
        async with life.demo.bot.database.read() as tx:
            customer = await tx.people.customer(member)
        assert customer is not None
        assert customer.refuses_marketing(life.world.now())
        await life.says(held[0], member, "取五万块钱要提前预约吗?")
        assert life.cards(life.owner(held[0]), "draft")  # service goes on


async def test_a_replying_member_is_counted_and_bothers_nobody(life: Life) -> None:
    await life.go_to("09:31", "2026-10-13")
    life.confirm(life.chat)
    await life.go_to("09:45", "2026-10-13")
    await life.says(life.chat, life.member(life.chat), "收到")
    await life.says(life.chat, life.member(life.chat, 1), "1")
    assert await life.ledger("interaction") == 2
    assert life.all_cards("draft") == life.all_cards("lead") == []


async def test_asking_for_fewer_messages_makes_the_weekly_cap_tighter(small: Life) -> None:
    life = small
    await life.had("d20-nps")
    await life.says(life.chat, life.member(life.chat), "少发点")
    async with life.demo.bot.database.read() as tx:
        (run,) = await tx.runs.of_subject(life.chat)
    assert run.weekly_cap == 1


async def test_danger_is_heard_even_where_any_reply_is_hoped_for(small: Life) -> None:
    life = small
    await life.had("d16-thanks")
    member = life.member(life.chat)
    await life.says(life.chat, member, "我刚给他转了三万,他说是我儿子换了手机,我是不是被骗了")
    (lead,) = await life.leads(member)
    assert lead.need.value == "红线"
    await life.says(life.chat, life.member(life.chat, 1), "取五万块钱要提前预约吗?")
    assert any("预约" in card.text for card in life.cards(life.owner(life.chat), "draft"))
    await life.says(life.chat, life.member(life.chat, 2), "学会了放大字体")
    assert await life.ledger("interaction") == 1


async def test_a_refusal_put_as_a_question_is_a_refusal_and_can_be_taken_back(life: Life) -> None:
    member = life.member(life.chat)
    for words, refuses in (("能不能别发了?", True), ("恢复", False)):
        await life.says(life.chat, member, words)
        async with life.demo.bot.database.read() as tx:
            customer = await tx.people.customer(member)
        assert customer is not None
        assert customer.refuses_marketing(life.world.now()) is refuses


async def test_a_question_is_answered_while_a_consent_is_awaited(life: Life) -> None:
    await life.had("d12-fin-literacy")
    member = life.member(life.chat, 0)
    await life.says(life.chat, member, "三笔钱")
    before = len(life.cards(life.owner(life.chat), "draft"))
    await life.says(life.chat, member, "取五万块要预约吗")
    drafts = life.cards(life.owner(life.chat), "draft")
    assert len(drafts) == before + 1
    assert "预约" in str(drafts[-1].content)


async def test_fraud_after_the_lesson_is_answered_in_the_words_of_the_script(life: Life) -> None:
    await life.had("d03-fraud-child")
    member = life.member(life.chat, 1)
    await life.says(life.chat, member, "我刚给他转了三万，我是不是被骗了")
    (lead,) = await life.leads(member)
    assert (lead.need.value, lead.step) == ("红线", "d03-fraud-child")
    script = life.demo.bot.content.snapshot.scripts["senior-21d"]
    step = script.part("d03-fraud-child")
    reply = next(listen.reply for listen in step.listens if listen.intent)
    draft = life.cards(life.owner(life.chat), "draft")[-1]
    assert reply.split("。")[0] in str(draft.content)
