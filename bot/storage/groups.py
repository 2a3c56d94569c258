"""Groups as last seen; rows ↔ domain values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import GroupChatId
from bot.domain.people import GroupChat
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import groups

_LEASE = timedelta(seconds=120)


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
            "version": row.version,
            "weekly_cap": row.weekly_cap,
        }
    )


class GroupRows:
    """The groups in the bank's view of whom it talks to."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def group(self, chat: GroupChatId) -> GroupChat | None:
        """Return a group as last seen."""
        row = (
            await self._connection.execute(select(groups).where(groups.c.id == chat))
        ).one_or_none()
        return None if row is None else _group(row)

    async def owner_of(self, chat: str) -> str:
        """Return a group's owner, "" where it is not known."""
        statement = select(groups.c.owner).where(groups.c.id == chat)
        owner: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return owner or ""

    async def groups(self) -> list[GroupChat]:
        """Return every group that is known."""
        return [
            _group(row)
            for row in await self._connection.execute(select(groups).order_by(groups.c.id))
        ]

    async def groups_owned(self, owner: str, limit: int = 9) -> list[GroupChat]:
        """Return the first groups that somebody owns, by their names."""
        owned = select(groups).where(groups.c.owner == owner, groups.c.dismissed.is_(False))
        rows = await self._connection.execute(owned.order_by(groups.c.name).limit(limit))
        return [_group(row) for row in rows]

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
            "version": group.version,
            "seen_at": now,
        }
        if not await insert_new(self._connection, groups, [row | {"attempt": 0}]):
            await self._connection.execute(
                update(groups)
                .where(groups.c.id == group.id)
                .values(**{k: v for k, v in row.items() if k != "id"})
            )

    async def mark_group(self, chat: GroupChatId, due_at: datetime, *, announced: str = "") -> None:
        """Say that a group is to be read again, at ``due_at`` or before.

        ``announced`` is the version of its members that a change told: WeCom's answer may lag.
        """
        row = {
            "id": chat,
            "name": "",
            "owner": "",
            "tags": [],
            "members": [],
            "announced": announced,
            "seen_at": due_at,
            "due_at": due_at,
            "attempt": 0,
        }
        if await insert_new(self._connection, groups, [row]):
            return
        mine = groups.c.id == chat
        later = or_(groups.c.due_at.is_(None), groups.c.due_at > due_at)
        again = {"due_at": due_at, "attempt": groups.c.attempt + 1}  # who reads it now is too early
        await self._connection.execute(update(groups).where(mine, later).values(**again))
        if announced:
            await self._connection.execute(update(groups).where(mine).values(announced=announced))

    async def claim_groups(
        self, now: datetime, *, limit: int = 20
    ) -> list[tuple[GroupChatId, int]]:
        """Take groups to be read again, each with its fence."""
        statement = work.claim_statement(groups)
        rows = await work.claim(self._connection, statement, now, lease=_LEASE, limit=limit)
        return [(row.id, row.attempt) for row in rows]

    async def announced(self, chat: GroupChatId) -> str:
        """Return the version that a group's last change told, and forget it."""
        mine = groups.c.id == chat
        statement = select(groups.c.announced).where(mine)
        version: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        if version:
            await self._connection.execute(update(groups).where(mine).values(announced=""))
        return version or ""

    async def finish_group(
        self, chat: GroupChatId, attempt: int, due_at: datetime | None = None
    ) -> None:
        """Write that a group was read, or when to try again."""
        await work.finish(self._connection, groups, chat, attempt, due_at=due_at)

    async def unlisted_groups(self, since: datetime) -> list[GroupChatId]:
        """Return living groups that are neither read since a moment nor about to be."""
        rows = await self._connection.execute(
            select(groups.c.id)
            .where(
                groups.c.dismissed.is_(False), groups.c.due_at.is_(None), groups.c.seen_at < since
            )
            .order_by(groups.c.id)
        )
        return [GroupChatId(row.id) for row in rows]
