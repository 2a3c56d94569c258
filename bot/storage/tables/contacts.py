"""Who knows whom, how far WeCom's lists were read, the codes we made, what is handed on."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table

from bot.storage.tables.columns import (
    Moment,
    due_index,
    holder_column,
    id_column,
    metadata,
    work_columns,
)

follows = Table(
    "follows",
    metadata,
    Column("customer", String(64), primary_key=True),
    Column("manager", String(64), primary_key=True),
    Column("since", Moment, nullable=False),
    Column("state", String(64), nullable=False, server_default=""),
    Column("tags", JSON, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("lost_at", Moment),
    Index("ix_follows_manager", "manager", "seen_at"),
)

# A list of WeCom's that is read page by page; of one kind at most one row is due at a time, and
# paced_to is how far into the future the calls so far reach at the pace that is kept.
polls = Table(
    "polls",
    metadata,
    Column("id", String(96), primary_key=True),
    Column("cursor", String(512), nullable=False, server_default=""),
    Column("pass_at", Moment),
    Column("done_at", Moment),
    Column("paced_to", Moment),
    Column("reason", String(160), nullable=False, server_default=""),
    *work_columns(),
    holder_column(),
    due_index("polls"),
)

contact_ways = Table(
    "contact_ways",
    metadata,
    Column("id", String(96), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("name", String(64), nullable=False),
    Column("way_state", String(32), nullable=False),
    Column("wanted", JSON, nullable=False),
    Column("fingerprint", String(32), nullable=False),
    Column("config_id", String(64), nullable=False, server_default=""),
    Column("link", String(512), nullable=False, server_default=""),
    Column("status", String(10), nullable=False),
    Column("reason", String(160), nullable=False, server_default=""),
    Column("begun_at", Moment),
    Column("changed_at", Moment, nullable=False),
    *work_columns(),
    holder_column(),
    due_index("contact_ways"),
)

transfers = Table(
    "transfers",
    metadata,
    id_column(),
    Column("kind", String(10), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("giver", String(64), nullable=False),
    Column("taker", String(64), nullable=False),
    Column("resigned", Boolean, nullable=False),
    Column("words", String(256), nullable=False, server_default=""),
    Column("state", String(10), nullable=False),
    Column("reason", String(160), nullable=False, server_default=""),
    Column("asked_at", Moment),
    Column("changed_at", Moment, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    *work_columns(),
    holder_column(),
    due_index("transfers"),
    Index("ux_transfers_once", "kind", "subject", "giver", "taker", unique=True),
    Index("ix_transfers_subject", "subject"),
)
