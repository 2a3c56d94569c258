"""One-to-one sessions as we know them, and the last turns of every talk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import Session
from bot.storage.insert import insert_new
from bot.storage.tables import conversations, turns


@dataclass(frozen=True, slots=True)
class Turn:
    """Who said what."""

    speaker: str
    text: str
    at: datetime


class Conversations:
    """The mirror of WeCom's session state, and the turns."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def session(self, customer: str, account: str) -> Session | None:
        """Return a session; None where the customer never wrote."""
        row = await self._row(customer, account)
        if row is None:
            return None
        return Session(
            state=row.state,
            servicer=row.servicer,
            last_customer_at=row.last_customer_at,
            sent=row.sent,
        )

    async def greeted_at(self, customer: str, account: str) -> datetime | None:
        """Return when the bot last said who it is."""
        row = await self._row(customer, account)
        return None if row is None else row.greeted_at

    async def _row(self, customer: str, account: str) -> Any:
        return (
            await self._connection.execute(
                select(conversations).where(
                    conversations.c.customer == customer, conversations.c.account == account
                )
            )
        ).one_or_none()

    async def customer_wrote(
        self, customer: str, account: str, at: datetime, *, with_person: bool
    ) -> Session:
        """Open the reply window anew; a session no person has is the bot's again (§4.13)."""
        known = await self.session(customer, account)
        if known is None:
            await self.ensure(customer, account)
            await self.change(customer, account, last_customer_at=at)
            return Session(last_customer_at=at)
        state = known.state if with_person else 0
        servicer = known.servicer if with_person else ""
        await self.change(
            customer, account, state=state, servicer=servicer, last_customer_at=at, sent=0
        )
        return Session(state=state, servicer=servicer, last_customer_at=at, sent=0)

    async def ensure(self, customer: str, account: str) -> None:
        """Know a session before anybody wrote in it."""
        row = {"customer": customer, "account": account, "state": 0, "sent": 0}
        await insert_new(self._connection, conversations, [row])

    async def change(self, customer: str, account: str, **values: Any) -> None:
        """Change columns of a session."""
        await self._connection.execute(
            update(conversations)
            .where(conversations.c.customer == customer, conversations.c.account == account)
            .values(**values)
        )

    async def count_sent(self, customer: str, account: str) -> None:
        """Use up one of the five messages."""
        await self.change(customer, account, sent=conversations.c.sent + 1)

    async def add_turn(
        self,
        subject: str,
        speaker: str,
        text: str,
        at: datetime,
        note: dict[str, Any] | None = None,
    ) -> None:
        """Remember what was said; the caller has masked it."""
        await self._connection.execute(
            turns.insert().values(
                subject=subject, speaker=speaker, text=text, at=at, note=note or {}
            )
        )

    async def last_turns(self, subject: str, count: int = 10) -> Sequence[Turn]:
        """Return the newest turns, oldest of them first."""
        rows = (
            await self._connection.execute(
                select(turns.c.speaker, turns.c.text, turns.c.at)
                .where(turns.c.subject == subject)
                .order_by(turns.c.id.desc())
                .limit(count)
            )
        ).all()
        return [Turn(row.speaker, row.text, row.at) for row in reversed(rows)]
