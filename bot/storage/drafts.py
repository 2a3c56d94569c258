"""Drafted group replies and whether their owners used them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.draft import Draft
from bot.storage.insert import insert_new
from bot.storage.tables import drafts


def _draft(row: Row[Any]) -> Draft:
    return Draft.model_validate({name: getattr(row, name) for name in Draft.model_fields})


class Drafts:
    """Rows ↔ drafts."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(
        self,
        *,
        key: str,
        chat: str,
        owner: str,
        asker: str,
        question: str,
        text: str,
        citations: tuple[str, ...],
        now: datetime,
    ) -> Draft | None:
        """Store a draft; None where one of this key exists."""
        row = {
            "key": key,
            "chat": chat,
            "owner": owner,
            "asker": asker,
            "question": question,
            "text": text,
            "citations": list(citations),
            "state": "waiting",
            "at": now,
        }
        if not await insert_new(self._connection, drafts, [row]):
            return None
        statement = select(drafts).where(drafts.c.key == key)
        return _draft((await self._connection.execute(statement)).one())

    async def get(self, draft: int) -> Draft | None:
        """Return a draft by its number."""
        row = (
            await self._connection.execute(select(drafts).where(drafts.c.id == draft))
        ).one_or_none()
        return None if row is None else _draft(row)

    async def waiting(self, chat: str) -> list[Draft]:
        """Return a group's drafts that nobody has used, newest first."""
        rows = await self._connection.execute(
            select(drafts)
            .where(drafts.c.chat == chat, drafts.c.state == "waiting")
            .order_by(drafts.c.id.desc())
            .limit(50)
        )
        return [_draft(row) for row in rows]

    async def was_sent(self, chat: str, asker: str, since: datetime) -> bool:
        """Tell whether an owner has sent a reply that was drafted for this person since then."""
        statement = (
            select(drafts.c.id)
            .where(
                drafts.c.chat == chat,
                drafts.c.asker == asker,
                drafts.c.state == "sent",
                drafts.c.at >= since,
            )
            .limit(1)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def settle(self, draft: int, state: str) -> bool:
        """Write what the owner did; False where it was settled before."""
        result = await self._connection.execute(
            update(drafts)
            .where(drafts.c.id == draft, drafts.c.state == "waiting")
            .values(state=state)
        )
        return bool(result.rowcount)

    async def counts(self) -> dict[str, int]:
        """Count drafts by state."""
        rows = await self._connection.execute(
            select(drafts.c.state, func.count()).group_by(drafts.c.state)
        )
        return {row[0]: row[1] for row in rows}
