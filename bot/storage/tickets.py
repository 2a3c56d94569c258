"""Tickets: each hand-over of a 微信客服 talk, one open at most for a customer and an account."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.tickets import Ticket, TicketState
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.prepared import change
from bot.storage.tables import kf_tickets

_COLUMNS = tuple(kf_tickets.c[name] for name in Ticket.model_fields)
_LEASE = timedelta(seconds=60)


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket.model_validate({name: getattr(row, name) for name in Ticket.model_fields})


class Tickets:
    """Rows ↔ tickets."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(
        self, customer: str, account: str, state: TicketState, now: datetime, **values: Any
    ) -> tuple[Ticket, bool]:
        """Open a ticket; where one is open, return that. Tell whether it is new."""
        row = {
            "customer": customer,
            "account": account,
            "state": state,
            "opened_at": now,
            "attempt": 0,
            **values,
        }
        fresh = bool(await insert_new(self._connection, kf_tickets, [row]))
        found = await self.hold_open(customer, account)
        assert found is not None  # ours, or the one that stood in its way
        return found, fresh

    async def hold_open(self, customer: str, account: str) -> Ticket | None:
        """Return the open ticket of a talk, held until the transaction ends."""
        return await self._one(
            kf_tickets.c.customer == customer,
            kf_tickets.c.account == account,
            kf_tickets.c.given_back_at.is_(None),
            hold=True,
        )

    async def hold(self, ticket: int) -> Ticket | None:
        """Return a ticket by its number, held until the transaction ends."""
        return await self._one(kf_tickets.c.id == ticket, hold=True)

    async def newest(self, customer: str, account: str) -> Ticket | None:
        """Return the newest ticket of a talk, open or over."""
        return await self._one(kf_tickets.c.customer == customer, kf_tickets.c.account == account)

    async def last(self, customer: str, account: str) -> Ticket | None:
        """Return the newest ticket of a talk that is over."""
        return await self._one(
            kf_tickets.c.customer == customer,
            kf_tickets.c.account == account,
            kf_tickets.c.given_back_at.is_not(None),
        )

    async def before(self, customer: str, account: str) -> int:
        """Count the others who wait in an account's pool."""
        waiting = (
            kf_tickets.c.account == account,
            kf_tickets.c.customer != customer,
            kf_tickets.c.state == "waiting",
            kf_tickets.c.taken_by == "",
            kf_tickets.c.given_back_at.is_(None),
        )
        rows = await self._connection.execute(select(func.count()).where(*waiting))
        return int(rows.scalar_one())

    async def was_offered(self, customer: str, since: datetime) -> bool:
        """Tell whether a customer was invited to a person or a group since then."""
        return (
            await self._one(kf_tickets.c.customer == customer, kf_tickets.c.offered_at >= since)
            is not None
        )

    async def change(self, ticket: int, **values: Any) -> None:
        """Change columns of a ticket."""
        await change(self._connection, kf_tickets, {"id": ticket}, values)

    async def claim(self, now: datetime, *, limit: int = 20) -> list[Ticket]:
        """Take the tickets whose time has come."""
        statement = work.claim_statement(kf_tickets)
        rows = await work.claim(self._connection, statement, now, lease=_LEASE, limit=limit)
        return [_ticket(row) for row in rows]

    async def of(self, customer: str) -> list[Ticket]:
        """Return a customer's tickets, oldest first."""
        rows = await self._connection.execute(
            select(*_COLUMNS).where(kf_tickets.c.customer == customer).order_by(kf_tickets.c.id)
        )
        return [_ticket(row) for row in rows]

    async def _one(self, *conditions: Any, hold: bool = False) -> Ticket | None:
        statement = select(*_COLUMNS).where(*conditions).order_by(kf_tickets.c.id.desc()).limit(1)
        if hold:
            statement = statement.with_for_update()
        row = (await self._connection.execute(statement)).first()
        return None if row is None else _ticket(row)
