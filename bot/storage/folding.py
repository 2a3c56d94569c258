"""Messages that were put together into one: which they were, and those that are opened again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.messages import Outbound
from bot.storage.tables import outbox

_OUTBOUND: TypeAdapter[Any] = TypeAdapter(Outbound)
MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Folded:
    """A message that waits, or that was put together with others."""

    id: int
    key: str
    message: Outbound


class Folding:
    """Rows of the outbox that leave as part of another."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def waiting(self, batch: str, *, limit: int) -> list[Folded]:
        """Return what waits for a member and has not begun to leave, the oldest first."""
        rows = await self._connection.execute(
            select(outbox.c.id, outbox.c.key, outbox.c.body)
            .where(
                outbox.c.batch == batch,
                outbox.c.due_at.is_not(None),
                outbox.c.state == "ready",
            )
            .order_by(outbox.c.id)
            .limit(limit)
        )
        return _read(rows)

    async def fold(self, ids: Sequence[int], ref: str, now: datetime) -> None:
        """Write that messages have become part of another; the caller has them in hand."""
        await self._connection.execute(
            update(outbox)
            .where(outbox.c.id.in_(list(ids)))
            .values(state=MERGED, reason=MERGED, ref=ref, due_at=None, settled_at=now, holder="")
        )

    async def of(self, ref: str) -> list[Folded]:
        """Return what was put together and not opened since, the oldest first."""
        rows = await self._connection.execute(
            select(outbox.c.id, outbox.c.key, outbox.c.body)
            .where(outbox.c.ref == ref, outbox.c.state == MERGED)
            .order_by(outbox.c.id)
        )
        return _read(rows)

    async def open(self, row: int, ref: str, now: datetime) -> bool:
        """Let one of them leave by itself at once; False where it did already."""
        result = await self._connection.execute(
            update(outbox)
            .where(outbox.c.id == row, outbox.c.ref == ref, outbox.c.state == MERGED)
            .values(
                state="ready",
                reason="",
                ref="",
                urgent=True,
                batch="",
                due_at=now,
                settled_at=None,
            )
        )
        return bool(result.rowcount)


def _read(rows: Any) -> list[Folded]:
    """Return rows as messages; one that nobody can read is left to whoever claims it."""
    found = []
    for row in rows:
        try:
            found.append(Folded(row.id, row.key, _OUTBOUND.validate_python(row.body)))
        except ValidationError:
            continue
    return found
