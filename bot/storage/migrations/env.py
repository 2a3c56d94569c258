"""Runs migrations on a connection that is given."""

from typing import Any, Literal

from alembic import context

from bot.storage.tables import Moment, metadata


def render_item(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Write our own type as what it is on disk, so that old migrations never need new code."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=render_item,
    render_as_batch=True,
    compare_type=False,
)
with context.begin_transaction():
    context.run_migrations()
