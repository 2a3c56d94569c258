"""What waits in one customer's lane of events: looked at, timed and finished together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.events import Event, MessageReceived
from bot.domain.waiting import Queued
from bot.storage.tables import events

_EVENT: TypeAdapter[Any] = TypeAdapter(Event, config=ConfigDict(hide_input_in_errors=True))
_AMONG = events.c.id.in_(bindparam("ids", expanding=True))
_UNFINISHED = (
    select(events.c.id, events.c.lane, events.c.received_at, events.c.attempt, events.c.body)
    .where(
        events.c.lane.in_(bindparam("lanes", expanding=True)),
        events.c.id >= bindparam("since"),
        events.c.due_at.is_not(None),
    )
    .order_by(events.c.id)
)
_TIMED = (
    update(events)
    .where(_AMONG, events.c.state == "ready", events.c.attempt == 0)
    .values(due_at=bindparam("moment", type_=events.c.due_at.type))
)
_DONE = (
    update(events)
    .where(_AMONG, events.c.state == "ready")
    .values(state="done", due_at=None, body={})
)


class Lanes:
    """The events of a lane that are not yet worked on, in their order."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, lane: str, since: int = 0) -> list[Queued]:
        """Return what is unfinished in a lane; the first may be in a worker's hand.

        ``since`` leaves out what is before that event: on PostgreSQL a smaller id may come to
        light after a greater one has been claimed.
        """
        return (await self.all_rows([lane], since)).get(lane, [])

    async def all_rows(self, lanes: Sequence[str], since: int = 0) -> dict[str, list[Queued]]:
        """Return what is unfinished in each of many lanes."""
        found: dict[str, list[Queued]] = {}
        given = {"lanes": list(lanes), "since": since}
        for row in await self._connection.execute(_UNFINISHED, given):
            queued = Queued(
                id=row.id,
                received_at=row.received_at,
                begun=row.attempt > 0,
                event=_readable(row.body),
            )
            found.setdefault(row.lane, []).append(queued)
        return found

    async def time(self, moments: Mapping[int, datetime]) -> None:
        """Set when events that nobody began on fall due."""
        together: dict[datetime, list[int]] = {}
        for event, moment in moments.items():
            together.setdefault(moment, []).append(event)
        for moment, ids in together.items():
            await self._connection.execute(_TIMED, {"ids": ids, "moment": moment})

    async def finish(self, ids: Sequence[int]) -> None:
        """Write that events behind the one in hand were worked on together with it."""
        if ids:
            await self._connection.execute(_DONE, {"ids": list(ids)})

    async def rewrite(self, event: int, message: MessageReceived) -> None:
        """Put what was asked before into a message that waits."""
        await self._connection.execute(
            update(events)
            .where(events.c.id == event, events.c.state == "ready")
            .values(body=message.model_dump(mode="json"))
        )

    async def next_moment(self, now: datetime, until: datetime) -> datetime | None:
        """Return when the next wait for the rest of a question ends, after ``now``."""
        waiting = (
            events.c.state == "ready",
            events.c.attempt == 0,
            events.c.due_at > now,
            events.c.due_at <= until,
        )
        moment: datetime | None = (
            await self._connection.execute(select(func.min(events.c.due_at)).where(*waiting))
        ).scalar_one()
        return moment


def _readable(body: Any) -> Any:
    try:
        return _EVENT.validate_python(body)
    except ValidationError:
        return None
