"""How a database means to find what a statement asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from bot.storage.db import Database, Tx

Ran = list[tuple[str, Any]]


@contextmanager
def noted(database: Database) -> Iterator[Ran]:
    """Note every statement that is run meanwhile, with its values."""
    ran: Ran = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        ran.append((statement, values))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def plan_of(database: Database, tx: Tx, statement: str, values: Any) -> str:
    """Return what the database says it would read."""
    on_postgresql = database.kind == "postgresql"
    if on_postgresql:  # of so few rows it would read every one
        await tx.connection.execute(text("SET LOCAL enable_seqscan = off"))
    how = "EXPLAIN" if on_postgresql else "EXPLAIN QUERY PLAN"
    plan = await tx.connection.exec_driver_sql(f"{how} {statement}", values)
    return str(plan.all())
