"""Work that stands still: found, tried again, dropped; each decision is in the ledger."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from bot.domain.delivery import Terms
from bot.domain.subject import Occurrence
from bot.storage.db import Database
from bot.storage.mending import Mending
from bot.storage.stuck import GAVE_UP, SHELVES, Letter, Letters, LetterState
from bot.storage.tables import enrolments, events, notices, outbox, send_tasks
from bot.storage.tx import Tx
from bot.storage.work import POISON_ATTEMPTS
from tests.make import CHAT, MINUTE, NOON, OWNER, arrival, broadcast, notice, staff_text
from tests.runs import a_run

STUCK: list[LetterState] = ["dead", "unknown"]


async def stuck_everywhere(tx: Tx) -> int:
    """Put a row into each table that stands still, and one beside it that does not."""
    run, step = await a_run(tx, "queued")
    for key in ("bad", "good"):
        await tx.inbox.add_notices([notice(key, body="电话 13812345678")], NOON)
        await tx.inbox.add_events([arrival(key, lane=key)], NOON)
        terms = Terms(purpose="control", subject=CHAT, enrolment=run, run_step=step)
        await tx.outbox.put(key, broadcast(), terms, NOON)
        await tx.runs.add_task(
            {
                "msgid": key,
                "run_step": step,
                "owner": OWNER,
                "chat": CHAT,
                "created_at": NOON,
                "closes_at": NOON + MINUTE,
                "due_at": NOON,
            }
        )
    for table, name in ((notices, "error"), (events, "error"), (outbox, "reason")):
        dead = {"state": "dead", "due_at": None, name: "wecom_48002"}
        await tx.connection.execute(update(table).where(table.c.key == "bad").values(**dead))
    over = {"due_at": None, "error": "IndexError"}
    await tx.connection.execute(update(send_tasks).where(send_tasks.c.msgid == "bad").values(over))
    await tx.connection.execute(update(enrolments).values(over))
    await tried_out(tx)
    return step


async def tried_out(tx: Tx) -> None:
    """Have an errand of entry and an event fail until nobody tries them any more."""
    for name in ("gate", "sweep"):
        await tx.admissions.errand("senior-21d", name, NOON, NOON)
    await tx.occurrences.add([happened("bad"), happened("good")], NOON)
    for _ in range(POISON_ATTEMPTS):
        row = (await tx.admissions.errands("senior-21d"))["gate"]
        await tx.admissions.put_off(row, NOON)
        (event,) = [one for one in await tx.occurrences.take(NOON, limit=9) if one.key == "bad"]
        await tx.occurrences.put_off(event, NOON)
    row = (await tx.admissions.errands("senior-21d"))["gate"]
    await tx.admissions.put_off(row._replace(attempt=row.attempt - 1), None)
    await tx.occurrences.put_off(event, None)


def happened(key: str) -> Occurrence:
    return Occurrence(key=key, kind="到网点", subject="wm1", at=NOON)


async def find(tx: Tx, name: str, states: list[LetterState] = STUCK) -> list[Letter]:
    return await Letters(tx.connection).find([name], states, 50)


async def only(tx: Tx, name: str) -> Letter:
    (letter,) = await find(tx, name)
    return letter


async def test_each_table_lists_what_stands_still_with_its_reason(database: Database) -> None:
    async with database.begin() as tx:
        await stuck_everywhere(tx)
        for name in SHELVES:
            letter = await only(tx, name)
            assert (letter.place.split(":")[0], letter.state) == (name, "dead")
            assert letter.reason in ("wecom_48002", "IndexError", GAVE_UP)
            assert letter.since == NOON
        letters = Letters(tx.connection)
        assert (await only(tx, "admissions")).kind == "errand_gate"
        assert (await only(tx, "occurrences")).subject == "wm1"
        assert await letters.count(list(SHELVES), STUCK) == 7
        assert len(await letters.find(list(SHELVES), STUCK, 2)) == 2
        waiting = await letters.find(["notices", "outbox"], ["waiting"], 9)
        assert [letter.due_at for letter in waiting] == [NOON, NOON]
        assert await letters.one("outbox", 99) is None


async def test_a_retry_makes_each_due_with_all_its_tries_and_says_who_asked(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await stuck_everywhere(tx)
        for name in SHELVES:
            letter = await only(tx, name)
            assert await Mending(tx.connection).retry(letter, "王芳", NOON + MINUTE)
            assert await find(tx, name) == []
            table = SHELVES[name].table
            number = int(letter.place.split(":")[1])
            row = (await tx.connection.execute(select(table).where(table.c.id == number))).one()
            assert (row.due_at, row.attempt) == (NOON + MINUTE, 0)
            assert not await Mending(tx.connection).retry(letter, "王芳", NOON)  # it has changed
        entries = await tx.ledger.of_kinds(["work_retried"])
        assert {entry.facts["by"] for entry in entries} == {"王芳"}
        assert len(entries) == 7


async def test_what_is_dropped_is_over_for_its_run_too(database: Database) -> None:
    async with database.begin() as tx:
        step = await stuck_everywhere(tx)
        for name in ("notices", "events", "outbox"):
            assert await Mending(tx.connection).drop(await only(tx, name), "王芳", "已线下办", NOON)
            assert await find(tx, name) == []
        assert (await tx.outbox.state_of("bad") or ("",))[0] == "dropped"
        found = await tx.runs.step(step)
        assert (found.state, found.reason) == ("failed", "dropped")
        over = {"due_at": None, "error": "IndexError"}  # it woke for the step that was dropped
        await tx.connection.execute(update(enrolments).values(over))
        for name in ("send_tasks", "enrolments"):
            assert await Mending(tx.connection).drop(await only(tx, name), "王芳", "已线下办", NOON)
        (run,) = await tx.runs.of_subject(CHAT, state=None)
        assert (run.state, run.reason) == ("exited", "dropped")
        for name in ("admissions", "occurrences"):
            assert await Mending(tx.connection).drop(await only(tx, name), "王芳", "不用了", NOON)
            assert await find(tx, name) == []
        assert await tx.ledger.count("work_dropped") == 7


async def test_an_unknown_message_that_is_sent_again_is_a_new_one_to_the_sender(
    database: Database,
) -> None:
    async with database.begin() as tx:
        await tx.outbox.put("k", broadcast(), Terms(purpose="control"), NOON)
        (envelope,) = await tx.outbox.claim(NOON, urgent=False)
        await tx.parcels.mark_leaving([envelope], NOON)
        await tx.outbox.settle(envelope.id, envelope.attempt, "unknown", NOON, reason="in_doubt")
        await tx.doubts.open(envelope.id, NOON, NOON, NOON + MINUTE)
        letter = await only(tx, "outbox")
        assert letter.state == "unknown"
        assert await Letters(tx.connection).doubt_of(envelope.id) == (0, NOON + MINUTE)
        assert await Mending(tx.connection).retry(letter, "王芳", NOON)
        assert await tx.next_due(["doubts"]) is None
        (again,) = await tx.outbox.claim(NOON, urgent=False)
        assert (again.was_sending, again.attempt) == (False, 1)


@pytest.mark.parametrize("verb", ["retry", "drop"])
async def test_what_is_in_a_workers_hand_is_left_alone(database: Database, verb: str) -> None:
    async with database.begin() as tx:
        await tx.outbox.put("k", staff_text(), Terms(purpose="staff"), NOON)
        await tx.outbox.claim(NOON, urgent=False)
        (letter,) = await find(tx, "outbox", ["waiting"])
        mending = Mending(tx.connection)
        changed = await (
            mending.retry(letter, "王芳", NOON)
            if verb == "retry"
            else mending.drop(letter, "王芳", "x", NOON)
        )
        assert not changed
        assert await tx.ledger.count(f"work_{'retried' if verb == 'retry' else 'dropped'}") == 0
