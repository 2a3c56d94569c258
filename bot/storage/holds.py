"""What people paused or drained; a row without an end is in force."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.hold import Scope, Standstill, Verb
from bot.storage.tables import holds, withdrawals

_COLUMNS = tuple(holds.c[name] for name in Standstill.model_fields)
_IN_FORCE = select(*_COLUMNS).where(holds.c.ended_at.is_(None)).order_by(holds.c.id)


class HoldRows:
    """Rows of what stands still, kept for ever: who did it, and who let it go on."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def in_force(self) -> list[Standstill]:
        """Return what stands still now, oldest first; read afresh, so that it counts at once."""
        rows = await self._connection.execute(_IN_FORCE)
        return [Standstill.model_validate(dict(row._mapping)) for row in rows]

    async def any_since(self, moment: datetime) -> bool:
        """Tell whether anything was paused, or a text withdrawn, after a moment."""
        paused = exists().where(holds.c.ended_at.is_(None), holds.c.since > moment)
        gone = exists().where(withdrawals.c.at > moment)
        return bool((await self._connection.execute(select(or_(paused, gone)))).scalar_one())

    async def begin(
        self, verb: Verb, scope: Scope, target: str, by: str, why: str, now: datetime
    ) -> bool:
        """Let something stand still; False where it does so already, which changes nothing."""
        same = (holds.c.verb == verb, holds.c.scope == scope, holds.c.target == target)
        there = select(holds.c.id).where(*same, holds.c.ended_at.is_(None)).with_for_update()
        if (await self._connection.execute(there)).first() is not None:
            return False
        await self._connection.execute(
            insert(holds).values(
                verb=verb, scope=scope, target=target, by=by, why=why[:256], since=now
            )
        )
        return True

    async def end(self, scope: Scope, target: str, by: str, now: datetime) -> list[Verb]:
        """Let it go on; return what is no longer in force."""
        result = await self._connection.execute(
            update(holds)
            .where(holds.c.scope == scope, holds.c.target == target, holds.c.ended_at.is_(None))
            .values(ended_at=now, ended_by=by)
            .returning(holds.c.verb)
        )
        return sorted(result.scalars())
