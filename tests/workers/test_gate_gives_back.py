"""What finds no room at the gate, or came too late, is opened anew by whoever opens steps."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import FakeClock
from bot.domain.messages import CHANNEL_OF
from bot.domain.runs import RunStep
from bot.storage.db import Database
from bot.storage.quota import QuotaRow
from bot.workers.content import Content
from bot.workers.loop import run_until_idle
from bot.workers.outbox import OutboxWorker
from bot.workers.runs import RunWorker
from tests.make import CHAT, NOON, new_step
from tests.regressions.sending import Line, put_step
from tests.storage.test_gate_race import enrolled

TEN = NOON.replace(hour=10)
DAY = timedelta(days=1)


async def two_steps_of_one_day(database: Database, content: Content) -> list[int]:
    """Put two steps of a group into the outbox, both for this morning; return their rows."""
    run = await enrolled(database, content, CHAT, TEN)
    async with database.begin() as tx:
        steps = [new_step("d02-rules"), new_step("d03-fraud-child")]
        await tx.runs.add_steps(run, steps, TEN)
        rows = await tx.runs.steps(run)
        for row in rows:
            await tx.runs.set_step(row.id, TEN, state="queued", iteration=1)
            closes_at = TEN + timedelta(hours=1)
            await put_step(
                tx, run, CHAT, row.step, TEN, step=row.step, run_step=row.id, closes_at=closes_at
            )
        places = [QuotaRow(CHAT, "broadcast", f"sop:{run}:{row.step}", TEN, 3) for row in rows]
        await tx.quota.place_many(places)
        await tx.runs.change(run, due_at=None)
    return [row.id for row in rows]


async def send(database: Database, content: Content, clock: FakeClock) -> Line:
    line = Line()
    worker = OutboxWorker(database, dict.fromkeys(CHANNEL_OF.values(), line), content, clock)
    await run_until_idle([worker], database, clock)
    await worker.drain()
    return line


async def rows_of(database: Database, ids: list[int]) -> list[RunStep]:
    async with database.read() as tx:
        return [await tx.runs.step(number) for number in ids]


async def test_the_second_of_a_day_gives_way_to_the_first_and_goes_out_on_another(
    database: Database, content: Content
) -> None:
    clock = FakeClock(TEN)
    ids = await two_steps_of_one_day(database, content)
    line = await send(database, content, clock)
    assert line.heard() == {CHAT: ["d02-rules"]}
    first, second = await rows_of(database, ids)
    assert (first.state, second.state) == ("waiting", "planned")
    async with database.read() as tx:
        slots = (await tx.quota.slots_of([CHAT], TEN - DAY, TEN + 9 * DAY))[CHAT]
        assert sorted(slot.state for slot in slots) == ["planned", "used"]
        assert await tx.next_due(["enrolments"]) == TEN
    await RunWorker(database, content, clock).step()
    _, second = await rows_of(database, ids)
    assert (second.state, second.planned_on <= second.opens_at.date()) == ("planned", True)
    assert second.opens_at > TEN + timedelta(hours=12)
    async with database.read() as tx:
        slots = (await tx.quota.slots_of([CHAT], TEN - DAY, TEN + 9 * DAY))[CHAT]
        (planned,) = [slot for slot in slots if slot.state == "planned"]
        assert planned.at.date() == second.opens_at.date()


async def test_what_was_held_too_long_is_judged_by_the_rule_for_missed_windows(
    database: Database, content: Content
) -> None:
    clock = FakeClock(TEN)
    ids = await two_steps_of_one_day(database, content)
    async with database.begin() as tx:
        await tx.holds.begin("pause", "group", CHAT, "王芳", "核对", TEN)
    assert (await send(database, content, clock)).said == []
    clock.advance(hours=2)
    assert (await send(database, content, clock)).said == []
    assert [row.state for row in await rows_of(database, ids)] == ["planned", "planned"]
    async with database.read() as tx:
        assert await tx.ledger.count("message_skipped") == 2
        assert await tx.ledger.count("step_skipped") == 0  # the run's own rule says what follows
