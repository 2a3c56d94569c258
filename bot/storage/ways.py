"""The codes we made in WeCom, by their names in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ways import WantedWay
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import contact_ways

_LEASE = timedelta(seconds=120)
PLANNED, MAKING, READY = "planned", "making", "ready"
UNKNOWN, FAILED, ORPHAN = "unknown", "failed", "orphan"


@dataclass(frozen=True, slots=True)
class MadeWay:
    """A code as the file wants it and as far as WeCom has it.

    ``status``: planned, making, ready, unknown (the making was interrupted), failed (WeCom
    refused), orphan (it is in WeCom and no longer in the file).
    """

    id: str
    attempt: int
    wanted: WantedWay
    config_id: str
    link: str
    status: str
    reason: str
    begun_at: datetime | None


class Ways:
    """One row for each kind and name."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[MadeWay]:
        """Return every code."""
        rows = await self._connection.execute(select(contact_ways).order_by(contact_ways.c.id))
        return [_way(row) for row in rows]

    async def want(self, ways: Sequence[WantedWay], now: datetime) -> int:
        """Plan what is new or changed, and mark what is no longer wanted; return how many."""
        known = {row.id: row for row in await self._connection.execute(select(contact_ways))}
        changed = 0
        for way in ways:
            row = known.pop(way_id(way), None)
            if row is None:
                await insert_new(self._connection, contact_ways, [_fresh(way, now)])
            elif row.fingerprint != way.fingerprint() or row.status == ORPHAN:
                status = PLANNED if row.status in (FAILED, ORPHAN) else row.status
                values = _said(way) | {"status": status, "reason": "", "due_at": now}
                await self._change(row.id, values | {"changed_at": now})
            else:
                continue
            changed += 1
        for row in known.values():
            if row.status != ORPHAN:
                await self._change(row.id, {"status": ORPHAN, "due_at": None, "changed_at": now})
                changed += 1
        return changed

    async def claim(self, now: datetime, *, limit: int = 5) -> list[MadeWay]:
        """Take codes to be made, changed or looked at."""
        statement = work.claim_statement(contact_ways)
        rows = await work.claim(self._connection, statement, now, lease=_LEASE, limit=limit)
        return [_way(row) for row in rows]

    async def mark(self, way: MadeWay, now: datetime, **values: Any) -> bool:
        """Change a claimed row that stays in hand."""
        until = now + _LEASE
        return await self.finish(way, now, due_at=until, **values)

    async def finish(
        self, way: MadeWay, now: datetime, *, due_at: datetime | None, **values: Any
    ) -> bool:
        """Write what became of a claimed code and when it is looked at again."""
        return await work.finish(
            self._connection,
            contact_ways,
            way.id,
            way.attempt,
            due_at=due_at,
            changed_at=now,
            **values,
        )

    async def retry(self, name: str, now: datetime) -> int:
        """Let codes of this name be made that were interrupted or refused; return how many."""
        result = await self._connection.execute(
            update(contact_ways)
            .where(contact_ways.c.name == name, contact_ways.c.status.in_((UNKNOWN, FAILED)))
            .values(status=PLANNED, reason="", due_at=now, changed_at=now)
        )
        return int(result.rowcount)

    async def _change(self, way: str, values: dict[str, Any]) -> None:
        # Whoever works on the row just now worked for what was wanted before.
        again = values | {"attempt": contact_ways.c.attempt + 1}
        await self._connection.execute(
            update(contact_ways).where(contact_ways.c.id == way).values(**again)
        )


def way_id(way: WantedWay) -> str:
    """Return a code's own name."""
    return f"{way.kind}:{way.name}"


def _said(way: WantedWay) -> dict[str, Any]:
    return {
        "wanted": way.model_dump(mode="json"),
        "fingerprint": way.fingerprint(),
        "way_state": way.state,
    }


def _fresh(way: WantedWay, now: datetime) -> dict[str, Any]:
    row = {"id": way_id(way), "kind": way.kind, "name": way.name, "status": PLANNED}
    return row | _said(way) | {"changed_at": now, "due_at": now, "attempt": 0}


def _way(row: Row[Any]) -> MadeWay:
    return MadeWay(
        id=row.id,
        attempt=row.attempt,
        wanted=WantedWay.model_validate(row.wanted),
        config_id=row.config_id,
        link=row.link,
        status=row.status,
        reason=row.reason,
        begun_at=row.begun_at,
    )
