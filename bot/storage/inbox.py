"""What arrived: raw notices, the events read from them, and how far each source was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from sqlalchemy import Integer, Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.events import Arrival, Event, Notice
from bot.storage import work
from bot.storage.insert import insert_and_tell, insert_new
from bot.storage.notice_rows import insert_notices
from bot.storage.prepared import change
from bot.storage.tables import cursors, events, notices

EVENT_LEASE = timedelta(seconds=120)  # renewed while a slow model or a download takes longer
_EVENT: TypeAdapter[Any] = TypeAdapter(Event, config=ConfigDict(hide_input_in_errors=True))


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """A notice that this worker holds."""

    id: int
    attempt: int
    notice: Notice


@dataclass(frozen=True, slots=True)
class ClaimedEvent:
    """An event that this worker holds."""

    id: int
    attempt: int
    key: str
    lane: str
    event: Event


def _notice(row: Row[Any]) -> Notice:
    return Notice(key=row.key, channel=row.channel, body=row.body, lane=row.lane)


_WAITING = (
    select(notices)
    .where(
        notices.c.lane == bindparam("lane"),
        notices.c.due_at.is_not(None),
        notices.c.state == "ready",
    )
    .order_by(notices.c.id)
    .limit(bindparam("at_most", type_=Integer))
)
_CURSOR = select(cursors.c.value).where(cursors.c.name == bindparam("name"))


class Inbox:
    """Notices and events, each unique by WeCom's own identity."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_notices(self, items: Sequence[Notice], now: datetime) -> int:
        """Store callbacks, passing over those that are stored already; return how many are new."""
        on_sqlite = self._connection.dialect.name == "sqlite"
        statement, values = insert_notices(items, now, on_sqlite)
        return max(0, (await self._connection.exec_driver_sql(statement, values)).rowcount)

    async def claim_notices(
        self, now: datetime, *, limit: int = 20, lease: timedelta = timedelta(seconds=60)
    ) -> list[ClaimedNotice]:
        """Take callbacks that nobody has read yet: the first of each lane, any without a lane."""
        statement = work.claim_statement(notices, state="running", in_lanes=True)
        rows = await work.claim(self._connection, statement, now, lease=lease, limit=limit)
        return [ClaimedNotice(row.id, row.attempt, _notice(row)) for row in rows]

    async def waiting(self, lane: str, at_most: int = 500) -> list[tuple[int, Notice]]:
        """Return a lane's callbacks that nobody has in hand, oldest first."""
        rows = await self._connection.execute(_WAITING, {"lane": lane, "at_most": at_most})
        return [(row.id, _notice(row)) for row in rows]

    async def keep_notice(self, claimed: ClaimedNotice, until: datetime) -> bool:
        """Hold on to a callback whose reading takes long; False if the lease was lost."""
        result = await self._connection.execute(
            update(notices)
            .where(notices.c.id == claimed.id, notices.c.attempt == claimed.attempt)
            .values(due_at=until)
        )
        return bool(result.rowcount)

    async def finish_notice(self, claimed: ClaimedNotice) -> bool:
        """Write that a callback has been read; its words are not kept twice."""
        return await work.finish(
            self._connection, notices, claimed.id, claimed.attempt, state="done", body=""
        )

    async def finish_waiting(self, ids: Sequence[int]) -> None:
        """Write that callbacks which nobody had in hand have been read along with another."""
        await self._connection.execute(
            update(notices)
            .where(notices.c.id.in_(list(ids)), notices.c.state == "ready")
            .values(state="done", due_at=None, body="")
        )

    async def retry_notice(
        self, claimed: ClaimedNotice, due_at: datetime | None, error: str
    ) -> None:
        """Try again at ``due_at``; None puts the notice among the dead letters."""
        await work.finish(
            self._connection,
            notices,
            claimed.id,
            claimed.attempt,
            due_at=due_at,
            state="ready" if due_at else "dead",
            error=error,
        )

    async def cursor(self, name: str) -> str:
        """Return how far a source was read; empty at the first time."""
        rows = await self._connection.execute(_CURSOR, {"name": name})
        value: str | None = rows.scalar_one_or_none()
        return value or ""

    async def sources(self) -> list[str]:
        """Name whatever was ever read by a cursor."""
        statement = select(cursors.c.name).order_by(cursors.c.name)
        return list((await self._connection.execute(statement)).scalars())

    async def move_cursor(self, name: str, old: str, new: str) -> bool:
        """Move a cursor on from where it was read; False where another process moved it."""
        if not old:
            return bool(await insert_new(self._connection, cursors, [{"name": name, "value": new}]))
        was, becomes = {"name": name, "value": old}, {"value": new}
        return bool(await change(self._connection, cursors, was, becomes))

    async def add_events(self, arrivals: Sequence[Arrival], now: datetime) -> frozenset[str]:
        """Store events, passing over those that are stored already; return the keys of the new."""
        rows = [
            {
                "key": arrival.key,
                "lane": arrival.lane,
                "body": {} if arrival.past else _EVENT.dump_python(arrival.event, mode="json"),
                "state": "done" if arrival.past else "ready",
                "received_at": now,
                "due_at": None if arrival.past else now,
                "attempt": 0,
            }
            for arrival in arrivals
        ]
        return frozenset(await insert_and_tell(self._connection, events, rows, events.c.key))

    async def claim_events(
        self, now: datetime, *, limit: int = 20, lease: timedelta = EVENT_LEASE
    ) -> list[ClaimedEvent]:
        """Take the first unfinished event of each lane."""
        statement = work.claim_statement(events, state="running", in_lanes=True)
        rows = await work.claim(self._connection, statement, now, lease=lease, limit=limit)
        claimed = []
        for row in rows:
            try:
                event = _EVENT.validate_python(row.body)
            except ValidationError as error:  # one row that nobody can read stops only itself
                await self._bury(row.id, row.attempt, str(error))
                continue
            claimed.append(ClaimedEvent(row.id, row.attempt, row.key, row.lane, event))
        return claimed

    async def _bury(self, event: int, attempt: int, error: str) -> None:
        await work.finish(self._connection, events, event, attempt, state="dead", error=error)

    async def keep_event(self, claimed: ClaimedEvent, until: datetime) -> bool:
        """Hold on to an event whose work takes long; False if it is over, or another's by now."""
        mine = (events.c.id == claimed.id, events.c.attempt == claimed.attempt)
        result = await self._connection.execute(
            update(events).where(*mine, events.c.state == "running").values(due_at=until)
        )
        return bool(result.rowcount)

    async def finish_event(self, claimed: ClaimedEvent) -> bool:
        """Write that an event has been worked on, and forget the customer's unmasked words.

        False if the lease was lost meanwhile.
        """
        return await work.finish(
            self._connection, events, claimed.id, claimed.attempt, state="done", body={}
        )

    async def retry_event(self, claimed: ClaimedEvent, due_at: datetime | None, error: str) -> None:
        """Try again at ``due_at``; None puts the event among the dead letters."""
        await work.finish(
            self._connection,
            events,
            claimed.id,
            claimed.attempt,
            due_at=due_at,
            state="ready" if due_at else "dead",
            error=error,
        )
