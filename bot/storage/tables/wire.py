"""What comes in and what goes out."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text, text

from bot.storage.tables.columns import (
    Id,
    Moment,
    due_index,
    holder_column,
    id_column,
    lane_indexes,
    metadata,
    work_columns,
)

notices = Table(
    "notices",
    metadata,
    id_column(),
    Column("key", String(64), nullable=False, unique=True),
    Column("channel", String(16), nullable=False),
    Column("lane", String(80), nullable=False, server_default=""),
    Column("body", Text, nullable=False),
    Column("state", String(10), nullable=False, server_default="ready"),
    Column("received_at", Moment, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    *work_columns(),
    holder_column(),
    due_index("notices"),
    *lane_indexes("notices"),
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
    holder_column(),
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
    Column("batch", String(64), nullable=False, server_default=""),  # leaves in one call with these
    Column("urgent", Boolean, nullable=False, server_default="0"),
    Column("body", JSON, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("state", String(10), nullable=False, server_default="ready"),
    Column("reason", String(160), nullable=False, server_default=""),
    Column("ref", String(160), nullable=False, server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("tried_at", Moment),  # since when it may have left; null for one that surely has not
    Column("settled_at", Moment),
    *work_columns(),
    holder_column(),
    due_index("outbox"),
    Index(
        "ix_outbox_lane",
        "lane",
        "id",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index("ix_outbox_ref", "ref"),
    Index(
        "ix_outbox_batch",
        "batch",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL AND batch <> ''"),
        postgresql_where=text("due_at IS NOT NULL AND batch <> ''"),
    ),
    Index(
        "ix_outbox_turn",
        "urgent",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index(
        "ux_outbox_lane_running",
        "lane",
        unique=True,
        sqlite_where=text("state = 'sending' AND holder <> ''"),
        postgresql_where=text("state = 'sending' AND holder <> ''"),
    ),
    Index(
        "ix_outbox_sent",
        "settled_at",
        sqlite_where=text("state = 'sent'"),
        postgresql_where=text("state = 'sent'"),
    ),
)

# Mass-send tasks that may or may not have been made: WeCom is asked until it is known.
doubts = Table(
    "doubts",
    metadata,
    id_column(),
    Column("outbox", Id, nullable=False, unique=True),
    Column("tried_at", Moment, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("absent_at", Moment),
    Column("resent", Integer, nullable=False, server_default="0"),
    *work_columns(),
    holder_column(),
    due_index("doubts"),
)

buckets = Table(
    "buckets",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("filled_at", Moment, nullable=False),
    Column("blocked_until", Moment),
    Column("queued_until", Moment),
    Column("strikes", Integer, nullable=False, server_default="0"),
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

# Answers that the AI bot's webhook gives out bit by bit, whichever process WeCom asks.
streams = Table(
    "streams",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("content", Text, nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_streams_at", "at"),
)

# What only one process may do at a time on PostgreSQL; whoever holds it renews it.
leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", Moment, nullable=False),
)
