"""Rate limits as rows, held in one order by whoever sends: so nobody waits in a ring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.pace import Bucket, Pace
from bot.storage.insert import insert_new
from bot.storage.tables import buckets

_ONE = Pace(burst=1, per_second=1)  # a row that is held, never counted


class Buckets:
    """Buckets by name, locked until the transaction ends."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def hold(
        self, paces: Mapping[str, Pace], now: datetime, *, also: Iterable[str] = ()
    ) -> dict[str, Bucket]:
        """Lock buckets, new ones full, and return them filled up to now.

        ``also`` are names locked beside them, such as a group whose messages are counted: the
        rows that one transaction needs are taken in one go, always in the order of their names.
        """
        wanted = dict.fromkeys(also, _ONE) | dict(paces)
        names = sorted(wanted)
        if not names:
            return {}
        await self._make(wanted, names, now)
        rows = await self._connection.execute(_HELD, {"names": names})
        held = {row.name: _bucket(row, wanted[row.name]) for row in rows if row.name in paces}
        for bucket in held.values():
            bucket.fill(now)
        return held

    async def _make(self, paces: Mapping[str, Pace], names: Sequence[str], now: datetime) -> None:
        """Make the rows that are missing, in the order in which all are locked."""
        there = set((await self._connection.execute(_THERE, {"names": names})).scalars())
        missing = [name for name in names if name not in there]
        await insert_new(
            self._connection,
            buckets,
            [{"name": name, "tokens": paces[name].burst, "filled_at": now} for name in missing],
        )

    async def save(self, held: Iterable[Bucket]) -> None:
        """Write what was taken."""
        rows = [
            {
                "is_name": bucket.name,
                "to_tokens": bucket.tokens,
                "to_filled": bucket.filled_at,
                "to_blocked": bucket.blocked_until,
                "to_queued": bucket.queued_until,
                "to_strikes": bucket.strikes,
            }
            for bucket in held
        ]
        if rows:
            await self._connection.execute(_SAVE, rows)


_AMONG = buckets.c.name.in_(bindparam("names", expanding=True))
_THERE = select(buckets.c.name).where(_AMONG)
_HELD = select(buckets).where(_AMONG).order_by(buckets.c.name).with_for_update()
_SAVE = (
    update(buckets)
    .where(buckets.c.name == bindparam("is_name"))
    .values(
        tokens=bindparam("to_tokens"),
        filled_at=bindparam("to_filled"),
        blocked_until=bindparam("to_blocked"),
        queued_until=bindparam("to_queued"),
        strikes=bindparam("to_strikes"),
    )
)


def _bucket(row: Row[Any], pace: Pace) -> Bucket:
    return Bucket(
        row.name,
        pace,
        row.tokens,
        row.filled_at,
        row.blocked_until,
        row.queued_until,
        row.strikes,
    )
