"""The one claim statement: ``due_at`` is timer, back-off, lease and crash recovery in one."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    Table,
    Update,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.tables import Moment

MAX_ATTEMPTS = 104  # with the back-off's cap about a day: WeCom may be down for hours
POISON_ATTEMPTS = 8  # for an error of our own, which waiting does not mend


@lru_cache(maxsize=64)
def claim_statement(
    table: Table, state: str = "", in_lanes: bool = False, more: tuple[str, ...] = ()
) -> Update:
    """Build the claim of a table once: building it costs more than running it.

    ``state`` is what claimed rows become; ``in_lanes`` takes only the first unfinished row of a
    lane: order, and one at a time; ``more`` names columns that must equal a parameter.
    """
    conditions: list[ColumnElement[bool]] = [table.c.due_at <= bindparam("now", type_=Moment)]
    if in_lanes:
        other = table.alias("other")
        # PostgreSQL may show a smaller id after a greater one has been claimed.
        before = or_(other.c.id < table.c.id, other.c.state == state)
        conditions.append(
            ~exists().where(
                other.c.lane == table.c.lane,
                other.c.id != table.c.id,
                other.c.due_at.is_not(None),
                before,
            )
        )
    conditions += [table.c[name] == bindparam(f"is_{name}") for name in more]
    picked = (
        select(table.c.id)
        .where(*conditions)
        .order_by(table.c.due_at, table.c.id)
        .limit(bindparam("at_most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    values: dict[str, Any] = {
        "due_at": bindparam("until", type_=Moment),
        "attempt": table.c.attempt + 1,
    }
    if state:
        values["state"] = state
    return (
        update(table).where(table.c.id.in_(select(picked.c.id))).values(**values).returning(table)
    )


async def claim(
    connection: AsyncConnection,
    statement: Update,
    now: datetime,
    *,
    lease: timedelta,
    limit: int,
    **equal: Any,
) -> list[Row[Any]]:
    """Take up to ``limit`` due rows for as long as the lease, in the order of their ids."""
    values = {"now": now, "until": now + lease, "at_most": limit}
    values |= {f"is_{name}": value for name, value in equal.items()}
    rows = (await connection.execute(statement, values)).all()
    return sorted(rows, key=lambda row: row.id)


async def finish(
    connection: AsyncConnection,
    table: Table,
    row_id: int | str,
    mine: int | None,
    *,
    due_at: datetime | None = None,
    **values: Any,
) -> bool:
    """Write a claimed row's end, or its next due moment; ``mine`` is the attempt of the claim.

    Nothing changes, and False comes back, if another worker holds the row by now.
    """
    condition = [table.c.id == row_id]
    if mine is not None:
        condition.append(table.c.attempt == mine)
    result = await connection.execute(
        update(table).where(*condition).values(due_at=due_at, **values)
    )
    return bool(result.rowcount)


@lru_cache(maxsize=16)
def due_statement(tables: tuple[Table, ...]) -> Select[Any]:
    """Ask for the next due moment of several tables at once, a column for each."""
    return select(
        *(select(func.min(table.c.due_at)).scalar_subquery().label(table.name) for table in tables)
    )


def backoff(attempt: int, *, base: float = 2.0, cap: float = 900.0) -> timedelta:
    """Return how long to wait before the next try: 2 s, 4 s, 8 s … at most a quarter hour."""
    return timedelta(seconds=min(cap, base * 2.0 ** max(0, attempt - 1)))
