"""Insert what is new and pass over what is there, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

_CHUNK = 200


async def insert_new(
    connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]
) -> int:
    """Insert rows, passing over any whose unique key exists; return how many were new."""
    if not rows:
        return 0
    on_sqlite = connection.dialect.name == "sqlite"
    if on_sqlite or len(rows) == 1:
        result = await connection.execute(_one(table, on_sqlite), list(rows))
        return max(0, result.rowcount)
    new = 0
    for start in range(0, len(rows), _CHUNK):
        chunk = list(rows[start : start + _CHUNK])
        # PostgreSQL counts the new rows only where they come in one statement.
        statement = insert_postgresql(table).values(chunk).on_conflict_do_nothing()
        new += max(0, (await connection.execute(statement)).rowcount)
    return new


async def insert_and_tell(
    connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]], column: Column[Any]
) -> list[Any]:
    """Insert rows as ``insert_new`` does; return the new ones' values of a column."""
    on_sqlite = connection.dialect.name == "sqlite"
    insert: Any = insert_sqlite if on_sqlite else insert_postgresql
    new: list[Any] = []
    for start in range(0, len(rows), _CHUNK):
        chunk = list(rows[start : start + _CHUNK])
        statement = insert(table).values(chunk).on_conflict_do_nothing().returning(column)
        new += (await connection.execute(statement)).scalars().all()
    return new


@lru_cache(maxsize=64)
def _one(table: Table, on_sqlite: bool) -> Any:
    """Build a table's insert of one row once: its compiled form is then found again."""
    insert: Any = insert_sqlite if on_sqlite else insert_postgresql
    return insert(table).on_conflict_do_nothing()
