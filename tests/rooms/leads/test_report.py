"""Later answers and outcomes are counted like first ones: true ratios, spreads, no mean."""

from __future__ import annotations

from datetime import timedelta

from bot.leads.report import LeadReport, Ratio, report_of
from bot.storage.db import Tx
from tests.make import CUSTOMER, MINUTE, NOON, OWNER
from tests.rooms.leads.rooms import Room, opened, taken, the_lead

HOUR = timedelta(hours=1)
SOON = NOON + HOUR


async def reported(tx: Tx, number: int) -> LeadReport:
    limits = await tx.timers.over([number])
    return report_of([await the_lead(tx, number)], SOON, limits={number: limits})


async def test_what_the_customer_says_again_is_counted_once_for_each_time(tx: Tx) -> None:
    room = Room()
    lead = await taken(tx, room)
    await room.desk.spoke(tx, CUSTOMER, OWNER, NOON)
    assert (await reported(tx, lead.id)).late_again == Ratio(0, 0)
    for turn, minutes in enumerate((10, 150)):  # two hours are allowed
        asked_at = SOON + turn * timedelta(days=1)
        await room.desk.waits(tx, CUSTOMER, f"m{turn}", asked_at)
        assert (await reported(tx, lead.id)).late_again.whole == turn  # who still waits is in none
        await room.desk.spoke(tx, CUSTOMER, OWNER, asked_at + minutes * MINUTE)
    done = await reported(tx, lead.id)
    assert (done.late_again, done.late_again.percent) == (Ratio(1, 2), "50.00%")
    again = done.answering_again
    assert (again.seen, again.p50, again.p99) == (2, 10 * MINUTE, 150 * MINUTE)


async def test_an_outcome_in_time_and_one_that_was_missed(tx: Tx) -> None:
    room = Room()
    quick, slow = await opened(tx, room), await opened(tx, room, customer="wmSlow")
    await room.desk.finish(tx, quick.id, "closed", "", OWNER, NOON + HOUR)
    due = NOON + timedelta(days=10)
    await room.until(tx, due)
    await room.desk.finish(tx, slow.id, "closed", "", OWNER, due)
    kept, missed = await reported(tx, quick.id), await reported(tx, slow.id)
    assert (kept.unresolved, missed.unresolved) == (Ratio(0, 1), Ratio(1, 1))
    assert (kept.resolving.p50, missed.resolving.p90) == (HOUR, timedelta(days=10))
