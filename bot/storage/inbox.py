"""What arrived: raw notices, the events read from them, and how far each source was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.events import Arrival, Event, Notice
from bot.storage import work
from bot.storage.insert import insert_new
from bot.storage.tables import cursors, events, notices

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


class Inbox:
    """Notices and events, each unique by WeCom's own identity."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_notices(self, items: Sequence[Notice], now: datetime) -> None:
        """Store callbacks; one that is stored already changes nothing."""
        rows = [
            {
                "key": item.key,
                "channel": item.channel,
                "body": item.body,
                "received_at": now,
                "due_at": now,
                "attempt": 0,
            }
            for item in items
        ]
        await insert_new(self._connection, notices, rows)

    async def claim_notices(
        self, now: datetime, *, limit: int = 20, lease: timedelta = timedelta(seconds=60)
    ) -> list[ClaimedNotice]:
        """Take callbacks that nobody has read yet."""
        statement = work.claim_statement(notices)
        rows = await work.claim(self._connection, statement, now, lease=lease, limit=limit)
        return [
            ClaimedNotice(
                row.id, row.attempt, Notice(key=row.key, channel=row.channel, body=row.body)
            )
            for row in rows
        ]

    async def finish_notice(self, claimed: ClaimedNotice) -> bool:
        """Write that a callback has been read; its words are not kept twice."""
        return await work.finish(self._connection, notices, claimed.id, claimed.attempt, body="")

    async def retry_notice(
        self, claimed: ClaimedNotice, due_at: datetime | None, error: str
    ) -> None:
        """Try again at ``due_at``; None puts the notice among the dead letters."""
        await work.finish(
            self._connection, notices, claimed.id, claimed.attempt, due_at=due_at, error=error
        )

    async def cursor(self, name: str) -> str:
        """Return how far a source was read; empty at the first time."""
        statement = select(cursors.c.value).where(cursors.c.name == name)
        value: str | None = (await self._connection.execute(statement)).scalar_one_or_none()
        return value or ""

    async def move_cursor(self, name: str, old: str, new: str) -> bool:
        """Move a cursor on from where it was read; False where another process moved it."""
        if not old:
            return bool(await insert_new(self._connection, cursors, [{"name": name, "value": new}]))
        result = await self._connection.execute(
            update(cursors).where(cursors.c.name == name, cursors.c.value == old).values(value=new)
        )
        return bool(result.rowcount)

    async def add_events(self, arrivals: Sequence[Arrival], now: datetime) -> None:
        """Store events; one that is stored already changes nothing."""
        rows = [
            {
                "key": arrival.key,
                "lane": arrival.lane,
                "body": _EVENT.dump_python(arrival.event, mode="json"),
                "state": "ready",
                "received_at": now,
                "due_at": now,
                "attempt": 0,
            }
            for arrival in arrivals
        ]
        await insert_new(self._connection, events, rows)

    async def claim_events(
        self, now: datetime, *, limit: int = 20, lease: timedelta = timedelta(seconds=120)
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
