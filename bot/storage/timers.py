"""The limits that run on leads, read and written many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Integer, Row, Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Lead
from bot.domain.sla import Timer, TimerKind
from bot.storage.bulk import among, upsert_rows
from bot.storage.letters import to_json
from bot.storage.tables import Moment, lead_timers, leads

_US = timedelta(microseconds=1)
_OF_A_LEAD = tuple(leads.c[name].label(f"its_{name}") for name in Lead.model_fields)
_KEY = ("lead", "kind", "key")
_VALUES = (
    *("total_us", "left_us", "round_the_clock", "started_at", "due_by"),
    *("level", "state", "done_at", "passed", "due_at", "attempt"),
)


def _timer(row: Row[Any]) -> Timer:
    return Timer(
        id=row.id,
        lead=row.lead,
        kind=row.kind,
        key=row.key,
        total=row.total_us * _US,
        left=row.left_us * _US,
        round_the_clock=row.round_the_clock,
        started_at=row.started_at,
        due_by=row.due_by,
        level=row.level,
        state=row.state,
        done_at=row.done_at,
        passed=tuple(RmId(userid) for userid in row.passed),
    )


def _lead(row: Row[Any]) -> Lead:
    return Lead.model_validate({name: getattr(row, f"its_{name}") for name in Lead.model_fields})


class Over(NamedTuple):
    """A limit that was kept or missed; ``done_at`` is None while what was missed is still due."""

    lead: int
    kind: TimerKind
    missed: bool
    began_at: datetime
    done_at: datetime | None


class Timers:
    """Rows ↔ timers. Whoever changes a timer has held its lead before: one order for all."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._on_sqlite = connection.dialect.name == "sqlite"

    async def write(self, timers: Sequence[tuple[Timer, datetime | None]]) -> None:
        """Store timers as they are now, each with the moment of its next look."""
        rows = [
            (
                timer.total // _US,
                timer.left // _US,
                timer.round_the_clock,
                timer.started_at,
                timer.due_by,
                timer.level,
                timer.state,
                timer.done_at,
                to_json(timer.passed),
                look_at,
                0,
                timer.lead,
                timer.kind,
                timer.key,
            )
            for timer, look_at in timers
        ]
        await upsert_rows(self._connection, lead_timers, _KEY, _VALUES, rows)

    async def of(self, numbers: Sequence[int]) -> list[tuple[Lead, Timer]]:
        """Return the timers of some leads with them, held until the transaction ends."""
        rows = await self._connection.execute(_of(self._on_sqlite), {"among": sorted(numbers)})
        return [(_lead(row), _timer(row)) for row in rows]

    async def due(
        self, now: datetime, *, limit: int = 500, offers: int = 8
    ) -> list[tuple[Lead, Timer]]:
        """Return what is to be looked at, of leads that nobody else has in hand, and hold it.

        Of lapsed offers a few at most: each is several statements, and whoever else writes waits
        meanwhile.
        """
        found: list[Row[Any]] = []
        for statement, at_most in ((_due(offers=False), limit), (_due(offers=True), offers)):
            rows = await self._connection.execute(statement, {"now": now, "at_most": at_most})
            found += rows.all()
        return [(_lead(row), _timer(row)) for row in found]

    async def running(self, after: int, *, limit: int) -> list[tuple[Lead, Timer]]:
        """Return the next timers that run by the calendar, in the order of their numbers."""
        rows = await self._connection.execute(_running(), {"after": after, "at_most": limit})
        return [(_lead(row), _timer(row)) for row in rows]

    async def over(self, numbers: Sequence[int]) -> list[Over]:
        """Return the limits of later answers and of the outcome that were kept or missed."""
        on = lead_timers.c
        rows = await self._connection.execute(
            select(on.lead, on.kind, on.state == "missed", on.started_at, on.done_at).where(
                among(on.lead, self._on_sqlite),
                on.kind.in_(("next", "resolve")),
                on.state.in_(("hit", "missed")),
            ),
            {"among": sorted(numbers)},
        )
        return [Over(row[0], row[1], bool(row[2]), row[3], row[4]) for row in rows]

    async def open_leads(self, customer: CustomerId) -> list[int]:
        """Return the numbers of a customer's leads on which something runs or stands still."""
        rows = await self._connection.execute(
            select(leads.c.id)
            .where(
                leads.c.customer == customer,
                leads.c.closed_at.is_(None),
                leads.c.stage != "asking",
            )
            .order_by(leads.c.id)
        )
        return list(rows.scalars())

    async def forget(self, lead: int, kind: TimerKind) -> None:
        """Look no more at a lead's timers of one kind."""
        await self._connection.execute(
            update(lead_timers)
            .where(lead_timers.c.lead == lead, lead_timers.c.kind == kind)
            .values(due_at=None)
        )


def _joined() -> Select[Any]:
    return select(lead_timers, *_OF_A_LEAD).join(leads, leads.c.id == lead_timers.c.lead)


@lru_cache(maxsize=2)
def _of(on_sqlite: bool) -> Select[Any]:
    statement = _joined().where(among(leads.c.id, on_sqlite))
    return statement.order_by(leads.c.id, lead_timers.c.id).with_for_update(of=leads)


@lru_cache(maxsize=2)
def _due(*, offers: bool) -> Select[Any]:
    statement = _joined().where(lead_timers.c.due_at <= bindparam("now", type_=Moment))
    accept = lead_timers.c.kind == "accept"
    return (
        statement.where(accept if offers else ~accept)
        .order_by(lead_timers.c.due_at, lead_timers.c.id)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(of=leads, skip_locked=True)
    )


@lru_cache(maxsize=1)
def _running() -> Select[Any]:
    statement = _joined().where(
        lead_timers.c.id > bindparam("after", type_=Integer),
        lead_timers.c.due_at.is_not(None),
        lead_timers.c.round_the_clock.is_(False),
    )
    return (
        statement.order_by(lead_timers.c.id)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(of=leads)
    )
