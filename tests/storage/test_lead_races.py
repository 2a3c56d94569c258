"""Eight workers at once: one lead for one need, one person for one lead, no desk too full."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from sqlalchemy import select, text

from bot.domain.assigning import weight_of
from bot.domain.lead import Lead, Moved, Need
from bot.errors import DatabaseFailed
from bot.leads.away import Absences
from bot.storage.db import Database
from bot.storage.tables import lead_timers, leads, outbox
from tests.make import MINUTE, NOON, OWNER, signal
from tests.rooms.leads.rooms import Room

WORKERS = 8


async def all_leads(database: Database) -> list[Lead]:
    async with database.read() as tx:
        return await tx.leads.all()


async def loads(database: Database) -> dict[str, int]:
    async with database.read() as tx:
        return {userid: desk.load for userid, desk in (await tx.desks.all()).items()}


async def open_one(database: Database, room: Room, customer: str, need: Need) -> None:
    """Open a lead as an event's worker does: what the database cannot do now is tried again."""
    for _ in range(20):
        try:
            async with database.begin() as tx:
                said = signal(need, customer=customer)
                await room.desk.open(tx, said, owner=OWNER, group="", now=NOON)
            return
        except DatabaseFailed:
            continue
    raise AssertionError("never opened")


async def test_no_desk_is_ever_too_full_and_every_lead_is_somebodys(database: Database) -> None:
    room = Room(capacity=6, per_hour=1000)
    needs = [Need.WEALTH, Need.LATENT_COMPLAINT, Need.SERVICE]

    async def work(number: int) -> None:
        for lead in range(5):
            its = number * 5 + lead
            await open_one(database, room, f"wm{its}", needs[its % 3])

    await asyncio.gather(*(work(number) for number in range(WORKERS)))
    found = await all_leads(database)
    assert len(found) == 40
    on_desks: Counter[str] = Counter()
    for lead in found:
        on_desks[lead.rm] += weight_of(lead.need) if lead.rm else 0
    assert all(load <= 6 for load in on_desks.values())
    assert {userid: load for userid, load in on_desks.items() if userid} == await loads(database)
    # The branch has three who serve: what they cannot hold waits in its pool, told to the head.
    assert sorted(load for userid, load in on_desks.items() if userid) == [6, 6, 6]
    assert {lead.branch for lead in found if not lead.rm} == {"b01"}


async def test_eight_signals_of_one_need_are_one_lead_with_one_person(database: Database) -> None:
    room = Room()
    await asyncio.gather(
        *(open_one(database, room, "wmLi", Need.COMPLAINT) for _ in range(WORKERS))
    )
    (lead,) = await all_leads(database)
    assert await loads(database) == {lead.rm: weight_of(Need.COMPLAINT)}
    async with database.read() as tx:
        cards = await tx.connection.execute(
            select(outbox.c.key).where(outbox.c.bucket == "staff_card")
        )
        assert len(cards.all()) == 1


async def test_an_offer_that_lapsed_goes_on_once_however_many_look(database: Database) -> None:
    room = Room(capacity=30, per_hour=1000)
    for number in range(24):
        await open_one(database, room, f"wm{number}", Need.WEALTH)
    later = NOON + 15 * MINUTE

    async def look() -> int:
        for _ in range(20):
            try:
                async with database.begin() as tx:
                    due = await tx.timers.due(later, offers=6)
                    await room.watch.look(tx, due, later)
                    return len(due)
            except DatabaseFailed:  # two that give at once may wait for each other: one goes first
                continue
        raise AssertionError("never looked")

    looked = 0
    while batch := sum(await asyncio.gather(*(look() for _ in range(WORKERS)))):
        looked += batch
    assert looked == 24
    found = await all_leads(database)
    assert {lead.offers for lead in found} == {2}
    assert all(lead.rm not in ("", OWNER) for lead in found)
    kept = {userid: load for userid, load in (await loads(database)).items() if load}
    assert kept == dict(Counter(str(lead.rm) for lead in found))


async def test_of_eight_who_press_one_has_it(database: Database) -> None:
    room = Room(offers=1)
    await open_one(database, room, "wmLi", Need.SERVICE)
    async with database.begin() as tx:
        await room.watch.look(tx, await tx.timers.due(NOON + 15 * MINUTE), NOON + 15 * MINUTE)
    (pooled,) = await all_leads(database)
    assert pooled.rm == ""
    staff = [one.userid for one in room.bank.staff if one.branch == "b01"] * 2

    async def press(by: str) -> bool:
        async with database.begin() as tx:
            done = await room.desk.take(tx, pooled.id, by, NOON + 20 * MINUTE)  # type: ignore[arg-type]
            return isinstance(done, Moved) and done.changed

    assert sum(await asyncio.gather(*(press(by) for by in staff))) == 1
    (lead,) = await all_leads(database)
    assert await loads(database) | {lead.rm: 1} == await loads(database)


async def test_limits_outlive_the_process(database: Database) -> None:
    """Nothing is kept in memory: another room, as after a restart, goes on where the first was."""
    await open_one(database, Room(), "wmLi", Need.SERVICE)
    (lead,) = await all_leads(database)
    async with database.begin() as tx:
        await Room().desk.take(tx, lead.id, lead.rm, NOON + MINUTE)
    again = Room()
    async with database.begin() as tx:
        await again.until(tx, NOON + timedelta(hours=2))
        assert await tx.ledger.count("sla_missed") == 1
    async with database.begin() as tx:
        await Room().until(tx, NOON + timedelta(hours=2))
        assert await tx.ledger.count("sla_missed") == 1
        rows = await tx.connection.execute(
            select(lead_timers.c.level).join(leads, leads.c.id == lead_timers.c.lead)
        )
        assert max(rows.scalars()) == 3


async def test_who_hands_on_a_desk_waits_for_who_moves_one_of_its_leads(database: Database) -> None:
    """Both take the lead before the desks; the other way round each would wait for the other."""
    room = Room()
    await open_one(database, room, "wmLi", Need.SERVICE)
    (lead,) = await all_leads(database)
    moved = asyncio.Event()

    async def hand_on() -> None:
        async with database.begin() as tx:
            moved.set()
            absences = Absences(lambda: room.bank, room.desk, lambda: room.rules)
            await absences.hand_on(tx, lead.rm, None, NOON + MINUTE)

    async with asyncio.timeout(20), asyncio.TaskGroup() as together, database.begin() as tx:
        assert await tx.leads.hold(lead.id)
        together.create_task(hand_on())
        if tx.connection.dialect.name == "postgresql":  # elsewhere nobody begins beside us
            await moved.wait()
            await until_one_waits(database)
        await room.desk.staffing(tx, NOON)
    (after,) = await all_leads(database)
    assert after.rm not in ("", lead.rm)


async def until_one_waits(database: Database) -> None:
    waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(500):
        async with database.read() as tx:
            if (await tx.connection.execute(waits)).scalar_one():
                return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")
