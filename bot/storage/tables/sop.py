"""Who may enter a script, what is held, approved, published for a part, withdrawn, assigned."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.storage.tables.columns import (
    Moment,
    due_index,
    id_column,
    metadata,
    work_columns,
)

# One decision about one subject, script and anchor's occurrence, with its reasons.
admissions = Table(
    "admissions",
    metadata,
    id_column(),
    Column("script", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("key", String(64), nullable=False, server_default=""),
    Column("state", String(12), nullable=False),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("verdicts", JSON, nullable=False),
    Column("rank", Integer, nullable=False, server_default="0"),
    Column("data_as_of", Moment),
    Column("at", Moment, nullable=False),
    *work_columns(),
    due_index("admissions"),
    UniqueConstraint("script", "subject", "key"),
    # Only of who waits: ranks are hashes, and each would be written on another page.
    Index(
        "ix_admissions_waiting",
        "script",
        "rank",
        "id",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
)

# What a customer did, or what happened to one, by the moment at which it happened.
occurrences = Table(
    "occurrences",
    metadata,
    id_column(),
    Column("key", String(160), nullable=False, unique=True),
    Column("subject", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("at", Moment, nullable=False),
    Column("arrived_at", Moment, nullable=False),
    Column("facts", JSON, nullable=False),
    *work_columns(),
    due_index("occurrences"),
    Index("ix_occurrences_subject", "subject", "kind", "at"),
    Index("ix_occurrences_kind", "kind", "at"),
    Index("ix_occurrences_arrived", "arrived_at"),
)

assignments = Table(
    "assignments",
    metadata,
    Column("experiment", String(64), primary_key=True),
    Column("unit", String(64), primary_key=True),
    Column("arm", String(64), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("exposed_at", Moment, nullable=False),
)

# What people paused or drained; a row without an end is in force.
holds = Table(
    "holds",
    metadata,
    id_column(),
    Column("verb", String(8), nullable=False),
    Column("scope", String(10), nullable=False),
    Column("target", String(160), nullable=False),
    Column("by", String(64), nullable=False),
    Column("why", String(256), nullable=False, server_default=""),
    Column("since", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("ended_by", String(64), nullable=False, server_default=""),
    Index("ix_holds_ended", "ended_at"),
)

approvals = Table(
    "approvals",
    metadata,
    id_column(),
    Column("script", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("content_id", String(64), nullable=False, server_default=""),
    Column("author", String(64), nullable=False),
    Column("approver", String(64), nullable=False, server_default=""),
    Column("state", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("why", String(256), nullable=False, server_default=""),
    Column("asked_at", Moment, nullable=False),
    Column("decided_at", Moment),
    Column("expires_on", Date),
    UniqueConstraint("script", "version"),
)

# A version that only a part of the subjects runs yet: named groups, or a share by hash.
publications = Table(
    "publications",
    metadata,
    Column("script", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("groups", JSON, nullable=False),
    Column("percent", Integer, nullable=False, server_default="0"),
    Column("since", Moment, nullable=False),
    Column("by", String(64), nullable=False),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    id_column(),
    Column("script", String(64), nullable=False),
    Column("step", String(64), nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("why", String(256), nullable=False, server_default=""),
    Column("at", Moment, nullable=False),
    UniqueConstraint("script", "step", "body_hash"),
)
