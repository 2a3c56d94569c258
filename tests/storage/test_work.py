"""Claims, leases, fences and lanes, the same on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.storage.db import Database
from bot.storage.inbox import ClaimedEvent
from bot.storage.tables import events, notices
from bot.storage.work import backoff
from tests.make import MINUTE, NOON, SECOND, arrival, notice

LEASE = timedelta(seconds=60)


async def test_a_claim_takes_what_is_due_and_nobody_else_gets_it_within_the_lease(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice("a"), notice("b")], NOON)
        assert await tx.inbox.claim_notices(NOON - SECOND) == []
        claimed = await tx.inbox.claim_notices(NOON, lease=LEASE)
        assert [(item.notice.key, item.attempt) for item in claimed] == [("a", 1), ("b", 1)]
        assert await tx.inbox.claim_notices(NOON + LEASE - SECOND) == []


async def test_a_worker_whose_lease_ran_out_changes_nothing(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice()], NOON)
        (slow,) = await tx.inbox.claim_notices(NOON, lease=LEASE)
        (quick,) = await tx.inbox.claim_notices(NOON + LEASE, lease=LEASE)
        assert (slow.attempt, quick.attempt) == (1, 2)
        assert not await tx.inbox.finish_notice(slow)
        await tx.inbox.retry_notice(slow, NOON, "too late")
        row = (await tx.connection.execute(select(notices))).one()
        assert (row.due_at, row.error) == (NOON + 2 * LEASE, "")
        assert await tx.inbox.finish_notice(quick)
        assert not await tx.inbox.finish_notice(slow)
        assert not await tx.inbox.finish_notice(quick)  # what is over stays over
        await tx.inbox.retry_notice(quick, NOON, "nobody told us that it was")
        assert await tx.next_due() is None


async def test_a_transaction_that_fails_leaves_no_claim_behind(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice()], NOON)
    try:
        async with database.begin() as tx:
            assert len(await tx.inbox.claim_notices(NOON)) == 1
            raise RuntimeError("killed")
    except RuntimeError:
        pass
    async with database.begin() as tx:
        (claimed,) = await tx.inbox.claim_notices(NOON)
        assert claimed.attempt == 1


async def test_a_dead_letter_is_no_work_and_keeps_its_reason(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice()], NOON)
        (claimed,) = await tx.inbox.claim_notices(NOON)
        await tx.inbox.retry_notice(claimed, None, "wecom_48002")
        assert await tx.next_due(["notices"]) is None
        assert (await tx.connection.execute(select(notices.c.error))).scalar_one() == "wecom_48002"


async def test_the_same_notice_and_the_same_event_are_stored_once(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice("a"), notice("a")], NOON)
        await tx.inbox.add_notices([notice("a"), notice("b")], NOON + MINUTE)
        await tx.inbox.add_events([arrival("e1"), arrival("e1")], NOON)
        (first,) = await tx.inbox.claim_events(NOON)
        await tx.inbox.finish_event(first)
        await tx.inbox.add_events([arrival("e1")], NOON + MINUTE)
        assert await tx.inbox.claim_events(NOON + MINUTE) == []
        assert len(await tx.inbox.claim_notices(NOON + MINUTE)) == 2


async def test_a_lane_gives_one_event_at_a_time_in_order(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events(
            [arrival("1a", "one"), arrival("1b", "one"), arrival("2a", "two")], NOON
        )
        taken = await tx.inbox.claim_events(NOON)
        assert [item.key for item in taken] == ["1a", "2a"]
        assert await tx.inbox.claim_events(NOON) == []
        await tx.inbox.finish_event(taken[0])
        assert [item.key for item in await tx.inbox.claim_events(NOON)] == ["1b"]


async def test_a_put_off_event_holds_back_its_lane_until_it_is_dead(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival("1a", "one"), arrival("1b", "one")], NOON)
        (first,) = await tx.inbox.claim_events(NOON)
        await tx.inbox.retry_event(first, NOON + MINUTE, "model slow")
        assert await tx.inbox.claim_events(NOON) == []
        (again,) = await tx.inbox.claim_events(NOON + MINUTE)
        assert (again.key, again.attempt) == ("1a", 2)
        await tx.inbox.retry_event(again, None, "gave up")
        assert [item.key for item in await tx.inbox.claim_events(NOON + MINUTE)] == ["1b"]


async def test_an_event_that_nobody_can_read_is_dead_and_stops_nothing(database: Database) -> None:
    words = "我的卡号6222020000001234"
    async with database.begin() as tx:
        row = {"key": "odd", "lane": "one", "state": "ready", "attempt": 0, "due_at": NOON}
        body = {"kind": "message_received", "text": words}
        await tx.connection.execute(events.insert().values(**row, body=body, received_at=NOON))
        await tx.inbox.add_events([arrival("next", "one"), arrival("other", "two")], NOON)
        assert [item.key for item in await tx.inbox.claim_events(NOON)] == ["other"]
        assert [item.key for item in await tx.inbox.claim_events(NOON)] == ["next"]
        error = (
            await tx.connection.execute(select(events.c.error).where(events.c.state == "dead"))
        ).scalar_one()
        assert "customer" in error
        assert "6222" not in error


async def test_an_event_that_comes_to_light_late_waits_while_its_lane_is_worked_on(
    database: Database,
) -> None:
    """On PostgreSQL a smaller id may be committed after a greater one has been claimed."""
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival("later", "one")], NOON)
        (later,) = await tx.inbox.claim_events(NOON)
        early = {"id": 0, "key": "early", "lane": "one", "state": "ready", "attempt": 0}
        body = arrival("early").event.model_dump(mode="json")
        await tx.connection.execute(
            events.insert().values(**early, body=body, received_at=NOON, due_at=NOON)
        )
        await tx.inbox.add_events([arrival("other", "two")], NOON)
        assert [item.key for item in await tx.inbox.claim_events(NOON)] == ["other"]
        await tx.inbox.finish_event(later)
        assert [item.key for item in await tx.inbox.claim_events(NOON)] == ["early"]


async def test_two_workers_at_once_keep_every_lanes_order_and_miss_nothing(
    database: Database, url: str
) -> None:
    wanted = {f"lane{number}": [f"{number}-{i}" for i in range(6)] for number in range(5)}
    async with database.begin() as tx:
        for i in range(6):
            await tx.inbox.add_events(
                [arrival(keys[i], lane) for lane, keys in wanted.items()], NOON
            )
    done: dict[str, list[str]] = {lane: [] for lane in wanted}
    in_hand: set[str] = set()

    async def work(mine: Database) -> None:
        while sum(map(len, done.values())) < 30:
            async with mine.begin() as tx:
                claimed = await tx.inbox.claim_events(NOON, limit=3)
            for item in claimed:
                assert item.lane not in in_hand, "two events of one lane at once"
                in_hand.add(item.lane)
            await asyncio.sleep(0)
            for item in claimed:
                async with mine.begin() as tx:
                    in_hand.remove(item.lane)
                    done[item.lane].append(item.key)
                    assert await tx.inbox.finish_event(item)

    other = await Database.open(url, durable=False)
    try:
        await asyncio.gather(work(database), work(other), work(other))
    finally:
        await other.close()
    assert done == wanted


async def test_a_cursor_moves_only_from_where_it_was_read(database: Database) -> None:
    async with database.begin() as tx:
        assert await tx.inbox.cursor("kf:wkA") == ""
        assert await tx.inbox.move_cursor("kf:wkA", "", "1")
        assert not await tx.inbox.move_cursor("kf:wkA", "", "0")
        assert not await tx.inbox.move_cursor("kf:wkA", "0", "2")
        assert await tx.inbox.move_cursor("kf:wkA", "1", "2")
        assert await tx.inbox.cursor("kf:wkA") == "2"
        assert await tx.inbox.cursor("kf:wkB") == ""


async def test_next_due_tells_of_the_earliest_work_by_table(database: Database) -> None:
    async with database.begin() as tx:
        assert await tx.due() == {}
        await tx.inbox.add_notices([notice()], NOON)
        await tx.inbox.add_events([arrival("e")], NOON - MINUTE)
        assert await tx.due() == {"notices": NOON, "events": NOON - MINUTE}
        assert await tx.next_due() == NOON - MINUTE
        assert await tx.next_due(["notices", "outbox"]) == NOON
        # What is due and still there waits for another: whoever pushes a clock goes past it.
        assert await tx.next_due(after=NOON - MINUTE) == NOON
        assert await tx.next_due(after=NOON) is None


async def test_a_commit_wakes_those_who_listen(database: Database) -> None:
    news = database.listen()
    async with database.read() as tx:
        await tx.next_due()
    assert not news.is_set()
    async with database.begin() as tx:
        await tx.inbox.add_notices([notice()], NOON)
    assert news.is_set()


async def test_a_claim_that_got_nothing_wakes_nobody(database: Database) -> None:
    async with database.begin() as tx:
        await tx.inbox.add_events([arrival("1a", "one"), arrival("1b", "one")], NOON)
        assert len(await tx.inbox.claim_events(NOON)) == 1
    news = database.listen()
    async with database.begin() as tx:
        assert await tx.inbox.claim_events(NOON) == []
    assert not news.is_set()
    async with database.begin() as tx:
        assert len(await tx.inbox.claim_events(NOON + MINUTE * 3)) == 1
    assert news.is_set()


def test_back_off_doubles_up_to_a_quarter_hour() -> None:
    waits = [backoff(attempt).total_seconds() for attempt in (0, 1, 2, 3, 9, 10, 50)]
    assert waits == [2, 2, 4, 8, 512, 900, 900]


_MOVES = st.lists(
    st.sampled_from(["add:x", "add:y", "add:z", "claim", "finish", "retry", "lose", "wait"]),
    max_size=30,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=_MOVES)
def test_whatever_happens_a_lane_is_worked_on_in_order_one_at_a_time(
    moves: list[str], migrated_sqlite: Path, tmp_path: Path
) -> None:
    file = tmp_path / "any.db"
    for leftover in tmp_path.glob("any.db*"):
        leftover.unlink()
    file.write_bytes(migrated_sqlite.read_bytes())
    asyncio.run(_play(moves, f"sqlite:///{file}"))


async def _play(moves: list[str], url: str) -> None:
    """Add, claim, finish, put off and lose leases at random; then drain and compare."""
    drain = ["finish"] * 30 + ["wait", "claim", "finish", "finish"] * 30
    database = await Database.open(url, durable=False)
    now, added, done = NOON, [], []
    held: list[ClaimedEvent] = []
    try:
        for move in [*moves, *drain]:
            now += SECOND
            async with database.begin() as tx:
                if move.startswith("add:"):
                    lane = move[4:]
                    added.append((lane, f"{lane}{len(added)}"))
                    await tx.inbox.add_events([arrival(added[-1][1], lane)], now)
                elif move == "claim":
                    taken = await tx.inbox.claim_events(now, limit=2, lease=LEASE)
                    held += taken
                elif move == "finish" and held:
                    item = held.pop(0)
                    if await tx.inbox.finish_event(item):
                        done.append((item.lane, item.key))
                elif move == "retry" and held:
                    await tx.inbox.retry_event(held.pop(0), now + SECOND, "again")
                elif move == "lose" and held:
                    held.pop(0)
                elif move == "wait":
                    now += LEASE
                running = [
                    row.lane
                    for row in await tx.connection.execute(
                        select(events.c.lane).where(events.c.state == "running")
                    )
                ]
                assert len(running) == len(set(running))
    finally:
        await database.close()
    for lane in "xyz":
        assert [k for name, k in done if name == lane] == [k for name, k in added if name == lane]
