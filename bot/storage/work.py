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
    String,
    Table,
    Update,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.prepared import change
from bot.storage.tables import Moment

HOLDER = "zhilin.holder"  # under this name a connection's info says whose it is
MAX_ATTEMPTS = 104  # with the back-off's cap about a day: WeCom may be down for hours
POISON_ATTEMPTS = 8  # for an error of our own, which waiting does not mend


@lru_cache(maxsize=64)
def claim_statement(
    table: Table,
    state: str = "",
    in_lanes: bool = False,
    more: tuple[str, ...] = (),
    past_waiting: bool = False,
    without: tuple[str, ...] = (),
) -> Update:
    """Build the claim of a table once: building it costs more than running it.

    ``state`` is what claimed rows become; ``in_lanes`` takes only the first unfinished row of a
    lane: order, and one at a time (the lane ``""`` is none); ``more`` names columns that must
    equal a parameter. ``past_waiting`` keeps to one at a time but lets a row overtake others of
    its lane that wait. ``without`` leaves out channels that this process cannot send by.
    """
    conditions: list[ColumnElement[bool]] = [table.c.due_at <= bindparam("now", type_=Moment)]
    if in_lanes:
        conditions.append(_is_its_lanes_turn(table, state, past_waiting))
    if without:
        conditions.append(table.c.channel.not_in(without))
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
    if "holder" in table.c:
        values["holder"] = bindparam("claimer", type_=String)
    mine = table.c.id.in_(select(picked.c.id))
    return update(table).where(mine).values(**values).returning(table)


def _is_its_lanes_turn(table: Table, state: str, past_waiting: bool) -> ColumnElement[bool]:
    other = table.alias("other")
    # PostgreSQL may show a smaller id after a greater one has been claimed.
    in_hand = other.c.state == state
    before = or_(other.c.id < table.c.id, in_hand)
    if past_waiting:
        before = and_(in_hand, other.c.holder != "")
    return ~exists().where(
        other.c.lane == table.c.lane,
        table.c.lane != "",
        other.c.id != table.c.id,
        other.c.due_at.is_not(None),
        before,
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
    if "holder" in statement.table.c:
        values["claimer"] = connection.info.get(HOLDER, "")
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
    if "holder" in table.c:
        values["holder"] = ""  # what nobody has in hand is not given back by a process that ends
    by = {"id": row_id} if mine is None else {"id": row_id, "attempt": mine}
    # What is over stays over, even for one who never heard that his commit had come through.
    fenced = mine is not None
    new = {"due_at": due_at, **values}
    return bool(await change(connection, table, by, new, unfinished=fenced))


@lru_cache(maxsize=16)
def due_statement(tables: tuple[Table, ...], later: bool = False) -> Select[Any]:
    """Ask for the next due moment of several tables at once, a column for each.

    ``later`` looks only at what falls due behind the moment given as ``after``.
    """

    def next_of(table: Table) -> Any:
        # SQLite takes the index, which holds work only, where the question says so, too.
        query = select(func.min(table.c.due_at)).where(table.c.due_at.is_not(None))
        if later:
            query = query.where(table.c.due_at > bindparam("after", type_=Moment))
        return query.scalar_subquery().label(table.name)

    return select(*map(next_of, tables))


def backoff(attempt: int, *, base: float = 2.0, cap: float = 900.0) -> timedelta:
    """Return how long to wait before the next try: 2 s, 4 s, 8 s … at most a quarter hour."""
    return timedelta(seconds=min(cap, base * 2.0 ** max(0, attempt - 1)))
