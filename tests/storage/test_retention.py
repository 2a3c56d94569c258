"""What is done and old goes in pieces; what is unfinished, dead, unknown or needed stays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from bot.domain.delivery import Terms
from bot.domain.subject import Occurrence
from bot.storage import retention
from bot.storage.bulk import insert_rows
from bot.storage.db import Database
from bot.storage.quota import QuotaRow
from bot.storage.retention import Retention
from bot.storage.tables import (
    admissions,
    doubts,
    events,
    ledger,
    notices,
    occurrences,
    outbox,
    quota,
    turns,
)
from bot.storage.tx import Tx
from tests.make import CHAT, CUSTOMER, NOON, OWNER, arrival, broadcast, notice, reply

OLD = NOON - timedelta(days=40)
CUTOFF = NOON - timedelta(days=30)


async def sweep(database: Database, name: str) -> int:
    """Sweep a table to its end, a transaction for each piece."""
    removed, after = 0, 0
    while True:
        async with database.begin() as tx:
            swept = await Retention(tx.connection).sweep(name, CUTOFF, after)
        removed += swept.removed
        if swept.after is None:
            return removed
        after = swept.after


async def left(database: Database, table) -> list[str]:  # type: ignore[no-untyped-def]
    async with database.read() as tx:
        return list(
            (await tx.connection.execute(select(table.c.key).order_by(table.c.id))).scalars()
        )


async def settled(tx: Tx, key: str, state: str, at=OLD) -> None:  # type: ignore[no-untyped-def]
    await tx.outbox.put(key, broadcast(), Terms(purpose="control"), at, lane=key)
    await tx.connection.execute(
        update(outbox)
        .where(outbox.c.key == key)
        .values(state=state, due_at=None if state != "ready" else NOON, settled_at=at)
    )


async def test_finished_notices_and_events_go_and_the_others_stay(database: Database) -> None:
    async with database.begin() as tx:
        for key, at in (("old", OLD), ("dead", OLD), ("waits", OLD), ("new", NOON)):
            await tx.inbox.add_notices([notice(key)], at)
            await tx.inbox.add_events([arrival(key, lane=key)], at)
        for table in (notices, events):
            for key, state in (("old", "done"), ("dead", "dead"), ("new", "done")):
                await tx.connection.execute(
                    update(table).where(table.c.key == key).values(state=state, due_at=None)
                )
    for name, table in (("notices", notices), ("events", events)):
        assert await sweep(database, name) == 1
        assert await left(database, table) == ["dead", "waits", "new"]


async def test_messages_go_by_their_end_and_keys_that_are_still_needed_stay(
    database: Database,
) -> None:
    async with database.begin() as tx:
        runs = []
        for rotation, state in ((1, "done"), (2, "running")):
            run = await tx.runs.enrol(
                script="senior-21d",
                version="1",
                subject=CHAT,
                owner=OWNER,
                branch="",
                anchor=date(2026, 9, 1),
                state="running",
                now=OLD,
                rotation=rotation,
            )
            assert run is not None
            await tx.runs.change(run, state=state)
            runs.append(run)
        await tx.runs.add_task(
            {
                "msgid": "open",
                "run_step": 1,
                "owner": OWNER,
                "chat": CHAT,
                "created_at": OLD,
                "closes_at": NOON,
                "due_at": NOON,
            }
        )
        ended, running = (f"sop:{run}:d02:1" for run in runs)
        for key in (ended, running, "cancel:open", "cancel:closed", "remind:open:1"):
            await settled(tx, key, "sent")
        for state in ("sent", "skipped", "failed", "void", "dropped", "dead", "unknown", "ready"):
            await settled(tx, state, state)
        await settled(tx, "new", "sent", NOON)
    assert await sweep(database, "outbox") == 7
    assert await left(database, outbox) == [
        *(running, "cancel:open", "remind:open:1"),
        *("dead", "unknown", "ready", "new"),
    ]


async def test_what_is_only_kept_for_a_time_goes_by_its_age(database: Database) -> None:
    async with database.begin() as tx:
        for at in (OLD, NOON):
            await tx.quota.use_many([QuotaRow(CHAT, "broadcast", f"k{at}", at)])
            await tx.conversations.add_turn(CUSTOMER, "客户", "您好", at)
            await tx.ledger.add("message_in", CUSTOMER, at)
    for name, table in (("quota", quota), ("turns", turns), ("ledger", ledger)):
        assert await sweep(database, name) == 1
        async with database.read() as tx:
            statement = select(func.count()).select_from(table)
            assert (await tx.connection.execute(statement)).scalar_one() == 1


async def test_a_doubt_goes_with_its_message(database: Database) -> None:
    async with database.begin() as tx:
        await settled(tx, "kept", "unknown")
        number = (await tx.connection.execute(select(outbox.c.id))).scalar_one()
        for message in (number, number + 1):
            await tx.doubts.open(message, OLD, OLD, OLD)
            await tx.doubts.forget(message)
    assert await sweep(database, "doubts") == 1
    async with database.read() as tx:
        assert (await tx.connection.execute(select(doubts.c.outbox))).scalars().all() == [number]


async def test_events_go_but_the_newest_of_each_kind_stays(database: Database) -> None:
    """How long ago somebody wrote is asked of whoever has been silent for years."""
    told = [
        ("reply-1", CUSTOMER, "客户回复", OLD - timedelta(days=2)),
        ("reply-2", CUSTOMER, "客户回复", OLD),
        ("reply-3", CUSTOMER, "客户回复", OLD),
        ("visit", CUSTOMER, "到网点", OLD),
        ("another", "wmOther", "客户回复", OLD - timedelta(days=3)),
        ("unasked", CUSTOMER, "到网点", OLD - timedelta(days=5)),
    ]
    async with database.begin() as tx:
        await tx.occurrences.add([Occurrence(*one) for one in told], OLD)
        late = Occurrence("late", CUSTOMER, "客户回复", OLD - timedelta(days=9))
        await tx.occurrences.add([late], NOON)  # told only now: it may be told again
        due = await tx.occurrences.take(NOON, limit=10)
        await tx.occurrences.asked([one.id for one in due if one.key != "unasked"])
    assert await sweep(database, "occurrences") == 2
    assert set(await left(database, occurrences)) == {
        *("reply-3", "visit", "another", "unasked", "late"),
    }
    assert await sweep(database, "occurrences") == 0


async def test_why_somebody_did_not_enter_goes_and_who_is_in_or_waits_stays(
    database: Database,
) -> None:
    states = ("entered", "held_out", "refused", "retry", "waiting", "asked", "answered", "errand")
    columns = ("script", "subject", "key", "state", "verdicts", "at", "due_at", "attempt")
    rows = [
        ("trial", f"{state}-{at:%m%d}", "", state, "{}", at, None, 0)
        for state in states
        for at in (OLD, NOON)
    ]
    rows += [("trial", "due", "", "asked", "{}", OLD, NOON, 0)]
    async with database.begin() as tx:
        await insert_rows(tx.connection, admissions, columns, rows)
    assert await sweep(database, "admissions") == 3
    async with database.read() as tx:
        found = (await tx.connection.execute(select(admissions.c.subject))).scalars().all()
    gone = {f"{state}-{OLD:%m%d}" for state in ("refused", "asked", "answered")}
    assert {row[1] for row in rows} - set(found) == gone


async def test_more_than_a_piece_is_removed_piece_by_piece(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 10)
    async with database.begin() as tx:
        for number in range(35):
            await tx.outbox.put(f"k{number}", reply(), Terms(purpose="answer"), OLD)
        await tx.connection.execute(
            update(outbox).where(outbox.c.id % 7 != 0).values(state="sent", due_at=None)
        )
        first = await Retention(tx.connection).sweep("outbox", CUTOFF, 0)
    assert (first.removed, first.after is None) == (9, False)
    assert await sweep(database, "outbox") == 21
    assert len(await left(database, outbox)) == 5
