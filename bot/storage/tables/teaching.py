"""What was asked and should be known, and the entries that are proposed for it."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Index, String, Table, Text, UniqueConstraint

from bot.storage.tables.columns import Id, Moment, id_column, metadata

questions = Table(
    "questions",
    metadata,
    id_column(),
    Column("key", String(160), nullable=False, unique=True),
    Column("text", Text, nullable=False),  # without personal data
    Column("plane", String(8), nullable=False),
    Column("place", String(64), nullable=False),
    Column("person", String(64), nullable=False),  # a digest
    Column("script", String(64), nullable=False, server_default=""),
    Column("step", String(64), nullable=False, server_default=""),
    Column("reason", String(16), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("reply", Text, nullable=False, server_default=""),
    Column("found", String(160), nullable=False, server_default=""),
    Column("probability", Float, nullable=False, server_default="0"),
    Column("state", String(8), nullable=False),
    Column("proposal", Id),
    Index("ix_questions_state", "state", "id"),
    Index("ix_questions_proposal", "proposal"),
    Index("ix_questions_step", "script", "step", "asked_at"),
)

proposals = Table(
    "proposals",
    metadata,
    id_column(),
    Column("kind", String(8), nullable=False),
    Column("target", String(160), nullable=False, server_default=""),
    Column("title", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("draft", JSON),
    Column("why", Text, nullable=False, server_default=""),
    Column("made_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Index("ix_proposals_state", "state", "id"),
)

signatures = Table(
    "signatures",
    metadata,
    id_column(),
    Column("proposal", Id, nullable=False),
    Column("content", String(64), nullable=False),
    Column("role", String(8), nullable=False),
    Column("signer", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("proposal", "content", "role"),
)
