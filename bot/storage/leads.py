"""Leads: one open at most for each customer, need and class of product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import MOST_EVIDENCE, Lead, Reason, Signal, Stage
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.prepared import change
from bot.storage.tables import leads

_COLUMNS = tuple(leads.c[name] for name in Lead.model_fields)
_OPEN_FOR = (
    select(*_COLUMNS)
    .where(leads.c.customer == bindparam("customer"), leads.c.closed_at.is_(None))
    .order_by(leads.c.id)
)
_STANDING = _OPEN_FOR.where(leads.c.need == bindparam("need")).with_for_update()


class LeadCard(NamedTuple):
    """A lead's card: who has it, and the code that changes it once, for a time after ``at``."""

    to: RmId
    code: str
    at: datetime


class Opening(NamedTuple):
    """What a new lead begins with besides its signal."""

    rm: RmId
    stage: Stage = "new"
    branch: str = ""
    score: float = 0.0
    reasons: Sequence[Reason] = ()
    features: Mapping[str, float] | None = None
    look_at: datetime | None = None


def _lead(row: Row[Any]) -> Lead:
    return Lead.model_validate({name: getattr(row, name) for name in Lead.model_fields})


class Leads:
    """Rows ↔ leads."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(self, signal: Signal, opening: Opening, now: datetime) -> tuple[Lead, bool]:
        """Open a lead, or append the signal to the open one; tell whether it is new."""
        row = {
            "customer": signal.customer,
            "need": signal.need.value,
            "product": signal.product,
            "origin": signal.origin,
            "stage": opening.stage,
            "rm": opening.rm,
            "branch": opening.branch,
            "chat": signal.chat,
            "script": signal.script,
            "step": signal.step,
            "evidence": [signal.evidence.model_dump(mode="json")],
            "opened_at": now,
            "respond_by": signal.respond_by(),
            "score": opening.score,
            "reasons": [one.model_dump(mode="json") for one in opening.reasons],
            "features": dict(opening.features or {}),
            "asked": opening.stage == "asking",
            "due_at": opening.look_at,
            "attempt": 0,
        }
        standing = await self.standing(signal)
        if standing is not None:
            return await self._append(standing, signal, opening), False
        fresh = bool(await insert_new(self._connection, leads, [row]))
        lead = await self.standing(signal)
        assert lead is not None  # either ours, or the one that came before us
        return (lead if fresh else await self._append(lead, signal, opening)), fresh

    async def standing(self, signal: Signal) -> Lead | None:
        """Return the open lead that a signal belongs to, held until the transaction ends.

        It is that of the same class of product; a signal that names none goes to any of the need,
        and one that names the first goes to the lead that had none.
        """
        given = {"customer": signal.customer, "need": signal.need.value}
        found = [_lead(row) for row in await self._connection.execute(_STANDING, given)]
        fitting = [one for one in found if one.product == signal.product]
        fitting += [one for one in reversed(found) if not (one.product and signal.product)]
        return fitting[0] if fitting else None

    async def _append(self, lead: Lead, signal: Signal, opening: Opening) -> Lead:
        evidence = (*lead.evidence, signal.evidence)[-MOST_EVIDENCE:]
        better = opening.score > lead.score
        score = opening.score if better else lead.score
        reasons = tuple(opening.reasons) if better else lead.reasons
        await self.change(
            lead.id,
            evidence=[item.model_dump(mode="json") for item in evidence],
            score=score,
            reasons=[one.model_dump(mode="json") for one in reasons],
            product=lead.product or signal.product,
        )
        changed = {"evidence": evidence, "score": score}
        product = lead.product or signal.product
        return lead.model_copy(update={**changed, "reasons": reasons, "product": product})

    async def _find(self, *conditions: Any, hold: bool = False) -> list[Lead]:
        statement = select(*_COLUMNS).where(*conditions).order_by(leads.c.id)
        if hold:
            statement = statement.with_for_update()
        return [_lead(row) for row in await self._connection.execute(statement)]

    async def get(self, lead: int) -> Lead | None:
        """Return a lead by its number."""
        found = await self._find(leads.c.id == lead)
        return found[0] if found else None

    async def hold(self, lead: int) -> Lead | None:
        """Return a lead that nobody else changes until the transaction ends."""
        found = await self._find(leads.c.id == lead, hold=True)
        return found[0] if found else None

    async def open_of(self, rm: str, *, hold: bool = False) -> list[Lead]:
        """Return the leads that somebody has and has not closed, oldest first."""
        return await self._find(leads.c.rm == rm, leads.c.closed_at.is_(None), hold=hold)

    async def all(self) -> list[Lead]:
        """Return every lead, oldest first."""
        return await self._find()

    async def open_for(self, customer: CustomerId) -> list[Lead]:
        """Return a customer's leads that are not closed, oldest first."""
        rows = await self._connection.execute(_OPEN_FOR, {"customer": customer})
        return [_lead(row) for row in rows]

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
        await change(self._connection, leads, {"id": lead}, values)

    async def card(self, lead: int) -> LeadCard | None:
        """Return a lead's card; None where it has none that can still be changed."""
        found = select(leads.c.card_to, leads.c.card_code, leads.c.card_at).where(
            leads.c.id == lead, leads.c.card_code != ""
        )
        row = (await self._connection.execute(found)).one_or_none()
        return None if row is None else LeadCard(RmId(row.card_to), row.card_code, row.card_at)

    async def card_given(self, lead: int, card: LeadCard | None) -> None:
        """Write whose hands a lead's card is in; None once its code was used."""
        to, code, at = card or ("", "", None)
        await self.change(lead, card_to=to, card_code=code, card_at=at)

    async def answered(self, customer: CustomerId, by: RmId, at: datetime) -> list[int]:
        """Write a person's first word to a customer into the open leads that wait for it.

        What waits for this very person to take it is taken by it. Returns the numbers of the
        customer's open leads that were there by then.
        """
        mine = (
            leads.c.customer == customer,
            leads.c.closed_at.is_(None),
            leads.c.stage != "asking",
            leads.c.opened_at <= at,
        )
        first = leads.c.first_response_at.is_(None)
        untaken = leads.c.stage == "new", leads.c.rm == by
        await self._connection.execute(
            update(leads).where(*mine, first).values(first_response_at=at)
        )
        taken = {"stage": "taken", "taken_at": at, "accept_by": None, "due_at": None}
        await self._connection.execute(update(leads).where(*mine, *untaken).values(**taken))
        rows = await self._connection.execute(select(leads.c.id).where(*mine).order_by(leads.c.id))
        return list(rows.scalars())

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
