"""What staff have to do is counted for all of them at once, alike on both databases."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.draft import Asker
from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Need
from bot.domain.workload import Harvest, Workload
from bot.storage.db import Database, Tx
from bot.storage.lead_list import Wanted
from bot.storage.leads import Opening
from tests.make import CUSTOMER, MINUTE, NOON, OWNER, signal

WANG, DAY = RmId("wang.haoran"), timedelta(days=1)


async def opened(tx: Tx, number: int, rm: RmId = OWNER, **values: object) -> int:
    """Open a lead of one customer's, and write how it stands."""
    said = signal(Need.WEALTH, customer=f"wm{number}", at=NOON)
    lead, _ = await tx.leads.open(said, Opening(rm, "new", branch="b01"), NOON)
    if values:
        await tx.leads.change(lead.id, **values)
    return lead.id


async def some(tx: Tx) -> None:
    late = {"respond_by": NOON - MINUTE}
    await opened(tx, 1)
    await opened(tx, 2, **late)
    await opened(tx, 3, stage="taken", taken_at=NOON, **late)
    answered = {"first_response_at": NOON - 2 * MINUTE, "taken_at": NOON}
    await opened(tx, 4, stage="taken", **answered, **late)
    await opened(tx, 5, stage="later", sleeps_until=NOON + DAY)
    await opened(tx, 6, stage="won", closed_at=NOON, taken_at=NOON, first_response_at=NOON)
    await opened(tx, 7, WANG, stage="invalid", closed_at=NOON)
    for number in range(2):
        await tx.drafts.add(
            key=str(number),
            chat="wrA",
            owner=OWNER,
            asker=Asker(id="wm1", name="王阿姨"),
            question="几点开门",
            text="九点",
            citations=(),
            now=NOON,
        )


async def test_each_member_has_their_own(database: Database) -> None:
    async with database.begin() as tx:
        await some(tx)
        loads = await tx.workloads.of([OWNER, WANG, RmId("nobody")], NOON, NOON + DAY)
    assert loads[OWNER] == Workload(new=2, taken=2, asleep=1, overdue=2, drafts=2)
    assert loads[OWNER].open == 5
    assert loads[WANG].is_empty
    assert loads[RmId("nobody")].is_empty


async def test_what_became_of_leads_is_counted_with_what_it_is_of(database: Database) -> None:
    async with database.begin() as tx:
        await some(tx)
        found = await tx.workloads.harvest([OWNER, WANG], NOON - DAY, NOON + DAY)
        before = await tx.workloads.harvest([OWNER], NOON - 2 * DAY, NOON - DAY)
    # Two were answered in time; of the four whom nobody answered the time of all is over by then.
    assert found[OWNER] == Harvest(opened=6, taken=3, due=6, in_time=2, won=1)
    assert found[WANG] == Harvest(opened=1, invalid=1)
    assert before[OWNER] == Harvest()


async def test_open_leads_come_first_due_first_and_sleepers_last(database: Database) -> None:
    async with database.begin() as tx:
        await some(tx)
        found = await tx.workloads.open_leads([OWNER, WANG], limit=20)
        fewer = await tx.workloads.open_leads([OWNER], limit=2)
    assert [one.customer for one in found][-1] == "wm5"
    assert {one.customer for one in found[:3]} == {"wm2", "wm3", "wm4"}
    assert len(fewer) == 2


async def test_the_list_filters_counts_and_goes_on_after_a_number(database: Database) -> None:
    async with database.begin() as tx:
        await some(tx)
        every = Wanted(closed=True)
        assert await tx.lead_list.count(every, NOON) == 7
        assert await tx.lead_list.count(Wanted(), NOON) == 5
        assert await tx.lead_list.count(Wanted(overdue=True), NOON) == 2
        assert await tx.lead_list.count(Wanted(holders=(WANG,), closed=True), NOON) == 1
        assert await tx.lead_list.count(Wanted(stages=("later",)), NOON) == 1
        assert await tx.lead_list.count(Wanted(branch="b02", closed=True), NOON) == 0
        assert await tx.lead_list.count(Wanted(since=NOON + MINUTE, closed=True), NOON) == 0
        first = await tx.lead_list.find(every, NOON, limit=3)
        rest = await tx.lead_list.find(every, NOON, limit=9, after=first[-1].lead.id)
        due = await tx.lead_list.first_due(every, NOON, limit=9)
    assert len(first) + len(rest) == 7
    assert due[-1].lead.closed_at is not None
    assert CustomerId(CUSTOMER) not in {one.lead.customer for one in due}
