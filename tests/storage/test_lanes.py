"""A lane of events as a question sees it, and messages that may still be taken back."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.domain.delivery import Session, Terms
from bot.domain.events import Arrival
from bot.storage.db import Database
from tests.make import ACCOUNT, CUSTOMER, MINUTE, NOON, SECOND, arrival, message, reply

LANE = f"kf:{CUSTOMER}"
TERMS = Terms(purpose="answer", subject=CUSTOMER, account=ACCOUNT, asked="几点开门", answers=("m",))


async def test_only_what_is_new_is_told_of(database: Database) -> None:
    async with database.begin() as tx:
        assert await tx.inbox.add_events([arrival("a"), arrival("b")], NOON) == {"a", "b"}
        assert await tx.inbox.add_events([arrival("b"), arrival("c")], NOON) == {"c"}
        assert await tx.inbox.add_events([arrival("c")], NOON) == frozenset()


async def test_what_is_past_is_recorded_as_read_and_known_by_its_key(database: Database) -> None:
    past = Arrival(key="a", lane=LANE, event=message("a"), past=True)
    async with database.begin() as tx:
        assert await tx.inbox.add_events([past], NOON) == {"a"}
        assert await tx.inbox.claim_events(NOON) == []
        assert await tx.inbox.add_events([arrival("a")], NOON) == frozenset()


async def test_a_question_waits_and_is_finished_together(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival("a"), arrival("b"), arrival("z", "other")], NOON)
        rows = await tx.lanes.rows(LANE)
        assert [(row.begun, row.event.msgid) for row in rows] == [(False, "a"), (False, "b")]
        until = NOON + 2 * SECOND
        await tx.lanes.time({row.id: until for row in rows})
        assert await tx.lanes.next_moment(NOON, NOON + MINUTE) == until
        assert await tx.lanes.next_moment(NOON, NOON + SECOND) is None
        assert [item.key for item in await tx.inbox.claim_events(NOON)] == ["z"]
        (head,) = await tx.inbox.claim_events(until)
        assert head.key == "a"
        rows = await tx.lanes.rows(LANE, head.id)
        assert [row.begun for row in rows] == [True, False]
        await tx.lanes.time({row.id: NOON for row in rows})  # what is in hand keeps its lease
        assert await tx.inbox.finish_event(head)
        await tx.lanes.finish([row.id for row in rows])
        assert await tx.lanes.rows(LANE) == []
        assert await tx.inbox.claim_events(NOON + timedelta(days=1)) != [head]


async def test_many_lanes_are_read_at_once(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival(str(n), f"kf:{n % 3}") for n in range(9)], NOON)
        lanes = await tx.lanes.all_rows(["kf:0", "kf:2", "kf:9"])
    assert {lane: len(rows) for lane, rows in lanes.items()} == {"kf:0": 3, "kf:2": 3}


async def test_a_message_that_waits_is_given_what_was_asked_before(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival("a")], NOON)
        (row,) = await tx.lanes.rows(LANE)
        await tx.lanes.rewrite(row.id, message("a").model_copy(update={"earlier": "几点开门"}))
        (row,) = await tx.lanes.rows(LANE)
        assert row.event.earlier == "几点开门"


async def test_only_what_has_not_begun_to_leave_is_taken_back(database: Database) -> None:
    async with database.begin() as tx:
        for number in (1, 2):
            await tx.outbox.put(f"kf:m:answer:{number}", reply(), TERMS, NOON, lane=LANE)
        left = (await tx.unsent.in_lanes([LANE, "kf:other"]))[LANE]
        assert [(one.key, one.kind, one.state) for one in left] == [
            ("kf:m:answer:1", "kf_reply", "ready"),
            ("kf:m:answer:2", "kf_reply", "ready"),
        ]
        assert left[0].terms == TERMS
        assert not await tx.unsent.any_left(["kf:m:answer:1"])
        keys = [one.key for one in left]
        assert sorted(await tx.unsent.take_back(keys, "superseded", NOON)) == keys
        assert await tx.unsent.take_back(keys, "superseded", NOON) == []
        assert await tx.unsent.in_lanes([LANE]) == {}


async def test_a_message_that_came_back_names_its_question_once(database: Database) -> None:
    async with database.begin() as tx:
        await tx.outbox.put("kf:m:answer:1", reply(), TERMS, NOON, lane=LANE)
        (claimed,) = await tx.outbox.claim(NOON, limit=1, urgent=True)
        await tx.outbox.settle(claimed.id, claimed.attempt, "sent", NOON, ref="r1")
        assert await tx.unsent.any_left(["kf:m:answer:1"])
        left = await tx.unsent.came_back("r1", "fail_type_4", NOON)
        assert left is not None
        assert (left.key, left.terms.asked) == ("kf:m:answer:1", "几点开门")
        assert await tx.unsent.came_back("r1", "fail_type_4", NOON) is None
        assert await tx.unsent.came_back("unknown", "fail_type_4", NOON) is None


async def test_two_who_hold_the_same_sessions_take_turns(database: Database, url: str) -> None:
    other = await Database.open(url, durable=False)
    whose = [(f"wm{number}", ACCOUNT) for number in range(5)]

    async def count(mine: Database, order: list[tuple[str, str]]) -> None:
        for _ in range(5):
            async with mine.begin() as tx:
                held = await tx.conversations.hold_all(order)
                more = {one: Session(sent=session.sent + 1) for one, session in held.items()}
                await asyncio.sleep(0)
                await tx.conversations.mirror(more)

    try:
        await asyncio.gather(count(database, whose), count(other, whose[::-1]))
    finally:
        await other.close()
    async with database.read() as tx:
        sessions = [await tx.conversations.session(*one) for one in whose]
    assert [session.sent for session in sessions if session is not None] == [10] * 5
