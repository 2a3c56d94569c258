"""Lets what sells reach a customer again once what stood against it is solved (停营销: 直到解决).

A refusal of the customer's own is not touched: only the customer takes it back (S07).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.bank import Bank
from bot.domain.ids import CustomerId
from bot.domain.lead import Need
from bot.domain.lead_rights import BY_OPS
from bot.storage.db import Database
from bot.workers.lead_desk import desk_for


@dataclass(frozen=True)
class Resumed:
    """What was lifted: since when the customer refuses, until when it stood, complaints closed."""

    customer: str
    name: str
    paused_until: datetime | None
    complaints: tuple[int, ...]
    refused_at: datetime | None

    @property
    def changed(self) -> bool:
        """Tell whether there was anything to lift."""
        return self.paused_until is not None or bool(self.complaints)


async def resume_marketing(
    database: Database, bank: Bank, customer: str, now: datetime, *, by: str, why: str
) -> Resumed | None:
    """Close a customer's complaints as solved and end the stop; None where nobody knows them."""
    async with database.begin() as tx:
        known = await tx.people.customer(CustomerId(customer))
        if known is None:
            return None
        open_leads = await tx.leads.open_for(known.id)
        complaints = [lead for lead in open_leads if lead.need is Need.COMPLAINT]
        paused = known.marketing_paused_until
        standing = paused if paused is not None and paused > now else None
        done = Resumed(
            customer=customer,
            name=known.name,
            paused_until=standing,
            complaints=tuple(lead.id for lead in complaints),
            refused_at=known.opted_out_at,
        )
        if not done.changed:
            return done
        desk = desk_for(bank)
        for lead in complaints:
            await desk.finish(tx, lead.id, "closed", "solved", BY_OPS, now)
            await tx.ledger.add("complaint_solved", customer, now, lead=lead.id, by=by, why=why)
        await tx.people.pause_marketing(known.id, None)
        if known.opted_out_at is None:
            await tx.stops.sell_again(customer)
        await tx.admissions.ask([customer], "customer", now)
        await tx.ledger.add("marketing_resumed", customer, now, by=by, why=why)
    return done
