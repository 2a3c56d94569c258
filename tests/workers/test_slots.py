"""Calls under way side by side: a slow one holds its own slot and lane, never an answer."""

from __future__ import annotations

import asyncio

import pytest

from bot.clock import FakeClock
from bot.domain.delivery import Terms
from bot.domain.messages import CHANNEL_OF
from bot.storage.db import Database
from bot.workers.content import Content
from bot.workers.loop import one_by_one, run_for_ever, run_until_idle
from bot.workers.outbox import OutboxWorker
from bot.workers.slots import Slots
from tests.make import ACCOUNT, CUSTOMER, NOON, answer_terms, reply, staff_text, tag_change
from tests.workers.line import Line, put, state

SLOTS, KEPT = 24, 8
CONTROL = Terms(purpose="control", subject="x")


async def until(condition, within: float = 5.0) -> None:  # type: ignore[no-untyped-def]
    """Look at a condition again and again until it holds."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - the database is asked, nothing tells it
            await asyncio.sleep(0.005)


async def test_urgent_pieces_find_room_where_others_have_filled_theirs() -> None:
    slots, gate = Slots(3, kept=1), asyncio.Event()

    async def slow() -> None:
        await gate.wait()

    assert (slots.room(), slots.room(urgent=True)) == (2, 3)
    await slots.start(slow())
    await slots.start(slow())
    assert (slots.room(), slots.room(urgent=True)) == (0, 1)
    await slots.start(slow(), urgent=True)
    assert (slots.room(), slots.room(urgent=True)) == (0, 0)
    waiting = asyncio.ensure_future(slots.wait_for_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    gate.set()
    await waiting
    await slots.drain()
    assert (slots.room(), slots.room(urgent=True)) == (2, 3)


async def test_in_turn_each_piece_ends_before_the_next_begins() -> None:
    slots, seen = Slots(4, in_turn=True), list[str]()

    async def piece(name: str) -> None:
        seen.append(f"{name} begins")
        await asyncio.sleep(0)
        seen.append(f"{name} ends")

    for name in ("a", "b"):
        await slots.start(piece(name))
    assert seen == ["a begins", "a ends", "b begins", "b ends"]


async def test_a_drain_that_is_cut_short_ends_what_was_at_work() -> None:
    slots, ended = Slots(2), asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    await slots.start(hangs())
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await slots.drain()
    assert ended.is_set()


async def test_a_thousand_slow_calls_do_not_delay_an_answer(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.slow, line.hold = {"tag_change"}, asyncio.Event()
    async with database.begin() as tx:
        for number in range(1000):
            message = tag_change(f"wm{number}")
            await tx.outbox.put(f"tag{number}", message, CONTROL, NOON)
        await tx.conversations.ensure(CUSTOMER, ACCOUNT)
        await tx.conversations.change(CUSTOMER, ACCOUNT, last_customer_at=NOON)
    stopping = asyncio.Event()
    running = asyncio.create_task(run_for_ever([worker], database, clock, stopping))
    try:

        async def slots_are_full() -> bool:
            return line.kinds.count("tag_change") == SLOTS - KEPT

        await until(slots_are_full)
        asked = asyncio.get_running_loop().time()
        await put(database, "answer", reply(), answer_terms())

        async def answered() -> bool:
            return "kf_reply" in line.kinds and (await state(database, "answer"))[0] == "sent"

        await until(answered)
        assert asyncio.get_running_loop().time() - asked < 1
        assert line.kinds.count("tag_change") == SLOTS - KEPT  # they still hang
    finally:
        line.hold.set()
        stopping.set()
        await running


async def test_one_slow_call_holds_up_nobody_but_its_own_lane(
    database: Database, worker: OutboxWorker, line: Line, clock: FakeClock
) -> None:
    line.slow, line.hold = {"tag_change"}, asyncio.Event()
    async with database.begin() as tx:
        await tx.outbox.put("slow", tag_change(), CONTROL, NOON, lane="one")
        await tx.outbox.put("behind", staff_text("后"), CONTROL, NOON, lane="one")
        for number in range(30):
            await tx.outbox.put(f"other{number}", staff_text(str(number)), CONTROL, NOON)
    stopping = asyncio.Event()
    running = asyncio.create_task(run_for_ever([worker], database, clock, stopping))
    try:

        async def others_left() -> bool:
            # The member's own pace lets eleven of them go at once.
            return line.kinds.count("staff_text") == 11

        await until(others_left)
        assert (await state(database, "slow"))[0] == "sending"
        assert (await state(database, "behind"))[0] == "ready"
    finally:
        line.hold.set()
        stopping.set()
        await running
    assert (await state(database, "slow"))[0] == "sent"


async def test_by_hand_everything_is_done_when_the_stepping_ends(
    database: Database, content: Content, clock: FakeClock, line: Line
) -> None:
    for manner in (None, one_by_one):
        name = "hand" if manner else "side"
        more = {} if manner is None else {"manner": manner}
        channels = dict.fromkeys(CHANNEL_OF.values(), line)
        worker = OutboxWorker(database, channels, content, clock, **more)
        async with database.begin() as tx:
            for number in range(40):
                await tx.outbox.put(f"{name}{number}", tag_change(f"wm{number}"), CONTROL, NOON)
        await run_until_idle([worker], database, clock)
        assert {(await state(database, f"{name}{n}"))[0] for n in range(40)} == {"sent"}
    keys = [key for key, _ in line.sent if key.startswith("hand")]
    assert keys == [f"hand{number}" for number in range(40)]
