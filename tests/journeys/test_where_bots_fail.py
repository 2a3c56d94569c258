"""The scenarios that bots fail: batches, restarts, long logs, slow neighbours, cold tokens."""

from __future__ import annotations

import asyncio

from bot.emulator.limits import MINUTE
from bot.emulator.world import Customer
from bot.storage.tables import events
from tests.journeys.town import Life

KNOWN = "取五万块钱要提前预约吗"
ACK_MS = 100


def calls(life: Life, api: str) -> int:
    """Count the calls of an API within the last minute, as WeCom's own limiter does."""
    windows = life.world.limits._windows
    return len(windows[f"api:{api}", MINUTE]._seen)


async def test_three_customers_in_one_batch_have_three_answers(life: Life) -> None:
    life.new()
    for visitor in life.demo.town.visitors[:3]:
        life.world.kf.customer_says(life.account, visitor, KNOWN)
    await life.settle()
    answered = [item.to for item in life.new("kf") if item.source == "kf_send_msg"]
    assert sorted(answered) == sorted(life.demo.town.visitors[:3])


async def test_a_question_with_an_entry_behind_it_has_one_answer(life: Life) -> None:
    life.new()
    life.world.kf.customer_says(life.account, life.visitor, KNOWN)
    life.world.kf.enter(life.account, life.visitor)
    await life.settle()
    assert len(life.answers()) == 1


async def test_who_is_notified_again_after_a_restart_answers_nothing_again(life: Life) -> None:
    await life.asks(KNOWN)
    await life.demo.restart()
    for result in [one for one in life.world.callbacks.results if one.config == "kf"]:
        life.world.callbacks.repeat(result)
    life.world.faults.plan("kf/sync_msg", "cursor_loss")
    await life.settle()
    assert life.answers() == []
    assert await life.ledger("message_in") == 1


async def test_a_first_start_over_a_thousand_kept_messages_answers_the_newest(life: Life) -> None:
    world, account = life.world, world_account(life)
    world.faults.plan("kf", "lost", times=1000)  # nobody was there to hear the doorbells
    for number in range(1000):
        world.kf.customer_says(account, life.demo.town.visitors[number % 10], f"旧问题 {number}")
    life.demo.clock.advance(hours=2)
    newest = life.demo.town.visitors[3]
    world.kf.customer_says(account, newest, KNOWN)
    life.new()
    await life.settle()
    fresh = [item for item in life.new("kf") if item.source == "kf_send_msg"]
    assert [item.to for item in fresh] == [newest]
    assert "预约" in fresh[0].text
    assert calls(life, "kf/sync_msg") <= 2
    async with life.demo.bot.database.read() as tx:
        rows = (await tx.connection.execute(events.select())).all()
    assert len([row for row in rows if row.key.startswith(f"kf:{account}:")]) == 1001
    assert await life.ledger("message_in") == 1


def world_account(life: Life) -> str:
    """Open a second account, which the bot has never read."""
    account = life.world.kf.add_account("银龄客服")
    return str(account.open_kfid)


async def test_the_same_word_said_twice_is_two_messages(life: Life) -> None:
    await life.asks("好")
    life.demo.clock.advance(seconds=2)
    await life.asks("好")
    assert await life.ledger("message_in") == 2


async def test_slow_neighbours_hold_up_no_acknowledgement(life: Life) -> None:
    life.world.faults.plan("externalcontact/get", "slow", seconds=0.6)
    life.world.faults.plan("message/send", "slow", seconds=0.6, times=2)
    life.world.kf.customer_says(life.account, life.visitor, "转人工")
    settling = asyncio.create_task(life.settle())
    callbacks = life.world.callbacks
    for other in life.demo.town.visitors[1:9]:
        life.world.kf.customer_says(life.account, other, KNOWN)
        await callbacks.flush()
        await asyncio.sleep(0.1)  # spread over the slow calls
    await settling
    of_kf = [one for one in callbacks.results if one.config == "kf"]
    assert len(of_kf) >= 5
    assert {one.status for one in of_kf} == {200}
    assert sorted(one.elapsed_ms for one in of_kf)[len(of_kf) // 2] < ACK_MS


async def test_thirty_customers_at_a_cold_token_ask_for_one_token(life: Life) -> None:
    world = life.world
    people = [
        world.add_customer(Customer(world.new_id("wm"), f"街坊{number}")).external_userid
        for number in range(30)
    ]
    life.demo.clock.advance(hours=3)  # every token is over
    for person in people:
        world.kf.customer_says(life.account, person, KNOWN)
    life.new()
    await life.settle()
    answered = {item.to for item in life.new("kf") if item.source == "kf_send_msg"}
    assert answered == set(people)
    assert calls(life, "gettoken") == 1
