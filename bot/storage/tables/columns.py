"""What the tables have in common: moments, ids, and the columns that make a row work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    text,
)
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return an aware moment as it is kept."""
    return (moment - _EPOCH) // _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as microseconds since 1970 in UTC: small, and sortable everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a moment into microseconds."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into a moment in UTC."""
        return _moment(value)

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[int | None], datetime | None]:
        """Return what turns microseconds into a moment, with nothing between it and the rows."""
        return _moment


@lru_cache(maxsize=4096)  # the rows of a batch were written, and fall due, at few moments
def _moment(value: int | None) -> datetime | None:
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


def holder_column() -> Column[str]:
    """Return the column that names the process which has a row in hand; empty for nobody."""
    return Column("holder", String(32), nullable=False, server_default="")


def lane_indexes(table: str) -> list[Index]:
    """Return the indexes of work in lanes: its order, and never two rows of a lane in hand."""
    at_work = text("due_at IS NOT NULL")
    running = text("state = 'running' AND lane <> ''")
    return [
        Index(f"ix_{table}_lane", "lane", "id", sqlite_where=at_work, postgresql_where=at_work),
        Index(
            f"ux_{table}_lane_running",
            "lane",
            unique=True,
            sqlite_where=running,
            postgresql_where=running,
        ),
    ]


def due_index(table: str) -> Index:
    """Return the index over the rows that are work; the others cost nothing."""
    return Index(
        f"ix_{table}_due",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    )
