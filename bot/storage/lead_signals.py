"""What was noticed of customers' needs: each signal once, with the lead it went into."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId
from bot.domain.lead import Evidence, Need, Signal
from bot.storage.bulk import among
from bot.storage.insert import insert_new
from bot.storage.tables import lead_signals, leads

_NO = ("refused",)


class Noticed(NamedTuple):
    """A signal as it is kept."""

    origin: str
    explicit: bool
    points: float
    evidence: Evidence
    at: datetime


class Weariness(NamedTuple):
    """How much a customer was troubled with leads, and what came of those of one need."""

    leads: int
    said_no: bool
    was_invalid: bool


class LeadSignals:
    """Rows ↔ signals."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, signal: Signal, lead: int | None) -> bool:
        """Keep a signal; tell whether it is new: told twice it is one."""
        row = {
            "key": signal.its_key,
            "customer": signal.customer,
            "need": signal.need.value,
            "product": signal.product,
            "origin": signal.origin,
            "explicit": signal.explicit,
            "points": signal.points,
            "evidence": signal.evidence.model_dump(mode="json"),
            "at": signal.evidence.at,
            "lead": lead,
        }
        return bool(await insert_new(self._connection, lead_signals, [row]))

    async def known(self, keys: Collection[str]) -> frozenset[str]:
        """Return which of these signals were noticed before."""
        on_sqlite = self._connection.dialect.name == "sqlite"
        statement = select(lead_signals.c.key).where(among(lead_signals.c.key, on_sqlite))
        rows = await self._connection.execute(statement, {"among": sorted(keys)})
        return frozenset(rows.scalars())

    async def of(
        self, customer: CustomerId, need: Need, product: str, since: datetime
    ) -> Sequence[Noticed]:
        """Return what was noticed of a need and led to no lead yet, or to the open one."""
        is_open = select(leads.c.id).where(
            leads.c.customer == customer, leads.c.closed_at.is_(None)
        )
        rows = await self._connection.execute(
            select(*(lead_signals.c[name] for name in Noticed._fields))
            .where(
                *self._mine(customer, need, product),
                lead_signals.c.at >= since,
                lead_signals.c.lead.is_(None) | lead_signals.c.lead.in_(is_open),
            )
            .order_by(lead_signals.c.at, lead_signals.c.id)
        )
        return [
            Noticed(row[0], row[1], row[2], Evidence.model_validate(row[3]), row[4]) for row in rows
        ]

    async def attach(self, signal: Signal, lead: int) -> None:
        """Put what was noticed so far into a lead."""
        await self._connection.execute(
            update(lead_signals)
            .where(
                *self._mine(signal.customer, signal.need, signal.product),
                lead_signals.c.lead.is_(None),
            )
            .values(lead=lead)
        )

    def _mine(self, customer: CustomerId, need: Need, product: str) -> tuple[Any, ...]:
        return (
            lead_signals.c.customer == customer,
            lead_signals.c.need == need.value,
            lead_signals.c.product.in_(("", product)),
        )

    async def weariness(self, customer: CustomerId, need: Need, since: datetime) -> Weariness:
        """Return how many leads a customer had, and whether one of this need came to nothing."""
        mine = (leads.c.customer == customer, leads.c.opened_at >= since)
        count = await self._connection.execute(select(func.count()).select_from(leads).where(*mine))
        ends = await self._connection.execute(
            select(leads.c.stage)
            .where(*mine, leads.c.need == need.value, leads.c.closed_at.is_not(None))
            .order_by(leads.c.closed_at.desc(), leads.c.id.desc())
        )
        stages = list(ends.scalars())
        return Weariness(
            leads=int(count.scalar_one()),
            said_no=any(stage in _NO for stage in stages),
            was_invalid=stages[:1] == ["invalid"],
        )
