"""Drafts that staff asked for: put by the page's process, worked on by any worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ask import Ask, AskState
from bot.storage import work
from bot.storage.tables import asks

_LEASE = timedelta(seconds=60)  # a language model may take its time


def _ask(row: Row[Any]) -> Ask:
    return Ask.model_validate({name: getattr(row, name) for name in Ask.model_fields})


class Asks:
    """Rows ↔ asks."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, *, by: str, customer: str, chat: str, question: str, now: datetime) -> int:
        """Store an ask and return its number; the caller has masked the question."""
        row = {
            "by": by,
            "customer": customer,
            "chat": chat,
            "question": question,
            "state": "waiting",
            "at": now,
            "due_at": now,
            "attempt": 0,
        }
        result = await self._connection.execute(asks.insert().values(**row).returning(asks.c.id))
        return int(result.scalar_one())

    async def get(self, ask: int) -> Ask | None:
        """Return an ask by its number."""
        row = (await self._connection.execute(select(asks).where(asks.c.id == ask))).one_or_none()
        return None if row is None else _ask(row)

    async def count(self, by: str, since: datetime) -> int:
        """Count what somebody has asked since then."""
        statement = select(func.count()).where(asks.c.by == by, asks.c.at >= since)
        return int((await self._connection.execute(statement)).scalar_one())

    async def claim(self, now: datetime, *, limit: int = 1) -> list[Ask]:
        """Take asks that nobody works on."""
        statement = work.claim_statement(asks)
        rows = await work.claim(self._connection, statement, now, lease=_LEASE, limit=limit)
        return [_ask(row) for row in rows]

    async def settle(
        self, ask: Ask, state: AskState, *, draft: int | None = None, words: str = ""
    ) -> bool:
        """Write what came of a claimed ask; False where another worker has it by now."""
        return await work.finish(
            self._connection, asks, ask.id, ask.attempt, state=state, draft=draft, words=words
        )

    async def again(self, ask: Ask, due_at: datetime) -> None:
        """Try a claimed ask again at a moment."""
        await work.finish(self._connection, asks, ask.id, ask.attempt, due_at=due_at)
