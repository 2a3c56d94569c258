"""Leads: the limits of ten thousand in one look, eight workers giving at once, words to a card."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.bench.figures import Progress, spread
from bot.bench.ground import Grounds, content_of, on_both
from bot.bench.leads_cards import measure_cards
from bot.bench.leads_ground import LEADS, MANAGERS, RULES, desk_of, fill, large, signal
from bot.clock import FakeClock
from bot.domain.assigning import Desk, weight_of
from bot.domain.ids import RmId
from bot.domain.lead import Lead
from bot.errors import DatabaseFailed
from bot.leads.desk import LeadDesk
from bot.storage.db import Database
from bot.workers.content import Snapshot, read_snapshot, tables_for
from bot.workers.sla import SlaWorker
from bot.workspace import Workspace

BAR_TICK_MS = 200.0
_DUE, _OFFERED, _QUIET_TICKS = 5_000, 500, 20
_WORKERS, _GIVEN = 8, 1_600
_TRIES = 50


async def measure(workspace: Workspace, progress: Progress) -> dict[str, Any]:
    """Measure the look at the limits, giving, and how long a card is on its way."""
    now = datetime.now(UTC)
    snapshot = read_snapshot(workspace, now.date())

    async def on_one(name: str, grounds: Grounds) -> dict[str, Any]:
        progress(f"    {LEADS} open leads, {MANAGERS} managers")
        async with grounds() as url:
            ticks = await _ticks(url, workspace, snapshot, now)
        progress(f"    {_WORKERS} workers give {_GIVEN} leads")
        async with grounds() as url:
            given = await _give(url, snapshot, now)
        return {"tick": ticks, "assignment": given, "met": ticks["met"] and given["met"]}

    found = await on_both(on_one, progress)
    progress("  words → card, over HTTP")
    cards = await measure_cards(workspace)
    return {
        "what": f"{LEADS} open leads, {MANAGERS} managers; and a customer's words to the card",
        "bar_tick_ms": BAR_TICK_MS,
        **found,
        "cards": cards,
        "met": cards["met"] and all(each.get("met", True) for each in found.values()),
    }


async def _ticks(
    url: str, workspace: Workspace, snapshot: Snapshot, now: datetime
) -> dict[str, Any]:
    """Look at the limits while nothing is due, at 5,000 that are, then at 500 lapsed offers."""
    bank = large(snapshot.bank)
    desk = desk_of(bank, tables_for(now.date()))
    database, clock = await Database.open(url), FakeClock(now - timedelta(seconds=1))
    try:
        await fill(database, desk, now, _DUE, _OFFERED)
        content = content_of(workspace, snapshot, now)
        worker = SlaWorker(database, content, desk, clock)
        await worker.step()  # the first counts what lies on the desks
        quiet = [(await _timed(worker))[0] for _ in range(_QUIET_TICKS)]
        clock.jump(now)
        busy = await _until_done(worker)
        clock.jump(now + timedelta(minutes=1))
        offers = await _until_done(worker)
        async with database.read() as tx:
            warned = await tx.ledger.count("lead_warned")
            offered = await tx.ledger.count("lead_offered_again")
    finally:
        await database.close()
    return {
        "nothing_due": spread(quiet),
        "full": spread(busy),
        "lapsed_offers": spread(offers),
        "warned": warned,
        "offered_again": offered,
        "met": (warned, offered) == (_DUE, _OFFERED)
        and all(spread(each)["p95_ms"] <= BAR_TICK_MS for each in (busy, offers)),
    }


async def _until_done(worker: SlaWorker) -> list[float]:
    waits: list[float] = []
    while True:
        took, looked = await _timed(worker)
        if not looked:
            return waits
        waits.append(took)


async def _timed(worker: SlaWorker) -> tuple[float, int]:
    began = time.perf_counter()
    looked = await worker.step()
    return (time.perf_counter() - began) * 1e3, looked


async def _give(url: str, snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """Let eight workers open leads at once, two of them each; count who was given what."""
    desk = desk_of(large(snapshot.bank), tables_for(now.date()))
    database = await Database.open(url)
    numbers = iter([number for number in range(_GIVEN) for _ in range(2)])
    waits: list[float] = []

    async def work() -> None:
        for number in numbers:
            began = time.perf_counter()
            await _open(database, desk, number, now)
            waits.append((time.perf_counter() - began) * 1e3)

    try:
        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(_WORKERS)))
        seconds = time.perf_counter() - began
        async with database.read() as tx:
            leads, desks = await tx.leads.all(), await tx.desks.all()
            given = await tx.ledger.of_kinds(["lead_opened"])
    finally:
        await database.close()
    return _counted(leads, desks, Counter(one.facts["lead"] for one in given)) | {
        "leads_a_second": round(len(leads) / seconds),
        "open": spread(waits),
    }


async def _open(database: Database, desk: LeadDesk, number: int, now: datetime) -> None:
    """Open a lead as the worker of events does: what the database cannot do now is tried again."""
    owner = RmId(f"rm{number % 40:03}")
    for _ in range(_TRIES):
        try:
            async with database.begin() as tx:
                await desk.open(tx, signal(number, now), owner=owner, group="", now=now)
            return
        except DatabaseFailed:
            continue


def _counted(
    leads: Sequence[Lead], desks: Mapping[RmId, Desk], given: Mapping[int, int]
) -> dict[str, Any]:
    lies: Counter[RmId] = Counter()
    for lead in leads:
        lies[lead.rm] += weight_of(lead.need) if lead.rm else 0
    wrong = sum(desks[one].load != load for one, load in lies.items() if one)
    over = sum(load > RULES.capacity for load in lies.values())
    twice = sum(given[lead.id] != 1 for lead in leads)
    return {
        "leads": len(leads),
        "over_capacity": over,
        "given_twice": twice,
        "in_the_pool": sum(not lead.rm for lead in leads),
        "sums_wrong": wrong,
        "met": len(leads) == _GIVEN and not (over or twice or wrong),
    }
