"""WeCom may post a callback again and again: one answer, one lead, one step of a draft."""

from __future__ import annotations

import asyncio

from tests.journeys.town import Life


async def test_the_same_callback_three_times_gives_one_answer(life: Life) -> None:
    life.world.callbacks.duplicate_all = True
    callbacks = life.world.callbacks
    life.new()
    life.world.kf.customer_says(life.account, life.visitor, "存单快到期了,怎么办呀")
    item = callbacks._queue[0]
    await callbacks.flush()  # posted twice
    await callbacks._post(item)  # and once more, encrypted anew as WeCom does
    await life.settle()
    await callbacks._post(item)  # even after it was worked on
    await life.settle()
    assert len(life.new("kf", life.visitor)) == 1
    assert await life.ledger("message_in") == 1
    assert [result.status for result in callbacks.results][-4:] == [200] * 4


async def test_a_hundred_questions_over_pages_and_repeats_are_answered_once_each(
    life: Life,
) -> None:
    life.world.callbacks.duplicate_all = True
    life.world.faults.plan("kf/sync_msg", "empty_page", times=3)
    for visitor in life.demo.town.visitors:
        for number in range(4):
            life.world.kf.customer_says(life.account, visitor, f"存折还能用吗 {number}")
    await asyncio.gather(life.world.callbacks.flush())
    await life.settle()
    answers = life.new("kf")
    # Four messages in a row are one question.
    assert sorted(item.to for item in answers) == sorted(life.demo.town.visitors)
    assert await life.ledger("message_in") == 40
    assert await life.ledger("answer_approved") == 10


async def test_a_group_message_that_is_announced_again_makes_one_draft(life: Life) -> None:
    life.world.callbacks.duplicate_all = True
    await life.says(life.chat, life.member(life.chat), "取五万块钱要提前预约吗?")
    owner = life.owner(life.chat)
    assert len(life.cards(owner, "draft")) == 1


async def test_a_lost_answer_of_wecoms_doubles_nothing(life: Life) -> None:
    life.world.faults.plan("kf/send_msg", "lost_answer")
    assert len(await life.asks("存单快到期了,怎么办呀")) == 1
    await life.wait(10)
    assert life.new("kf", life.visitor) == []
    assert set((await life.outbox_states()).values()) == {"sent"}
