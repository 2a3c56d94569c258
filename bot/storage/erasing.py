"""Shows what is kept about a customer, and erases it in the caller's one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId
from bot.domain.lead import Need
from bot.storage import tables as t
from bot.storage.desks import Desks
from bot.storage.endings import end_runs
from bot.storage.insert import insert_new
from bot.storage.leads import Leads
from bot.storage.personal import CATALOGUE, Kept, holds

REASON = "customer_erased"
_WAITS_FOR_PEOPLE = (Need.RED_FLAG.value, Need.COMPLAINT.value, Need.LATENT_COMPLAINT.value)
_OPEN_LEAD = {"stage": "closed", "sleeps_until": None, "accept_by": None, "due_at": None}
_FREE_WORDS = frozenset({"why", "words", "text", "note"})


class Erasing:
    """One customer's rows, wherever they lie."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def rows(self, customer: str) -> dict[str, list[dict[str, Any]]]:
        """Return everything that is kept about a customer, by table; tables without are left out.

        Of a group he is in, only the group is told, not who else is.
        """
        found: dict[str, list[dict[str, Any]]] = {}
        for kept in CATALOGUE:
            statement = select(kept.table).where(kept.of(customer, self._on_sqlite))
            rows = await self._connection.execute(statement.order_by(*kept.table.primary_key))
            plain = [dict(row._mapping) for row in rows]
            if kept.table is t.groups:
                plain = [{"id": row["id"], "name": row["name"]} for row in plain]
            if plain:
                found[kept.table.name] = plain
        return found

    async def stands_in_the_way(self, customer: str) -> list[str]:
        """Return the needs that people must end first: danger and complaints."""
        leads = select(t.leads.c.need).where(
            t.leads.c.customer == customer,
            t.leads.c.closed_at.is_(None),
            t.leads.c.need.in_(_WAITS_FOR_PEOPLE),
        )
        tickets = select(t.kf_tickets.c.reason).where(
            t.kf_tickets.c.customer == customer,
            t.kf_tickets.c.given_back_at.is_(None),
            t.kf_tickets.c.reason.in_(_WAITS_FOR_PEOPLE),
        )
        needs = set((await self._connection.execute(leads)).scalars())
        return sorted(needs | set((await self._connection.execute(tickets)).scalars()))

    async def erase(self, customer: str, now: datetime) -> dict[str, int]:
        """End what is under way and erase what was said; return how many rows of each table."""
        before = select(func.coalesce(func.max(t.outbox.c.id), 0))
        newest = (await self._connection.execute(before)).scalar_one()
        await self._drop_events(customer)
        await self._end(customer, now)
        await self._blank_ledger(customer)
        done: dict[str, int] = {"outbox": await self._take_letters(customer, newest)}
        await self._opt_out(customer, now)
        for kept in CATALOGUE:
            if kept.table not in (t.outbox, t.events, t.ledger):
                done[kept.table.name] = await self._erase_rows(kept, customer)
        return {name: count for name, count in done.items() if count}

    async def _erase_rows(self, kept: Kept, customer: str) -> int:
        if kept.act == "keep":
            return 0
        mine = kept.of(customer, self._on_sqlite)
        if kept.act == "delete":
            return (await self._connection.execute(delete(kept.table).where(mine))).rowcount
        values: Mapping[str, Any] = kept.blanks
        if kept.table is t.notices:
            values = {**values, "state": "dropped", "due_at": None, "holder": ""}
        statement = update(kept.table).where(mine).values(**values)
        return (await self._connection.execute(statement)).rowcount

    async def _drop_events(self, customer: str) -> None:
        """Drop what he said and nobody finished; whoever has it in hand finds it gone.

        The rows stay for their keys: the same callback once more is known. News of a group that
        names him among others is still everybody's.
        """
        his = f'"{customer}"'
        waiting = await self._connection.execute(
            select(t.events.c.id, t.events.c.lane, t.events.c.body).where(
                t.events.c.due_at.is_not(None),
                or_(
                    holds(t.events.c.body, his, self._on_sqlite),
                    t.events.c.lane.in_([f"kf:{customer}", f"kf:welcome:{customer}"]),
                    t.events.c.lane == f"customer:{customer}",
                ),
            )
        )
        gone = [row.id for row in waiting if _by_him(row.lane, row.body, customer)]
        if gone:
            values: dict[str, Any] = {"state": "dropped", "due_at": None, "body": {}}
            values |= {"error": "", "holder": ""}
            drop = update(t.events).where(t.events.c.id.in_(gone)).values(**values)
            await self._connection.execute(drop.values(attempt=t.events.c.attempt + 1))

    async def _end(self, customer: str, now: datetime) -> None:
        runs = await self._ids(
            t.enrolments, t.enrolments.c.subject == customer, t.enrolments.c.state == "running"
        )
        if runs:
            await end_runs(self._connection, runs, "exited", REASON, now)
        leads = await self._ids(
            t.leads, t.leads.c.customer == customer, t.leads.c.closed_at.is_(None)
        )
        if leads:
            timers = delete(t.lead_timers).where(t.lead_timers.c.lead.in_(leads))
            await self._connection.execute(timers.where(t.lead_timers.c.done_at.is_(None)))
            open_leads = await Leads(self._connection).open_for(CustomerId(customer))
            closed = update(t.leads).where(t.leads.c.id.in_(leads))
            await self._connection.execute(closed.values(**_OPEN_LEAD, closed_at=now))
            for lead in open_leads:  # whoever had it has room again
                ended_lead = lead.model_copy(update={"stage": "closed", "closed_at": now})
                await Desks(self._connection).shift(lead, ended_lead)
        over = update(t.kf_tickets).where(
            t.kf_tickets.c.customer == customer, t.kf_tickets.c.given_back_at.is_(None)
        )
        ended = {"state": "over", "how": "ended", "given_back_at": now, "due_at": None}
        await self._connection.execute(over.values(**ended))

    async def _take_letters(self, customer: str, newest: int) -> int:
        """Delete what was sent or was to be sent to him or about him, up to the newest.

        What takes tasks out of owners' lists must still leave.
        """
        leads = await self._ids(t.leads, t.leads.c.customer == customer)
        about = [f'"{customer}"', *(f'"lead:{number}:' for number in leads)]
        found = [holds(t.outbox.c.body, words, self._on_sqlite) for words in about]
        found.append(holds(t.outbox.c.facts, about[0], self._on_sqlite))
        rows = await self._connection.execute(
            select(t.outbox.c.id, t.outbox.c.due_at, t.outbox.c.facts).where(
                t.outbox.c.id <= newest, or_(*found)
            )
        )
        gone = [
            row.id
            for row in rows
            if row.due_at is None or dict(row.facts).get("purpose") != "control"
        ]
        if gone:
            await self._connection.execute(delete(t.doubts).where(t.doubts.c.outbox.in_(gone)))
            await self._connection.execute(delete(t.outbox).where(t.outbox.c.id.in_(gone)))
        return len(gone)

    async def _blank_ledger(self, customer: str) -> None:
        """Take free words out of what was recorded about him; who, when and what stay."""
        leads = await self._ids(t.leads, t.leads.c.customer == customer)
        by_ops = t.ledger.c.subject.in_([str(number) for number in leads])
        rows = await self._connection.execute(
            select(t.ledger.c.id, t.ledger.c.kind, t.ledger.c.facts).where(
                or_(t.ledger.c.subject == customer, by_ops & t.ledger.c.kind.startswith("lead_"))
            )
        )
        for row in rows.all():
            free = _FREE_WORDS | ({"reason"} if row.kind.startswith("lead_") else set())
            if free & row.facts.keys():
                facts = {name: "" if name in free else value for name, value in row.facts.items()}
                change = update(t.ledger).where(t.ledger.c.id == row.id).values(facts=facts)
                await self._connection.execute(change)

    async def _opt_out(self, customer: str, now: datetime) -> None:
        """Keep that nothing is to be sold to him, also where he was never a friend."""
        bare = {"id": customer, "managers": [], "tags": [], "facts": {}}
        row = {**bare, "opted_out_at": now, "seen_at": now, "attempt": 0}
        await insert_new(self._connection, t.customers, [row])
        never = t.customers.c.opted_out_at.is_(None)
        refuse = update(t.customers).where(t.customers.c.id == customer, never)
        await self._connection.execute(refuse.values(opted_out_at=now))

    async def _ids(self, table: Any, *conditions: Any) -> Sequence[int]:
        rows = await self._connection.execute(select(table.c.id).where(*conditions))
        return list(rows.scalars())


def _by_him(lane: str, body: Mapping[str, Any], customer: str) -> bool:
    if lane.partition(":")[0] != "group":
        return True
    return customer in (body.get("customer"), body.get("sender"))
