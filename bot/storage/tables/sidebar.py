"""What staff ask for in the sidebar: a page's process has no index, so workers answer."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from bot.storage.tables.columns import Id, Moment, due_index, id_column, metadata, work_columns

asks = Table(
    "asks",
    metadata,
    id_column(),
    Column("by", String(64), nullable=False),
    Column("customer", String(64), nullable=False, server_default=""),
    Column("chat", String(64), nullable=False, server_default=""),
    Column("question", Text, nullable=False),  # masked
    Column("state", String(8), nullable=False),
    Column("draft", Id),
    Column("words", Text, nullable=False, server_default=""),
    Column("at", Moment, nullable=False),
    *work_columns(),
    due_index("asks"),
    Index("ix_asks_by", "by", "at"),
)
