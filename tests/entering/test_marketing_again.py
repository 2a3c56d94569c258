"""What sells reaches a customer again: a stop until it is solved ends when somebody solves it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Evidence, Need, Signal
from bot.domain.people import Customer
from bot.storage.db import Database
from bot.storage.leads import Opening
from bot.storage.tables import enrolments
from bot.workers.resuming import Resumed, resume_marketing
from tests.domain.builders import starter_bank
from tests.entering.test_bank_data import folder, zhilin
from tests.make import NOON

__all__ = ["folder"]
WHO, BY = CustomerId("wm1"), RmId("li.min")
MONTH, YEAR = timedelta(days=30), timedelta(days=365)


async def complained(database: Database, now: datetime, *, refuses: bool = False) -> None:
    """Have a customer complain who is on the way through a script."""
    async with database.begin() as tx:
        await tx.people.put_customer(Customer(id=WHO, name="李女士", managers=(BY,)), now)
        await tx.runs.enrol(
            script="trial",
            version="1",
            subject=WHO,
            owner=BY,
            branch="",
            anchor=date(2026, 10, 11),
            state="running",
            now=now,
        )
        narrowed = {"subject_kind": "customer", "marketing_stopped": True}
        await tx.connection.execute(update(enrolments).values(**narrowed))
        for need in (Need.COMPLAINT, Need.SERVICE):
            evidence = Evidence(quote="我要投诉", at=now, source="微信客服")
            signal = Signal(customer=WHO, need=need, evidence=evidence)
            await tx.leads.open(signal, Opening(BY), now)
        await tx.people.pause_marketing(WHO, now + YEAR)
        if refuses:
            await tx.people.opt_out(WHO, now)


async def resumed(database: Database, now: datetime = NOON) -> Resumed:
    done = await resume_marketing(database, starter_bank(), WHO, now, by="王芳", why="已当面道歉")
    assert done is not None
    return done


async def is_stopped(database: Database) -> tuple[bool, bool]:
    """Tell whether what sells is kept from the customer, and from the run under way."""
    async with database.read() as tx:
        known = await tx.people.customer(WHO)
        assert known is not None
        flags = (await tx.connection.execute(select(enrolments.c.marketing_stopped))).scalars()
        return known.refuses_marketing(NOON), any(flags)


async def test_a_shorter_stop_does_not_end_a_longer_one(database: Database) -> None:
    await complained(database, NOON)
    async with database.begin() as tx:
        await tx.people.pause_marketing(WHO, NOON + MONTH)
        known = await tx.people.customer(WHO)
        assert known is not None
        assert known.marketing_paused_until == NOON + YEAR
        await tx.people.pause_marketing(WHO, None)
        await tx.people.pause_marketing(WHO, NOON + MONTH)
        known = await tx.people.customer(WHO)
        assert known is not None
        assert known.marketing_paused_until == NOON + MONTH


async def test_a_solved_complaint_is_closed_and_lifts_what_it_stopped(database: Database) -> None:
    await complained(database, NOON)
    assert await is_stopped(database) == (True, True)
    done = await resumed(database)
    assert (done.name, len(done.complaints), done.paused_until) == ("李女士", 1, NOON + YEAR)
    assert await is_stopped(database) == (False, False)
    async with database.begin() as tx:
        assert [lead.need for lead in await tx.leads.open_for(WHO)] == [Need.SERVICE]
        assert WHO in {row.subject for row in await tx.admissions.take(NOON, limit=9)}
        (entry,) = await tx.ledger.of_kinds(["marketing_resumed"])
        assert (entry.facts["by"], entry.facts["why"]) == ("王芳", "已当面道歉")
    assert not (await resumed(database)).changed


async def test_a_refusal_of_the_customers_own_stands(database: Database) -> None:
    """S07: a refusal stops what sells for ever, until the customer says 恢复."""
    await complained(database, NOON, refuses=True)
    done = await resumed(database)
    assert (len(done.complaints), done.refused_at) == (1, NOON)
    assert await is_stopped(database) == (True, True)


async def test_nobody_is_resumed_whom_nobody_knows(database: Database) -> None:
    assert (
        await resume_marketing(database, starter_bank(), "wmNobody", NOON, by="王芳", why="—")
        is None
    )


@pytest.mark.parametrize("refuses", [False, True])
def test_the_command_says_what_it_lifted(folder: Path, refuses: bool) -> None:
    async def begin() -> None:
        database = await Database.open(f"sqlite:///{folder}/bank.db")
        try:
            await complained(database, datetime.now(UTC), refuses=refuses)
        finally:
            await database.close()

    asyncio.run(begin())
    line = ("customers", "resume", WHO, "--why", "已当面道歉", "--by", "王芳")
    said = zhilin(folder, *line).output
    assert "李女士：投诉工单 1 张办结，停到" in said
    assert ("要他自己说「恢复」" in said) is refuses
    again = json.loads(zhilin(folder, *line, "--json").output)
    assert (again["changed"], again["refuses"]) == (False, refuses)
    assert "没有动" in zhilin(folder, *line).output
    assert zhilin(folder, "customers", "resume", "wmNobody", "--why", "—").exit_code == 1
