"""Leads: one open at most for each customer and need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Lead, Signal, Stage
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import leads


def _lead(row: Row[Any]) -> Lead:
    return Lead.model_validate({name: getattr(row, name) for name in Lead.model_fields})


class Leads:
    """Rows ↔ leads."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(
        self, signal: Signal, rm: RmId, stage: Stage, now: datetime, *, watch_at: datetime | None
    ) -> tuple[Lead, bool]:
        """Open a lead, or append the signal to the open one; tell whether it is new."""
        row = {
            "customer": signal.customer,
            "need": signal.need.value,
            "stage": stage,
            "rm": rm,
            "chat": signal.chat,
            "script": signal.script,
            "step": signal.step,
            "evidence": [signal.evidence.model_dump(mode="json")],
            "opened_at": now,
            "respond_by": signal.respond_by(),
            "due_at": watch_at,
            "attempt": 0,
        }
        fresh = bool(await insert_new(self._connection, leads, [row]))
        lead = (await self._find(leads.c.customer == signal.customer, leads.c.need == signal.need))[
            -1
        ]
        if not fresh:
            lead = await self._append(lead, signal, watch_at)
        return lead, fresh

    async def _append(self, lead: Lead, signal: Signal, watch_at: datetime | None) -> Lead:
        evidence = (*lead.evidence, signal.evidence)[-10:]
        respond_by = min(lead.respond_by, signal.respond_by())
        sooner = lead.stage == "new" and respond_by < lead.respond_by
        await self.change(
            lead.id,
            evidence=[item.model_dump(mode="json") for item in evidence],
            respond_by=respond_by,
            **({"due_at": watch_at} if sooner and watch_at is not None else {}),
        )
        return lead.model_copy(update={"evidence": evidence, "respond_by": respond_by})

    async def _find(self, *conditions: Any) -> list[Lead]:
        rows = await self._connection.execute(select(leads).where(*conditions).order_by(leads.c.id))
        return [_lead(row) for row in rows]

    async def get(self, lead: int) -> Lead | None:
        """Return a lead by its number."""
        found = await self._find(leads.c.id == lead)
        return found[0] if found else None

    async def open_of(self, rm: str) -> list[Lead]:
        """Return the leads that somebody has and has not closed, oldest first."""
        return await self._find(leads.c.rm == rm, leads.c.closed_at.is_(None))

    async def all(self) -> list[Lead]:
        """Return every lead, oldest first."""
        return await self._find()

    async def open_for(self, customer: CustomerId) -> list[Lead]:
        """Return a customer's leads that are not closed, oldest first."""
        return await self._find(leads.c.customer == customer, leads.c.closed_at.is_(None))

    async def asking(self, customer: CustomerId, chat: str) -> list[Lead]:
        """Return the leads that wait for this customer's consent in this group."""
        return await self._find(
            leads.c.customer == customer,
            leads.c.chat == chat,
            leads.c.stage == "asking",
            leads.c.closed_at.is_(None),
        )

    async def change(self, lead: int, **values: Any) -> None:
        """Change columns of a lead."""
        await self._connection.execute(update(leads).where(leads.c.id == lead).values(**values))

    async def claim(self, now: datetime, *, limit: int = 50) -> list[Lead]:
        """Take the leads whose time limit wants watching."""
        statement = work.claim_statement(leads)
        rows = await work.claim(
            self._connection, statement, now, lease=timedelta(seconds=60), limit=limit
        )
        return [_lead(row) for row in rows]

    async def counts(self) -> Sequence[tuple[str, str, int]]:
        """Count leads by (need, stage)."""
        rows = await self._connection.execute(
            select(leads.c.need, leads.c.stage, func.count()).group_by(leads.c.need, leads.c.stage)
        )
        return [(row[0], row[1], row[2]) for row in rows]
