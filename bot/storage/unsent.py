"""Messages that may still be taken back, and those that WeCom gives back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import Terms
from bot.storage.tables import outbox


@dataclass(frozen=True, slots=True)
class Left:
    """A message in the outbox as far as taking it back goes."""

    key: str
    kind: str
    state: str
    terms: Terms


_IN_LANES = (
    select(outbox.c.lane, outbox.c.key, outbox.c.body, outbox.c.state, outbox.c.facts)
    .where(outbox.c.lane.in_(bindparam("lanes", expanding=True)), outbox.c.due_at.is_not(None))
    .order_by(outbox.c.id)
)


class Unsent:
    """What stands in the outbox and may be taken back."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def in_lanes(self, lanes: Sequence[str]) -> dict[str, list[Left]]:
        """Return what has not left yet, lane by lane and in order: ready, or half sent."""
        found: dict[str, list[Left]] = {}
        for row in await self._connection.execute(_IN_LANES, {"lanes": list(lanes)}):
            found.setdefault(row.lane, []).append(_left(row))
        return found

    async def any_left(self, keys: Iterable[str]) -> bool:
        """Tell whether any of these messages has left, or may have."""
        gone = ("sending", "sent", "unknown")
        statement = select(outbox.c.id).where(
            outbox.c.key.in_(list(keys)), outbox.c.state.in_(gone)
        )
        return (await self._connection.execute(statement.limit(1))).first() is not None

    async def take_back(self, keys: Iterable[str], reason: str, now: datetime) -> list[str]:
        """Take back messages that have not begun to leave; return the keys of those."""
        result = await self._connection.execute(
            update(outbox)
            .where(outbox.c.key.in_(list(keys)), outbox.c.state == "ready")
            .values(state="void", reason=reason, due_at=None, settled_at=now)
            .returning(outbox.c.key)
        )
        return [str(key) for key in result.scalars()]

    async def came_back(self, ref: str, reason: str, now: datetime) -> Left | None:
        """Settle a message the other way that WeCom had accepted and could not deliver."""
        row = (
            await self._connection.execute(
                update(outbox)
                .where(outbox.c.ref == ref, outbox.c.state == "sent")
                .values(state="failed", reason=reason, settled_at=now)
                .returning(outbox.c.key, outbox.c.body, outbox.c.state, outbox.c.facts)
            )
        ).first()
        return None if row is None else _left(row)


def _left(row: Any) -> Left:
    return Left(row.key, str(row.body.get("kind", "")), row.state, Terms.model_validate(row.facts))
