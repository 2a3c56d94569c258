"""Scripts, their runs, and the slots they take."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
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
    Column("subject_kind", String(10), nullable=False, server_default="group"),
    Column("key", String(64), nullable=False, server_default=""),  # of the anchor's occurrence
    Column("owner", String(64), nullable=False),
    Column("branch", String(64), nullable=False),
    Column("rotation", Integer, nullable=False, server_default="1"),
    Column("anchor", Date, nullable=False),
    Column("state", String(12), nullable=False),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("weekly_cap", Integer),
    Column("marketing_stopped", Boolean, nullable=False, server_default="0"),
    Column("product_stopped", Boolean, nullable=False, server_default="0"),
    # Where the token of a run stands that is not planned ahead: at which step, doing what.
    Column("node", String(64), nullable=False, server_default=""),
    Column("phase", String(8), nullable=False, server_default=""),
    Column("node_at", Moment),
    Column("round", Integer, nullable=False, server_default="1"),
    Column("arms", JSON, nullable=False, server_default="{}"),
    Column("shifted", Integer, nullable=False, server_default="0"),
    Column("been", JSON, nullable=False, server_default="[]"),
    Column("data_as_of", Moment),
    Column("entered_at", Moment, nullable=False),
    Column("expires_at", Moment),
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
    Index("ix_enrolments_entered", "script", "entered_at"),
)

run_steps = Table(
    "run_steps",
    metadata,
    id_column(),
    Column("enrolment", Id, nullable=False),
    Column("step", String(64), nullable=False),
    Column("round", Integer, nullable=False, server_default="1"),
    Column("kind", String(10), nullable=False),
    Column("way", String(24), nullable=False, server_default=""),
    Column("variant", String(64), nullable=False, server_default=""),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("planned_on", Date, nullable=False),
    Column("opens_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("iteration", Integer, nullable=False, server_default="0"),
    Column("state", String(12), nullable=False),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("text", Text, nullable=False, server_default=""),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("enrolment", "step", "round"),
    Index("ix_run_steps_next", "enrolment", "state", "opens_at"),
)

send_tasks = Table(
    "send_tasks",
    metadata,
    id_column(),
    Column("msgid", String(128), nullable=False),
    Column("run_step", Id, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("chat", String(64), nullable=False),  # the group, or the customer
    Column("subject_kind", String(10), nullable=False, server_default="group"),
    Column("state", String(12), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("reminded", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    *work_columns(),
    holder_column(),
    due_index("send_tasks"),
    UniqueConstraint("msgid", "chat"),
    Index("ix_send_tasks_run_step", "run_step"),
)

# A moment waits for its manager's hand; WeCom tells its id some time after it was asked for.
moments = Table(
    "moments",
    metadata,
    id_column(),
    Column("ref", String(128), nullable=False, unique=True),
    Column("moment", String(128), nullable=False, server_default=""),
    Column("manager", String(64), nullable=False),
    Column("batch", String(64), nullable=False),
    Column("state", String(12), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("closes_at", Moment, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    *work_columns(),
    holder_column(),
    due_index("moments"),
    Index("ix_moments_batch", "batch"),
)

quota = Table(
    "quota",
    metadata,
    id_column(),
    Column("subject", String(64), nullable=False),
    Column("class", String(16), nullable=False),
    Column("key", String(160), nullable=False),
    Column("at", Moment, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("state", String(8), nullable=False, server_default="used"),
    Column("source", String(10), nullable=False, server_default=""),
    UniqueConstraint("key", "class"),
    Index("ix_quota_subject", "subject", "class", "at"),
)

# Mass messages that others sent and that count, too: two rows for the lists, one for each message.
readbacks = Table(
    "readbacks",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("chat_type", String(8), nullable=False),
    Column("made_at", Moment, nullable=False),  # of a list: up to when it was read
    Column("cursor", String(64), nullable=False, server_default=""),  # the owner read last
    Column("reason", String(160), nullable=False, server_default=""),
    *work_columns(),
    holder_column(),
    due_index("readbacks"),
    Index("ix_readbacks_made", "made_at"),
)
