"""Leads of the version before keep how they ended, and find their way back; old signals go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text

from bot.storage.db import Database
from bot.storage.leads import Opening
from bot.storage.migrate import _config, differences, upgrade
from bot.storage.retention import Retention
from bot.storage.tables.columns import microseconds
from tests.make import CUSTOMER, NOON, OWNER, signal
from tests.storage.test_migrations import fresh_url

__all__ = ["fresh_url"]
_LEAD = text(
    "INSERT INTO leads (id, customer, need, stage, rm, evidence, opened_at, respond_by, closed_at)"
    " VALUES (:id, :customer, '理财咨询', :stage, 'li.min', '[]', :at, :at, :at)"
)
_ENTRY = text("INSERT INTO ledger (at, kind, subject, facts) VALUES (:at, :kind, 'wm', :facts)")


def _fourth(connection: Connection) -> None:
    command.upgrade(_config(connection), "0004")
    at = microseconds(NOON)
    for number, (stage, kind) in enumerate(
        [("closed", "lead_won"), ("closed", "lead_lost"), ("closed", ""), ("refused", "")], 1
    ):
        row = {"id": number, "customer": f"wm{number}", "stage": stage, "at": at}
        connection.execute(_LEAD, row)
        if kind:
            facts = f'{{"lead": {number}, "by": "li.min"}}'
            connection.execute(_ENTRY, {"at": at, "kind": kind, "facts": facts})


@pytest.fixture
async def before(fresh_url: str) -> Any:
    """Open a database of the version before with leads that ended."""
    database = await Database.open(fresh_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(_fourth)
    yield database
    await database.close()


async def test_an_end_that_only_the_ledger_told_is_the_leads_own(before: Database) -> None:
    await upgrade(before)
    assert await differences(before) == []
    async with before.read() as tx:
        found = await tx.leads.all()
    assert [one.stage for one in found] == ["won", "lost", "closed", "refused"]


async def test_the_way_back_leaves_one_open_lead_of_a_need(before: Database) -> None:
    await upgrade(before)
    async with before.begin() as tx:
        # PostgreSQL's own numbers do not know of rows that were put in with theirs.
        await tx.connection.execute(text("DELETE FROM leads WHERE id < 3"))
        await tx.connection.execute(text("UPDATE leads SET id = id + 100"))
        for product in ("国债", "基金"):
            await tx.leads.open(signal(product=product), Opening(OWNER), NOON)
    async with before.engine.begin() as connection:
        await connection.run_sync(lambda it: command.downgrade(_config(it), "0004"))
        rows = await connection.execute(
            text("SELECT stage, closed_at FROM leads WHERE customer = :who ORDER BY id"),
            {"who": CUSTOMER},
        )
        stages = [(row.stage, row.closed_at is None) for row in rows]
    assert stages == [("new", True), ("closed", False)]
    await upgrade(before)
    assert await differences(before) == []


async def test_of_old_signals_only_those_of_a_lead_stay(database: Database) -> None:
    async with database.begin() as tx:
        for number, lead in enumerate((None, 1, None)):
            at = NOON - timedelta(days=40) if number < 2 else NOON
            await tx.lead_signals.add(signal(at=at, quote=f"话{number}"), lead)
        swept = await Retention(tx.connection).sweep("lead_signals", NOON - timedelta(days=30), 0)
        left = await tx.connection.execute(text("SELECT count(*) FROM lead_signals"))
        assert (swept.removed, left.scalar_one()) == (1, 2)
