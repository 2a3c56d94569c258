"""Customers and groups on their way from one manager to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import transfers

_LEASE = timedelta(seconds=120)
Kind = Literal["customer", "group"]
PLANNED, WAITING, DONE = "planned", "waiting", "done"
REFUSED, LIMIT, FAILED = "refused", "limit", "failed"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One customer or group; ``state`` is planned, waiting, done, refused, limit or failed."""

    id: int
    attempt: int
    kind: Kind
    subject: str
    giver: str
    taker: str
    resigned: bool
    words: str
    state: str
    reason: str
    tries: int

    @property
    def together_with(self) -> tuple[Kind, str, str, bool, str, str]:
        """Return what those have in common that one call can do."""
        return self.kind, self.giver, self.taker, self.resigned, self.state, self.words


class Transfers:
    """One row for each subject and pair of managers: asked again, it goes on."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def plan(
        self,
        kind: Kind,
        subjects: Sequence[str],
        giver: str,
        taker: str,
        now: datetime,
        *,
        resigned: bool,
        words: str = "",
    ) -> int:
        """Plan what was not planned before, and again what failed; return how many."""
        rows = [
            {
                "kind": kind,
                "subject": subject,
                "giver": giver,
                "taker": taker,
                "resigned": resigned,
                "words": words,
                "state": PLANNED,
                "changed_at": now,
                "due_at": now,
                "attempt": 0,
            }
            for subject in subjects
        ]
        fresh = await insert_new(self._connection, transfers, rows)
        result = await self._connection.execute(
            update(transfers)
            .where(
                transfers.c.kind == kind,
                transfers.c.giver == giver,
                transfers.c.taker == taker,
                transfers.c.state == FAILED,
            )
            .values(state=PLANNED, resigned=resigned, reason="", tries=0, due_at=now)
        )
        return fresh + int(result.rowcount)

    async def claim(self, now: datetime, *, limit: int = 100) -> list[Transfer]:
        """Take what is to be asked for, or asked after."""
        statement = work.claim_statement(transfers)
        rows = await work.claim(self._connection, statement, now, lease=_LEASE, limit=limit)
        return [_transfer(row) for row in rows]

    async def finish(
        self,
        item: Transfer,
        now: datetime,
        state: str,
        *,
        reason: str = "",
        due_at: datetime | None = None,
        **values: Any,
    ) -> bool:
        """Write what became of a claimed one."""
        return await work.finish(
            self._connection,
            transfers,
            item.id,
            item.attempt,
            due_at=due_at,
            state=state,
            reason=reason,
            changed_at=now,
            **values,
        )

    async def end(self, customer: str, manager: str, state: str, reason: str, now: datetime) -> int:
        """Write the end of a customer's way that an event tells; ``manager`` is either side."""
        side = or_(transfers.c.giver == manager, transfers.c.taker == manager)
        result = await self._connection.execute(
            update(transfers)
            .where(
                transfers.c.kind == "customer",
                transfers.c.subject == customer,
                transfers.c.state.in_((PLANNED, WAITING)),
                side,
            )
            .values(state=state, reason=reason, due_at=None, changed_at=now)
        )
        return int(result.rowcount)

    async def is_handed_on(self, customer: str, giver: str) -> bool:
        """Tell whether a customer is, or was, on the way from a manager to another."""
        statement = select(transfers.c.id).where(
            transfers.c.kind == "customer",
            transfers.c.subject == customer,
            transfers.c.giver == giver,
            transfers.c.state.in_((PLANNED, WAITING, DONE)),
        )
        return (await self._connection.execute(statement.limit(1))).first() is not None

    async def listed(self, giver: str = "", taker: str = "") -> list[Transfer]:
        """Return each one, of a pair of managers at will, oldest first."""
        statement = select(transfers).order_by(transfers.c.id)
        if giver:
            statement = statement.where(transfers.c.giver == giver)
        if taker:
            statement = statement.where(transfers.c.taker == taker)
        return [_transfer(row) for row in await self._connection.execute(statement)]


def _transfer(row: Row[Any]) -> Transfer:
    return Transfer(
        id=row.id,
        attempt=row.attempt,
        kind=row.kind,
        subject=row.subject,
        giver=row.giver,
        taker=row.taker,
        resigned=row.resigned,
        words=row.words,
        state=row.state,
        reason=row.reason,
        tries=row.tries,
    )
