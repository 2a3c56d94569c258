"""One-to-one sessions as we know them, and the last turns of every talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import Session
from bot.storage.insert import insert_new
from bot.storage.prepared import change
from bot.storage.tables import Moment, conversations, turns

Whose = tuple[str, str]  # a customer and an account

_OF, _ON = conversations.c.customer, conversations.c.account
_SESSION = select(conversations).where(bindparam("customer") == _OF, bindparam("account") == _ON)
_HELD = (
    select(conversations)
    .where(bindparam("account") == _ON, _OF.in_(bindparam("customers", expanding=True)))
    .order_by(_OF)
    .with_for_update()
)
_MIRRORED = (
    update(conversations)
    .where(bindparam("whose") == _OF, bindparam("where") == _ON)
    .values({name: bindparam(f"new_{name}") for name in Session.model_fields})
)
_SENT = (
    update(conversations)
    .where(bindparam("of") == _OF, bindparam("on") == _ON)
    .values(sent=conversations.c.sent + 1)
)
_LAST_HEARD = select(func.max(conversations.c.last_customer_at, type_=Moment)).where(
    bindparam("customer") == _OF
)
_ADD_TURN = turns.insert()
_LAST_TURNS = (
    select(turns.c.speaker, turns.c.text, turns.c.at)
    .where(turns.c.subject == bindparam("subject"))
    .order_by(turns.c.id.desc())
    .limit(bindparam("count", type_=Integer))
)


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
        return None if row is None else _session(row)

    async def hold(self, customer: str, account: str) -> Session:
        """Return a session, new where there is none, that nobody else changes meanwhile."""
        return (await self.hold_all([(customer, account)]))[customer, account]

    async def hold_all(self, whose: Sequence[Whose]) -> dict[Whose, Session]:
        """Hold many sessions at once, always in one order: two who do it never form a ring."""
        ordered = sorted(set(whose))
        rows = [_new(customer, account) for customer, account in ordered]
        await insert_new(self._connection, conversations, rows)
        held: dict[Whose, Session] = {}
        for account in sorted({account for _, account in ordered}):
            customers = [customer for customer, of in ordered if of == account]
            given = {"account": account, "customers": customers}
            for row in await self._connection.execute(_HELD, given):
                held[row.customer, account] = _session(row)
        return held

    async def mirror(self, sessions: Mapping[Whose, Session]) -> None:
        """Write sessions as WeCom's news has them."""
        if not sessions:
            return
        await self._connection.execute(
            _MIRRORED,
            [
                {"whose": customer, "where": account}
                | {f"new_{name}": getattr(session, name) for name in Session.model_fields}
                for (customer, account), session in sessions.items()
            ],
        )

    async def known(self, customer: str, account: str) -> tuple[Session, datetime | None]:
        """Return a session, and when the bot last said in it who it is; a fresh one if unknown."""
        row = await self._row(customer, account)
        return (Session(), None) if row is None else (_session(row), row.greeted_at)

    async def last_heard(self, customer: str) -> datetime | None:
        """Return when a customer wrote last, on any account; None where that never was."""
        rows = await self._connection.execute(_LAST_HEARD, {"customer": customer})
        moment: datetime | None = rows.scalar_one()
        return moment

    async def _row(self, customer: str, account: str) -> Any:
        whose = {"customer": customer, "account": account}
        return (await self._connection.execute(_SESSION, whose)).one_or_none()

    async def ensure(self, customer: str, account: str) -> None:
        """Know a session before anybody wrote in it."""
        await insert_new(self._connection, conversations, [_new(customer, account)])

    async def change(self, customer: str, account: str, **values: Any) -> None:
        """Change columns of a session."""
        whose = {"customer": customer, "account": account}
        await change(self._connection, conversations, whose, values)

    async def count_sent(self, customer: str, account: str) -> None:
        """Use up one of the five messages."""
        whose = {"of": customer, "on": account}
        await self._connection.execute(_SENT, whose)

    async def add_turn(
        self,
        subject: str,
        speaker: str,
        text: str,
        at: datetime,
        note: dict[str, Any] | None = None,
    ) -> None:
        """Remember what was said; the caller has masked it."""
        turn = {"subject": subject, "speaker": speaker, "text": text, "at": at, "note": note or {}}
        await self._connection.execute(_ADD_TURN, turn)

    async def last_turns(self, subject: str, count: int = 10) -> Sequence[Turn]:
        """Return the newest turns, oldest of them first."""
        given = {"subject": subject, "count": count}
        rows = (await self._connection.execute(_LAST_TURNS, given)).all()
        return [Turn(row.speaker, row.text, row.at) for row in reversed(rows)]


def _new(customer: str, account: str) -> dict[str, Any]:
    return {"customer": customer, "account": account, "state": 0, "sent": 0}


def _session(row: Any) -> Session:
    return Session(
        state=row.state,
        servicer=row.servicer,
        last_customer_at=row.last_customer_at,
        sent=row.sent,
        rejected=row.rejected,
    )
