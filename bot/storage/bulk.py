"""Many rows in one statement, on both databases: the way of writing for whoever works in batches.

SQLAlchemy prepares every value of every row by itself, which for a thousand rows takes longer
than the database does; here a column is prepared at a time. SQLite then runs its statement once
for each row without leaving its thread, PostgreSQL gets each column as one array.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Dialect, Integer, Table, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.expression import bindparam, func

from bot.storage.tables.columns import Moment

_MOMENT = Moment()

Row = tuple[Any, ...]


async def insert_rows(
    connection: AsyncConnection, table: Table, columns: tuple[str, ...], rows: Sequence[Row]
) -> int:
    """Insert rows, passing over any whose unique key exists; return how many were new.

    Values are the domain's (moments, days, numbers, words); a JSON column takes JSON text.
    """
    on_sqlite = connection.dialect.name == "sqlite"
    return await _run(
        connection, _insert(table, columns, on_sqlite), table, columns, rows, on_sqlite
    )


async def update_rows(
    connection: AsyncConnection,
    table: Table,
    by: tuple[str, ...],
    columns: tuple[str, ...],
    rows: Sequence[Row],
) -> int:
    """Change rows, each found by its own values of ``by``; return how many were found.

    A row of ``rows`` holds the new values of ``columns`` and then its values of ``by``: a column
    in ``by`` besides the key is a fence, and a row that no longer stands so is left alone.
    """
    on_sqlite = connection.dialect.name == "sqlite"
    statement = _update(table, by, columns, on_sqlite)
    return await _run(connection, statement, table, columns + by, rows, on_sqlite)


async def upsert_rows(
    connection: AsyncConnection,
    table: Table,
    by: tuple[str, ...],
    columns: tuple[str, ...],
    rows: Sequence[Row],
    unless_alike: tuple[str, ...] = (),
) -> int:
    """Insert rows, or write ``columns`` over the row that has the unique key ``by``.

    A row holds the values of ``columns`` and then those of ``by``, each key once. One that is
    there already with the same values of ``unless_alike``, and is no work, is left as it is.
    """
    on_sqlite = connection.dialect.name == "sqlite"
    statement = _upsert(table, by, columns, on_sqlite, unless_alike)
    return await _run(connection, statement, table, columns + by, rows, on_sqlite)


def among(column: ColumnElement[Any], on_sqlite: bool) -> ColumnElement[bool]:
    """Return "the column is one of the list given as ``among``": one statement for any number."""
    if on_sqlite:
        each = func.json_each(bindparam("among", type_=JSON)).table_valued("value", name="each")
        return column.in_(select(each.c.value))
    return column == func.any(bindparam("among", type_=ARRAY(column.type)))


async def _run(
    connection: AsyncConnection,
    statement: str,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    on_sqlite: bool,
) -> int:
    if not rows:
        return 0
    prepared = [
        _prepare(table.c[name], values, connection.dialect)
        for name, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    given: Any = list(zip(*prepared, strict=True)) if on_sqlite else tuple(prepared)
    result = await connection.exec_driver_sql(statement, given)
    return max(0, result.rowcount)


def _prepare(column: Column[Any], values: Sequence[Any], dialect: Dialect) -> Sequence[Any]:
    """Return a column's values as the driver wants them."""
    if isinstance(column.type, Moment):
        # The moments of a batch are few: windows open together.
        known = {value: _MOMENT.process_bind_param(value, dialect) for value in set(values)}
        return [known[value] for value in values]
    if isinstance(column.type, Date) and dialect.name == "sqlite":
        days = {value: value and value.isoformat() for value in set(values)}
        return [days[value] for value in values]
    return values


@lru_cache(maxsize=64)
def _insert(table: Table, columns: tuple[str, ...], on_sqlite: bool) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    into = f'INSERT INTO "{table.name}" ({names})'
    if on_sqlite:
        marks = ", ".join("?" for _ in columns)
        return f"{into} VALUES ({marks}) ON CONFLICT DO NOTHING"
    values = ", ".join(_value(table, name) for name in columns)
    given = _arrays(table, columns)
    return f"{into} SELECT {values} FROM {given} ON CONFLICT DO NOTHING"  # noqa: S608


@lru_cache(maxsize=64)
def _upsert(
    table: Table,
    by: tuple[str, ...],
    columns: tuple[str, ...],
    on_sqlite: bool,
    unless_alike: tuple[str, ...],
) -> str:
    new = ", ".join(f'"{name}" = excluded."{name}"' for name in columns)
    keys = ", ".join(f'"{name}"' for name in by)
    insert = _insert(table, columns + by, on_sqlite).removesuffix("ON CONFLICT DO NOTHING")
    upsert = f"{insert}ON CONFLICT ({keys}) DO UPDATE SET {new}"
    if not unless_alike:
        return upsert
    others = [f'"{table.name}"."{name}" <> excluded."{name}"' for name in unless_alike]
    work = 'excluded."due_at" IS NOT NULL'
    return f"{upsert} WHERE {' OR '.join([*others, work])}"


@lru_cache(maxsize=64)
def _update(table: Table, by: tuple[str, ...], columns: tuple[str, ...], on_sqlite: bool) -> str:
    if on_sqlite:
        values = ", ".join(f'"{name}" = ?' for name in columns)
        found = " AND ".join(f'"{name}" = ?' for name in by)
        return f'UPDATE "{table.name}" SET {values} WHERE {found}'  # noqa: S608
    # A column may be fence and value at once, so the fences have names of their own.
    values = ", ".join(f'"{name}" = {_value(table, name)}' for name in columns)
    found = " AND ".join(f'"{table.name}"."{name}" = new."by {name}"' for name in by)
    arrays = _arrays(table, columns, by)
    return f'UPDATE "{table.name}" SET {values} FROM {arrays} WHERE {found}'  # noqa: S608


def _value(table: Table, name: str) -> str:
    cast = "::json" if isinstance(table.c[name].type, JSON) else ""
    return f'new."{name}"{cast}'


def _arrays(table: Table, columns: tuple[str, ...], by: tuple[str, ...] = ()) -> str:
    """Return the rows as PostgreSQL reads them: one parameter for each column."""
    every = columns + by
    types = (_array_type(table.c[name]) for name in every)
    marks = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))
    names = ", ".join([f'"{name}"' for name in columns] + [f'"by {name}"' for name in by])
    return f"unnest({marks}) AS new({names})"


def _array_type(column: Column[Any]) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (Moment, "bigint"),
        (BigInteger, "bigint"),
        (Integer, "integer"),
        (Boolean, "boolean"),
        (Date, "date"),
    )
    return next((name for kind, name in kinds if isinstance(column.type, kind)), "text")
