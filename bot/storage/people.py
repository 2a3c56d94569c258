"""Customers and groups as last seen; rows ↔ domain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, case, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId
from bot.domain.people import Customer, UnsentTags, known_by, merged_tags
from bot.domain.registry import TAGGED_CUSTOMER
from bot.domain.subject import Occurrence
from bot.storage import work
from bot.storage.admissions import Admissions
from bot.storage.bulk import among
from bot.storage.follows import Difference, Follows
from bot.storage.groups import GroupRows
from bot.storage.insert import insert_new
from bot.storage.occurrences import Occurrences
from bot.storage.prepared import change
from bot.storage.tables import customers, outbox

_LEASE = timedelta(seconds=120)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # never asked for: that is done when they next write
_ONE = select(customers).where(customers.c.id == bindparam("customer"))
_SEEN_AT = select(customers.c.seen_at).where(customers.c.id == bindparam("customer"))
_WAITING = (
    select(outbox.c.lane, outbox.c.body)
    .where(outbox.c.lane.in_(bindparam("lanes", expanding=True)), outbox.c.due_at.is_not(None))
    .order_by(outbox.c.id)
)


def _customer(row: Row[Any]) -> Customer:
    return Customer(
        id=row.id,
        name=row.name,
        managers=tuple(row.managers),
        tags=frozenset(row.tags),
        opted_out_at=row.opted_out_at,
        marketing_paused_until=row.marketing_paused_until,
        state=row.state,
        weekly_cap=row.weekly_cap,
    )


def _row(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.id,
        "name": customer.name,
        "managers": list(customer.managers),
        "tags": sorted(customer.tags),
        "state": customer.state,
    }


def tag_lane(customer: str) -> str:
    """Return the outbox lane of a customer's tags: changes leave in their order."""
    return f"tags:{customer}"


class People(GroupRows):
    """The bank's view of whom it talks to."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._follows = Follows(connection)

    async def customer(self, customer: CustomerId) -> Customer | None:
        """Return a customer as last seen."""
        row = (await self._connection.execute(_ONE, {"customer": customer})).one_or_none()
        return None if row is None else _customer(row)

    async def named(self, words: str, limit: int) -> list[Customer]:
        """Return customers in whose WeCom name the words stand, by id."""
        statement = select(customers).where(customers.c.name.contains(words, autoescape=True))
        rows = await self._connection.execute(statement.order_by(customers.c.id).limit(limit))
        return [_customer(row) for row in rows]

    async def names(self, ids: Sequence[CustomerId]) -> dict[CustomerId, str]:
        """Return the names of some customers, of those who are known."""
        found = among(customers.c.id, self._connection.dialect.name == "sqlite")
        rows = await self._connection.execute(
            select(customers.c.id, customers.c.name).where(found), {"among": list(ids)}
        )
        return {row.id: row.name for row in rows}

    async def seen_at(self, customer: CustomerId) -> datetime | None:
        """Return when WeCom was last asked who a customer is."""
        rows = await self._connection.execute(_SEEN_AT, {"customer": customer})
        moment: datetime | None = rows.scalar_one_or_none()
        return moment

    async def put_customer(self, customer: Customer, now: datetime) -> None:
        """Remember what WeCom says of a customer; consent is kept as we know it.

        Tags of ours that WeCom has not been told yet are kept. Managers who came or went without
        an event are left to ``learn``: the customer is asked for again.
        """
        if customer.follows is not None:
            related = (await self._follows.of([customer.id])).get(customer.id, [])
            lost = {one.manager for one in related if one.lost}
            if {one.manager for one in customer.follows} != {one.manager for one in related}:
                await self.mark_customers([customer.id], now)
            alive = [one for one in customer.follows if one.manager not in lost]
            customer = known_by(customer, alive)
        waiting = (await self._unsent_tags([customer.id])).get(customer.id, ())
        row = _row(customer) | {"tags": sorted(merged_tags(customer.tags, waiting))}
        fresh = row | {"seen_at": now, "attempt": 0}
        if not await insert_new(self._connection, customers, [fresh]):
            del row["id"]
            await self._change(customer.id, row | {"seen_at": now})

    async def learn(self, customer: Customer, read_at: datetime) -> Difference:
        """Keep all that WeCom said of a customer at ``read_at``; return what that changed."""
        difference = await self._follows.replace(customer.id, customer.follows or (), read_at)
        await self.refresh({customer.id: customer.name}, read_at, asked=True)
        return difference

    async def refresh(
        self, names: Mapping[CustomerId, str], now: datetime, *, asked: bool = False
    ) -> None:
        """Write customers' managers, tags and code anew from their relations.

        ``names`` are the customers, each with the name that was told, "" for none; ``asked``
        where WeCom was asked for them just now.
        """
        ids = list(names)
        known = {c.id: c for c in await self._customers(ids)}
        related = await self._follows.of(ids)
        unsent = await self._unsent_tags(ids)
        fresh = []
        tagged: dict[CustomerId, frozenset[str]] = {}
        for customer, name in names.items():
            before = known.get(customer)
            after = known_by(before or Customer(id=customer), related.get(customer, ()))
            kept = after.tags if related.get(customer) else before.tags if before else frozenset()
            tags = merged_tags(kept, unsent.get(customer, ()))
            after = after.model_copy(
                update={"name": name or after.name, "tags": tags, "follows": None}
            )
            if before is None:
                fresh.append(_row(after) | {"seen_at": now if asked else _LONG_AGO, "attempt": 0})
                tagged[customer] = frozenset()  # tags of before it was known are no news
            elif after != before:
                tagged[customer] = after.tags - before.tags
                await self._change(customer, {k: v for k, v in _row(after).items() if k != "id"})
        await insert_new(self._connection, customers, fresh)
        await self._tell(tagged, now)
        if asked:
            await self._connection.execute(
                update(customers).where(customers.c.id.in_(ids)).values(seen_at=now)
            )

    async def _customers(self, ids: Sequence[str]) -> list[Customer]:
        rows = await self._connection.execute(select(customers).where(customers.c.id.in_(ids)))
        return [_customer(row) for row in rows]

    async def _unsent_tags(self, ids: Sequence[str]) -> dict[str, list[UnsentTags]]:
        """Return the changes of tags that still wait in the outbox, in their order."""
        lanes = {tag_lane(customer): customer for customer in ids}
        rows = await self._connection.execute(_WAITING, {"lanes": list(lanes)})
        found: dict[str, list[UnsentTags]] = {}
        for row in rows:
            change = UnsentTags(
                add=frozenset(row.body.get("add", ())), remove=frozenset(row.body.get("remove", ()))
            )
            found.setdefault(lanes[row.lane], []).append(change)
        return found

    async def mark_customers(self, ids: Sequence[CustomerId], due_at: datetime) -> None:
        """Say that customers are to be asked for again, at ``due_at`` or before."""
        rows = [
            _row(Customer(id=customer)) | {"seen_at": _LONG_AGO, "due_at": due_at, "attempt": 0}
            for customer in ids
        ]
        await insert_new(self._connection, customers, rows)
        later = or_(customers.c.due_at.is_(None), customers.c.due_at > due_at)
        again = {"due_at": due_at, "attempt": customers.c.attempt + 1}  # fences who asks just now
        await self._connection.execute(
            update(customers).where(customers.c.id.in_(list(ids)), later).values(**again)
        )

    async def claim_customers(
        self, now: datetime, *, limit: int = 5
    ) -> list[tuple[CustomerId, int]]:
        """Take customers to be asked for again, each with its fence."""
        statement = work.claim_statement(customers)
        rows = await work.claim(self._connection, statement, now, lease=_LEASE, limit=limit)
        return [(CustomerId(row.id), row.attempt) for row in rows]

    async def finish_customer(
        self, customer: CustomerId, attempt: int, due_at: datetime | None = None
    ) -> bool:
        """Write that a customer was asked for, or when to try again."""
        return await work.finish(self._connection, customers, customer, attempt, due_at=due_at)

    async def tag(
        self,
        customer: CustomerId,
        add: Iterable[str],
        remove: Iterable[str] = (),
        now: datetime | None = None,
    ) -> None:
        """Add tags to a customer and take others off; at ``now`` scripts are asked about that."""
        known = await self.customer(customer)
        if known is None:
            return
        tags = (known.tags | {*add}) - {*remove}
        await self._change(customer, {"tags": sorted(tags)})
        if now is not None and tags != known.tags:
            await self._tell({customer: tags - known.tags}, now)

    async def _tell(self, tagged: Mapping[CustomerId, frozenset[str]], now: datetime) -> None:
        """Have scripts asked about customers who changed, with the tags that they got."""
        put_on = [
            Occurrence(
                key=f"tagged:{customer}:{tag}:{now.isoformat()}",
                subject=customer,
                kind=TAGGED_CUSTOMER,
                at=now,
                facts={"tag": tag},
            )
            for customer, tags in tagged.items()
            for tag in sorted(tags)
        ]
        await Occurrences(self._connection).add(put_on, now)
        await Admissions(self._connection).ask(tagged, "customer", now)

    async def opt_out(self, customer: CustomerId, at: datetime | None) -> None:
        """Record that a customer refuses marketing; None takes it back."""
        await self._change(customer, {"opted_out_at": at})

    async def pause_marketing(self, customer: CustomerId, until: datetime | None) -> None:
        """Keep marketing away from a customer until then, or longer if it was so; None lifts it."""
        stands = customers.c.marketing_paused_until
        longer = until and case((stands > until, stands), else_=literal(until, stands.type))
        await self._change(customer, {"marketing_paused_until": longer})

    async def _change(self, customer: CustomerId, values: dict[str, Any]) -> None:
        await change(self._connection, customers, {"id": customer}, values)
