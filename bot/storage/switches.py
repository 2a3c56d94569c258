"""What people switched off: a row is there as long as it is off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.insert import insert_new
from bot.storage.tables import switches

_STOPPED = select(switches.c.name)


@dataclass(frozen=True, slots=True)
class Stop:
    """A plane whose automatic messages are stopped: ``kf`` or ``sop``."""

    name: str
    since: datetime
    by: str


class Switches:
    """Planes of messages that people stopped."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def stops(self) -> list[Stop]:
        """Return what is stopped now, since when and by whom."""
        rows = await self._connection.execute(select(switches).order_by(switches.c.name))
        return [Stop(row.name, row.since, row.by) for row in rows]

    async def stopped(self) -> frozenset[str]:
        """Return the names of what is stopped now."""
        return frozenset((await self._connection.execute(_STOPPED)).scalars())

    async def stop(self, name: str, by: str, now: datetime) -> bool:
        """Stop a plane; False where it is stopped already, which changes nothing."""
        row = {"name": name, "since": now, "by": by}
        return bool(await insert_new(self._connection, switches, [row]))

    async def resume(self, name: str) -> bool:
        """Let a plane go on; False where it was not stopped."""
        result = await self._connection.execute(delete(switches).where(switches.c.name == name))
        return bool(result.rowcount)
