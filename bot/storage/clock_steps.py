"""What is to be done at once has to wait for nothing once the machine's clock was put back."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.tables import events, notices, outbox

_LONGEST_PAUSE = timedelta(minutes=16)  # above the longest back-off between two tries
_AT_ONCE = timedelta(seconds=1)


async def pull_back(connection: AsyncConnection, now: datetime) -> int:
    """Make due what came in, or was tried, at a moment that has not come any more; count it.

    A message with an hour of its own keeps it; so does whatever somebody has in hand.
    """
    pulled, soon = 0, now + _AT_ONCE  # several hosts' clocks differ by less
    for table in (notices, events):
        too_late = or_(table.c.received_at > soon, table.c.due_at > now + _LONGEST_PAUSE)
        result = await connection.execute(
            update(table)
            .where(table.c.due_at > now, table.c.holder == "", too_late)
            .values(due_at=now)
        )
        pulled += int(result.rowcount)
    fresh = and_(outbox.c.created_at > soon, outbox.c.due_at <= outbox.c.created_at)
    waited_for = and_(outbox.c.channel == "kf", outbox.c.due_at > now + _LONGEST_PAUSE)
    result = await connection.execute(
        update(outbox)
        .where(outbox.c.due_at > now, outbox.c.holder == "", or_(fresh, waited_for))
        .values(due_at=now)
    )
    return pulled + int(result.rowcount)


def was_put_back(seen_at: datetime, now: datetime) -> bool:
    """Tell whether a clock that showed ``seen_at`` before shows an earlier moment now."""
    return now < seen_at - _AT_ONCE
