"""What comes in and what goes out."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, String, Table, Text, text

from bot.storage.tables.columns import Moment, due_index, id_column, metadata, work_columns

notices = Table(
    "notices",
    metadata,
    id_column(),
    Column("key", String(64), nullable=False, unique=True),
    Column("channel", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    *work_columns(),
    due_index("notices"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("value", String(256), nullable=False),
)

events = Table(
    "events",
    metadata,
    id_column(),
    Column("key", String(160), nullable=False, unique=True),
    Column("lane", String(160), nullable=False),
    Column("body", JSON, nullable=False),
    Column("state", String(10), nullable=False, server_default="ready"),
    Column("received_at", Moment, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    *work_columns(),
    due_index("events"),
    Index(
        "ix_events_lane",
        "lane",
        "id",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index(
        "ux_events_lane_running",
        "lane",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    id_column(),
    Column("key", String(160), nullable=False, unique=True),
    Column("channel", String(16), nullable=False),
    Column("policy", String(20), nullable=False),
    Column("lane", String(160), nullable=False),
    Column("bucket", String(40), nullable=False),
    Column("urgent", Boolean, nullable=False, server_default="0"),
    Column("body", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("state", String(10), nullable=False, server_default="ready"),
    Column("reason", String(160), nullable=False, server_default=""),
    Column("ref", String(160), nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("settled_at", Moment),
    *work_columns(),
    due_index("outbox"),
    Index(
        "ix_outbox_lane",
        "lane",
        "id",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index("ix_outbox_ref", "ref"),
)

buckets = Table(
    "buckets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("filled_at", Moment, nullable=False),
    Column("blocked_until", Moment),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", String(160), primary_key=True),
    Column("token", String(600), nullable=False),
    Column("expires_at", Moment, nullable=False),
)

# What people switched off (zhilin stop-sending): a row is there as long as it is off.
switches = Table(
    "switches",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("since", Moment, nullable=False),
    Column("by", String(64), nullable=False),
)

# What only one process may do at a time on PostgreSQL; whoever holds it renews it.
leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", Moment, nullable=False),
)
