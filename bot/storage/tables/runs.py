"""Scripts, their runs, and the slots they take."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
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
    Id,
    Moment,
    due_index,
    holder_column,
    id_column,
    metadata,
    work_columns,
)

scripts = Table(
    "scripts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("current", Boolean, nullable=False),
)

enrolments = Table(
    "enrolments",
    metadata,
    id_column(),
    Column("script", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("branch", String(64), nullable=False),
    Column("rotation", Integer, nullable=False, server_default="1"),
    Column("anchor", Date, nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("weekly_cap", Integer),
    Column("marketing_stopped", Boolean, nullable=False, server_default="0"),
    Column("entered_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("error", Text, nullable=False, server_default=""),
    *work_columns(),
    due_index("enrolments"),
    UniqueConstraint("script", "subject", "rotation"),
    Index(
        "ux_enrolments_live",
        "script",
        "subject",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index("ix_enrolments_subject", "subject"),
)

run_steps = Table(
    "run_steps",
    metadata,
    id_column(),
    Column("enrolment", Id, nullable=False),
    Column("step", String(64), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("planned_on", Date, nullable=False),
    Column("opens_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("iteration", Integer, nullable=False, server_default="0"),
    Column("state", String(12), nullable=False),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("text", Text, nullable=False, server_default=""),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("enrolment", "step"),
    Index("ix_run_steps_next", "enrolment", "state", "opens_at"),
)

send_tasks = Table(
    "send_tasks",
    metadata,
    id_column(),
    Column("msgid", String(128), nullable=False, unique=True),
    Column("run_step", Id, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("chat", String(64), nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("reminded", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    *work_columns(),
    holder_column(),
    due_index("send_tasks"),
    Index("ix_send_tasks_run_step", "run_step"),
)

quota = Table(
    "quota",
    metadata,
    id_column(),
    Column("subject", String(64), nullable=False),
    Column("class", String(16), nullable=False),
    Column("key", String(160), nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("key", "class"),
    Index("ix_quota_subject", "subject", "class", "at"),
)
