"""Which manager knows which customer, as events told it or lists have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId, RmId
from bot.domain.people import Follow
from bot.storage.insert import insert_new
from bot.storage.tables import follows


@dataclass(frozen=True, slots=True)
class Difference:
    """What a fresh reading of a customer's managers changed."""

    new: tuple[Follow, ...] = ()
    gone: tuple[RmId, ...] = ()


def _follow(row: Row[Any]) -> Follow:
    return Follow(
        manager=row.manager,
        since=row.since,
        state=row.state,
        tags=frozenset(row.tags),
        lost=row.lost_at is not None,
    )


class Follows:
    """One row for each pair; ``read_at`` is when WeCom was asked, and an older word never wins.

    A customer who deleted the manager stays in the manager's own list (``lost``) until one of the
    two adds the other again.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, customers: Sequence[str]) -> dict[str, list[Follow]]:
        """Return the relations of these customers."""
        found: dict[str, list[Follow]] = {}
        statement = select(follows).where(follows.c.customer.in_(list(customers)))
        for row in await self._connection.execute(statement):
            found.setdefault(row.customer, []).append(_follow(row))
        return found

    async def add(self, customer: CustomerId, follow: Follow, at: datetime) -> bool:
        """Remember that a manager and a customer became friends; False where they were."""
        statement = select(follows).where(
            follows.c.customer == customer, follows.c.manager == follow.manager
        )
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            await insert_new(self._connection, follows, [_row(customer, follow, at)])
            return True
        values: dict[str, Any] = {"seen_at": at, "lost_at": None}
        if row.lost_at is not None:
            values["since"] = follow.since
        if follow.state:
            values["state"] = follow.state
        await self._update(follow.manager, [customer], values)
        return row.lost_at is not None

    async def put_page(
        self, manager: RmId, page: Mapping[CustomerId, Follow], read_at: datetime
    ) -> list[CustomerId]:
        """Remember one manager's relations; return the customers who are new to them."""
        statement = select(follows).where(
            follows.c.manager == manager, follows.c.customer.in_(list(page))
        )
        known = {CustomerId(row.customer): row for row in await self._connection.execute(statement)}
        fresh = [customer for customer in page if customer not in known]
        rows = [_row(customer, page[customer], read_at) for customer in fresh]
        await insert_new(self._connection, follows, rows)
        older = [customer for customer, row in known.items() if row.seen_at <= read_at]
        for customer in older:
            row, told = known[customer], page[customer]
            again = row.lost_at is not None and told.since > row.lost_at
            if again or _follow(row) != told.model_copy(update={"lost": row.lost_at is not None}):
                values = _row(customer, told, read_at)
                await self._update(
                    manager, [customer], values | {"lost_at": None} if again else values
                )
            if again:
                fresh.append(customer)
        await self._update(manager, older, {"seen_at": read_at})
        return fresh

    async def _update(self, manager: str, customers: Sequence[str], values: dict[str, Any]) -> None:
        await self._connection.execute(
            update(follows)
            .where(follows.c.manager == manager, follows.c.customer.in_(list(customers)))
            .values(**{key: value for key, value in values.items() if key not in _KEYS})
        )

    async def replace(
        self, customer: CustomerId, found: Sequence[Follow], read_at: datetime
    ) -> Difference:
        """Make a customer's relations what WeCom says they all are; return what that changed."""
        statement = select(follows).where(follows.c.customer == customer)
        known = {row.manager: row for row in await self._connection.execute(statement)}
        new = [one for one in found if await self.put_page(one.manager, {customer: one}, read_at)]
        still = {follow.manager for follow in found}
        gone = [
            RmId(manager)
            for manager, row in sorted(known.items())
            if manager not in still and row.seen_at <= read_at
        ]
        # One that was lost before is no news when it leaves the list as well.
        gone = [one for one in gone if await self.remove(customer, one) == "friends"]
        return Difference(new=tuple(new), gone=tuple(gone))

    async def remove(self, customer: CustomerId, manager: RmId) -> Literal["friends", "lost", ""]:
        """Forget a relation; say what it was, "" where there was none."""
        result = await self._connection.execute(
            delete(follows)
            .where(follows.c.customer == customer, follows.c.manager == manager)
            .returning(follows.c.lost_at)
        )
        row = result.first()
        if row is None:
            return ""
        return "friends" if row.lost_at is None else "lost"

    async def lose(self, customer: CustomerId, manager: RmId, at: datetime) -> bool:
        """Note that a customer deleted a manager; False where they were no friends."""
        result = await self._connection.execute(
            update(follows)
            .where(
                follows.c.customer == customer,
                follows.c.manager == manager,
                follows.c.lost_at.is_(None),
            )
            .values(lost_at=at, seen_at=at)
        )
        return bool(result.rowcount)

    async def tagged(
        self, customer: CustomerId, manager: RmId, add: Iterable[str], remove: Iterable[str]
    ) -> None:
        """Note that WeCom took a change of the tags that a manager's customer bears."""
        mine = follows.c.customer == customer, follows.c.manager == manager
        statement = select(follows.c.tags).where(*mine)
        tags: list[str] | None = (await self._connection.execute(statement)).scalar_one_or_none()
        if tags is not None:
            after = sorted(({*tags} | {*add}) - {*remove})
            await self._connection.execute(update(follows).where(*mine).values(tags=after))

    async def unseen(self, manager: RmId, since: datetime) -> list[CustomerId]:
        """Return a manager's customers whom no reading has shown since a moment."""
        statement = select(follows.c.customer).where(
            follows.c.manager == manager, follows.c.seen_at < since
        )
        rows = await self._connection.execute(statement.order_by(follows.c.customer))
        return [CustomerId(row.customer) for row in rows]

    async def of_manager(self, manager: RmId) -> list[CustomerId]:
        """Return a manager's customers."""
        statement = select(follows.c.customer).where(
            follows.c.manager == manager, follows.c.lost_at.is_(None)
        )
        rows = await self._connection.execute(statement.order_by(follows.c.customer))
        return [CustomerId(row.customer) for row in rows]

    async def counts(self) -> dict[str, int]:
        """Return how many customers each manager has."""
        alive = select(follows.c.manager, func.count()).where(follows.c.lost_at.is_(None))
        statement = alive.group_by(follows.c.manager)
        return {row[0]: row[1] for row in await self._connection.execute(statement)}


_KEYS = frozenset({"customer", "manager"})


def _row(customer: str, follow: Follow, read_at: datetime) -> dict[str, Any]:
    return {
        "customer": customer,
        "manager": follow.manager,
        "since": follow.since,
        "state": follow.state,
        "tags": sorted(follow.tags),
        "seen_at": read_at,
    }
