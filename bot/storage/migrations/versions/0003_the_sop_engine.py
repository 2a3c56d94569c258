"""The SOP engine: one-to-one runs, who may enter, holds, approvals, and mass messages for many."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_WORK = sa.text("due_at IS NOT NULL")
_NAMES = {"uq": "uq_%(table_name)s_%(column_0_name)s"}  # SQLite knows none of its own


def upgrade() -> None:
    """Apply the change."""
    _runs()
    _steps()
    _tasks()
    with op.batch_alter_table("quota") as quota:
        quota.add_column(_text("source", 10))
        quota.add_column(_text("state", 8, "used"))
        quota.add_column(_count("priority", 0))
    with op.batch_alter_table("customers") as customers:
        customers.add_column(_json("facts"))
        customers.add_column(_moment("facts_as_of"))
        customers.add_column(_cap())
    op.add_column("groups", _cap())
    op.add_column("outbox", _text("batch", 64))
    waiting = sa.text("due_at IS NOT NULL AND batch <> ''")
    op.create_index(
        "ix_outbox_batch",
        "outbox",
        ["batch", "due_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    _moments()
    _readbacks()
    _admissions()
    _occurrences()
    _people_decide()


def _text(name: str, length: int, default: str = "") -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default=default)


def _count(name: str, default: int) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=str(default))


def _json(name: str, default: str = "{}") -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False, server_default=default)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _must(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default="0")


def _cap() -> sa.Column[Any]:
    return sa.Column("weekly_cap", sa.Integer(), nullable=True)


def _id() -> sa.Column[Any]:
    return sa.Column("id", _NUMBER, autoincrement=True, nullable=False)


def _runs() -> None:
    for column in (
        _text("subject_kind", 10, "group"),
        _text("key", 64),
        _flag("product_stopped"),
        _text("node", 64),
        _text("phase", 8),
        _moment("node_at"),
        _count("round", 1),
        _json("arms"),
        _count("shifted", 0),
        _json("been", "[]"),
        _moment("data_as_of"),
        _moment("expires_at"),
    ):
        op.add_column("enrolments", column)
    op.create_index("ix_enrolments_entered", "enrolments", ["script", "entered_at"])


def _steps() -> None:
    """Let a step stand once for each round of a repetition."""
    old = "uq_run_steps_enrolment"
    if op.get_bind().dialect.name == "postgresql":
        old = "run_steps_enrolment_step_key"
    with op.batch_alter_table("run_steps", naming_convention=_NAMES) as steps:
        steps.add_column(_count("round", 1))
        steps.add_column(_text("way", 24))
        steps.add_column(_text("variant", 64))
        steps.add_column(_count("priority", 0))
        steps.drop_constraint(old, type_="unique")
        steps.create_unique_constraint("uq_run_steps_round", ["enrolment", "step", "round"])


def _tasks() -> None:
    """Let one mass-send task be for many groups or customers."""
    old = "uq_send_tasks_msgid"
    if op.get_bind().dialect.name == "postgresql":
        old = "send_tasks_msgid_key"
    with op.batch_alter_table("send_tasks", naming_convention=_NAMES) as tasks:
        tasks.add_column(_text("subject_kind", 10, "group"))
        tasks.drop_constraint(old, type_="unique")
        tasks.create_unique_constraint("uq_send_tasks_msgid_chat", ["msgid", "chat"])


def _moments() -> None:
    op.create_table(
        "moments",
        _id(),
        _must("ref", 128),
        _text("moment", 128),
        _must("manager", 64),
        _must("batch", 64),
        _must("state", 12),
        _moment("made_at", nullable=False),
        _moment("closes_at", nullable=False),
        sa.Column("error", sa.Text(), nullable=False, server_default=""),
        _moment("due_at"),
        _count("attempt", 0),
        _text("holder", 32),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ref"),
    )
    op.create_index("ix_moments_batch", "moments", ["batch"])
    op.create_index(
        "ix_moments_due",
        "moments",
        ["due_at"],
        sqlite_where=_AT_WORK,
        postgresql_where=_AT_WORK,
    )


def _readbacks() -> None:
    op.create_table(
        "readbacks",
        _must("id", 128),
        _must("chat_type", 8),
        _moment("made_at", nullable=False),
        _text("cursor", 64),
        _text("reason", 160),
        _moment("due_at"),
        _count("attempt", 0),
        _text("holder", 32),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_readbacks_due",
        "readbacks",
        ["due_at"],
        sqlite_where=_AT_WORK,
        postgresql_where=_AT_WORK,
    )
    op.create_index("ix_readbacks_made", "readbacks", ["made_at"])


def _admissions() -> None:
    op.create_table(
        "admissions",
        _id(),
        _must("script", 64),
        _must("subject", 64),
        _text("key", 64),
        _must("state", 12),
        _text("reason", 64),
        sa.Column("verdicts", sa.JSON(), nullable=False),
        _count("rank", 0),
        _moment("data_as_of"),
        _moment("at", nullable=False),
        _moment("due_at"),
        _count("attempt", 0),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("script", "subject", "key"),
    )
    op.create_index(
        "ix_admissions_due",
        "admissions",
        ["due_at"],
        sqlite_where=_AT_WORK,
        postgresql_where=_AT_WORK,
    )
    op.create_index(
        "ix_admissions_waiting",
        "admissions",
        ["script", "rank", "id"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _occurrences() -> None:
    op.create_table(
        "occurrences",
        _id(),
        _must("key", 160),
        _must("subject", 64),
        _must("kind", 32),
        _moment("at", nullable=False),
        _moment("arrived_at", nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        _moment("due_at"),
        _count("attempt", 0),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(
        "ix_occurrences_due",
        "occurrences",
        ["due_at"],
        sqlite_where=_AT_WORK,
        postgresql_where=_AT_WORK,
    )
    op.create_index("ix_occurrences_subject", "occurrences", ["subject", "kind", "at"])
    op.create_index("ix_occurrences_arrived", "occurrences", ["arrived_at"])
    op.create_table(
        "assignments",
        _must("experiment", 64),
        _must("unit", 64),
        _must("arm", 64),
        sa.Column("epoch", sa.Integer(), nullable=False),
        _moment("exposed_at", nullable=False),
        sa.PrimaryKeyConstraint("experiment", "unit"),
    )


def _people_decide() -> None:
    op.create_table(
        "holds",
        _id(),
        _must("verb", 8),
        _must("scope", 10),
        _must("target", 160),
        _must("by", 64),
        _text("why", 256),
        _moment("since", nullable=False),
        _moment("ended_at"),
        _text("ended_by", 64),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_holds_ended", "holds", ["ended_at"])
    op.create_table(
        "approvals",
        _id(),
        _must("script", 64),
        _must("version", 64),
        _text("content_id", 64),
        _must("author", 64),
        _text("approver", 64),
        _must("state", 10),
        sa.Column("text", sa.Text(), nullable=False),
        _text("why", 256),
        _moment("asked_at", nullable=False),
        _moment("decided_at"),
        sa.Column("expires_on", sa.Date()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("script", "version"),
    )
    op.create_table(
        "publications",
        _must("script", 64),
        _must("version", 64),
        sa.Column("groups", sa.JSON(), nullable=False),
        _count("percent", 0),
        _moment("since", nullable=False),
        _must("by", 64),
        sa.PrimaryKeyConstraint("script"),
    )
    op.create_table(
        "withdrawals",
        _id(),
        _must("script", 64),
        _must("step", 64),
        _must("body_hash", 64),
        _must("by", 64),
        _text("why", 256),
        _moment("at", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("script", "step", "body_hash"),
    )


def downgrade() -> None:
    """Take the change back; what an older version cannot say is forgotten."""
    _one_round_one_group()
    for table in _NEW_TABLES:
        op.drop_table(table)
    op.drop_index("ix_outbox_batch", "outbox")
    op.drop_column("outbox", "batch")
    op.drop_column("groups", "weekly_cap")
    for column in ("weekly_cap", "facts_as_of", "facts"):
        op.drop_column("customers", column)
    for column in ("priority", "state", "source"):
        op.drop_column("quota", column)
    op.drop_index("ix_enrolments_entered", "enrolments")
    for column in _OF_RUNS:
        op.drop_column("enrolments", column)


def _one_round_one_group() -> None:
    op.execute("DELETE FROM run_steps WHERE round > 1")
    op.execute("DELETE FROM enrolments WHERE subject_kind <> 'group'")
    op.execute("DELETE FROM quota WHERE state = 'planned'")
    op.execute(
        "DELETE FROM send_tasks WHERE id NOT IN (SELECT min(id) FROM send_tasks GROUP BY msgid)"
    )
    on_postgres = op.get_bind().dialect.name == "postgresql"
    steps_had = "run_steps_enrolment_step_key" if on_postgres else "uq_run_steps_enrolment"
    with op.batch_alter_table("run_steps") as steps:
        steps.drop_constraint("uq_run_steps_round", type_="unique")
        for column in ("priority", "variant", "way", "round"):
            steps.drop_column(column)
        steps.create_unique_constraint(steps_had, ["enrolment", "step"])
    tasks_had = "send_tasks_msgid_key" if on_postgres else "uq_send_tasks_msgid"
    with op.batch_alter_table("send_tasks") as tasks:
        tasks.drop_constraint("uq_send_tasks_msgid_chat", type_="unique")
        tasks.drop_column("subject_kind")
        tasks.create_unique_constraint(tasks_had, ["msgid"])


_NEW_TABLES = (
    "withdrawals",
    "publications",
    "approvals",
    "holds",
    "assignments",
    "occurrences",
    "admissions",
    "readbacks",
    "moments",
)
_OF_RUNS = (
    "expires_at",
    "data_as_of",
    "been",
    "shifted",
    "arms",
    "round",
    "node_at",
    "phase",
    "node",
    "product_stopped",
    "key",
    "subject_kind",
)
