"""Insert what is new and pass over what is there, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

_CHUNK = 200


async def insert_new(
    connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]
) -> int:
    """Insert rows, passing over any whose unique key exists; return how many were new."""
    new = 0
    for start in range(0, len(rows), _CHUNK):
        chunk = list(rows[start : start + _CHUNK])
        insert: Any = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
        result = await connection.execute(insert(table).values(chunk).on_conflict_do_nothing())
        new += max(0, result.rowcount)
    return new
