"""Customers and groups as last seen; rows ↔ domain values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId, GroupChatId
from bot.domain.people import Customer, GroupChat
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import customers, groups


def _customer(row: Row[Any]) -> Customer:
    return Customer(
        id=row.id,
        name=row.name,
        managers=tuple(row.managers),
        tags=frozenset(row.tags),
        opted_out_at=row.opted_out_at,
        marketing_paused_until=row.marketing_paused_until,
    )


def _group(row: Row[Any]) -> GroupChat:
    return GroupChat.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "owner": row.owner,
            "branch": row.branch or None,
            "tags": row.tags,
            "members": row.members,
            "dismissed": row.dismissed,
        }
    )


class People:
    """The bank's view of whom it talks to."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def customer(self, customer: CustomerId) -> Customer | None:
        """Return a customer as last seen."""
        row = (
            await self._connection.execute(select(customers).where(customers.c.id == customer))
        ).one_or_none()
        return None if row is None else _customer(row)

    async def seen_at(self, customer: CustomerId) -> datetime | None:
        """Return when WeCom was last asked who a customer is."""
        statement = select(customers.c.seen_at).where(customers.c.id == customer)
        moment: datetime | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return moment

    async def put_customer(self, customer: Customer, now: datetime) -> None:
        """Remember what WeCom says of a customer; consent is kept as we know it."""
        row = {
            "id": customer.id,
            "name": customer.name,
            "managers": list(customer.managers),
            "tags": sorted(customer.tags),
            "seen_at": now,
        }
        if not await insert_new(self._connection, customers, [row]):
            await self._change(customer.id, {k: v for k, v in row.items() if k != "id"})

    async def tag(self, customer: CustomerId, tags: Iterable[str]) -> None:
        """Add tags to a customer."""
        known = await self.customer(customer)
        if known is not None:
            await self._change(customer, {"tags": sorted(known.tags | set(tags))})

    async def opt_out(self, customer: CustomerId, at: datetime | None) -> None:
        """Record that a customer refuses marketing; None takes it back."""
        await self._change(customer, {"opted_out_at": at})

    async def pause_marketing(self, customer: CustomerId, until: datetime) -> None:
        """Keep marketing away from a customer until then."""
        await self._change(customer, {"marketing_paused_until": until})

    async def _change(self, customer: CustomerId, values: dict[str, Any]) -> None:
        await self._connection.execute(
            update(customers).where(customers.c.id == customer).values(**values)
        )

    async def group(self, chat: GroupChatId) -> GroupChat | None:
        """Return a group as last seen."""
        row = (
            await self._connection.execute(select(groups).where(groups.c.id == chat))
        ).one_or_none()
        return None if row is None else _group(row)

    async def groups(self) -> list[GroupChat]:
        """Return every group that is known."""
        return [
            _group(row)
            for row in await self._connection.execute(select(groups).order_by(groups.c.id))
        ]

    async def put_group(self, group: GroupChat, now: datetime) -> None:
        """Remember a group."""
        row = {
            "id": group.id,
            "name": group.name,
            "owner": group.owner,
            "branch": group.branch or "",
            "tags": sorted(group.tags),
            "members": [member.model_dump(mode="json") for member in group.members],
            "dismissed": group.dismissed,
            "seen_at": now,
        }
        if not await insert_new(self._connection, groups, [row | {"attempt": 0}]):
            await self._connection.execute(
                update(groups)
                .where(groups.c.id == group.id)
                .values(**{k: v for k, v in row.items() if k != "id"})
            )

    async def mark_group(self, chat: GroupChatId, now: datetime) -> None:
        """Say that a group's members are to be read again."""
        row = {
            "id": chat,
            "name": "",
            "owner": "",
            "tags": [],
            "members": [],
            "seen_at": now,
            "due_at": now,
            "attempt": 0,
        }
        if not await insert_new(self._connection, groups, [row]):
            await self._connection.execute(
                update(groups).where(groups.c.id == chat).values(due_at=now)
            )

    async def claim_groups(
        self, now: datetime, *, limit: int = 20
    ) -> list[tuple[GroupChatId, int]]:
        """Take groups to be read again, each with its fence."""
        statement = work.claim_statement(groups)
        rows = await work.claim(
            self._connection, statement, now, lease=timedelta(seconds=120), limit=limit
        )
        return [(row.id, row.attempt) for row in rows]

    async def finish_group(
        self, chat: GroupChatId, attempt: int, due_at: datetime | None = None
    ) -> None:
        """Write that a group was read, or when to try again."""
        await work.finish(self._connection, groups, chat, attempt, due_at=due_at)
