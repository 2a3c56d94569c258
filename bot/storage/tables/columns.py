"""What the tables have in common: moments, ids, and the columns that make a row work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    Integer,
    MetaData,
    text,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as microseconds since 1970 in UTC: small, and sortable everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a moment into microseconds."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into a moment in UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = MetaData()
Id = BigInteger().with_variant(Integer, "sqlite")


def id_column() -> Column[int]:
    """Return a column of numbers that the database gives out."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def work_columns() -> list[Column[Any]]:
    """Return ``due_at`` and ``attempt``: a row whose ``due_at`` is not null is work."""
    return [
        Column("due_at", Moment, nullable=True),
        Column("attempt", Integer, nullable=False, default=0, server_default="0"),
    ]


def due_index(table: str) -> Index:
    """Return the index over the rows that are work; the others cost nothing."""
    return Index(
        f"ix_{table}_due",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    )
