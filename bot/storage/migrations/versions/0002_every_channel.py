"""every channel."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("notices") as notices:
        notices.add_column(
            sa.Column("lane", sa.String(length=80), nullable=False, server_default="")
        )
        notices.add_column(
            sa.Column("state", sa.String(length=10), nullable=False, server_default="ready")
        )
    for table in ("notices", "events", "outbox", "send_tasks", "groups"):
        op.add_column(
            table, sa.Column("holder", sa.String(length=32), nullable=False, server_default="")
        )
    at_work = sa.text("due_at IS NOT NULL")
    running = sa.text("state = 'running' AND lane <> ''")
    sent = sa.text("state = 'sent'")
    op.create_index(
        "ix_notices_lane",
        "notices",
        ["lane", "id"],
        sqlite_where=at_work,
        postgresql_where=at_work,
    )
    op.create_index(
        "ux_notices_lane_running",
        "notices",
        ["lane"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_index(
        "ix_outbox_sent", "outbox", ["settled_at"], sqlite_where=sent, postgresql_where=sent
    )
    op.add_column(
        "conversations",
        sa.Column("rejected", sa.Boolean(), nullable=False, server_default="0"),
    )
    op.execute("UPDATE notices SET state = 'dead' WHERE due_at IS NULL AND error <> ''")
    op.execute("UPDATE notices SET state = 'done' WHERE due_at IS NULL AND error = ''")
    _the_sender()
    _the_planner()
    _contacts()
    op.create_table(
        "switches",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "streams",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("finished", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_streams_at", "streams", ["at"], unique=False)


def _the_sender() -> None:
    """Slots, paces and doubts."""
    op.add_column("outbox", sa.Column("tried_at", sa.BigInteger(), nullable=True))
    op.execute("UPDATE outbox SET tried_at = created_at WHERE state = 'sending'")
    op.create_index(
        "ix_outbox_turn",
        "outbox",
        ["urgent", "due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ux_outbox_lane_running",
        "outbox",
        ["lane"],
        unique=True,
        sqlite_where=sa.text("state = 'sending' AND holder <> ''"),
        postgresql_where=sa.text("state = 'sending' AND holder <> ''"),
    )
    for table in ("enrolments", "send_tasks"):
        op.add_column(table, sa.Column("error", sa.Text(), nullable=False, server_default=""))
    # Its rows are the last minutes' use of the API: a new table begins full.
    op.drop_table("buckets")
    op.create_table(
        "buckets",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("filled_at", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=True),
        sa.Column("queued_until", sa.BigInteger(), nullable=True),
        sa.Column("strikes", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "doubts",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("outbox", number, nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("absent_at", sa.BigInteger(), nullable=True),
        sa.Column("resent", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("holder", sa.String(length=32), nullable=False, server_default=""),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("outbox"),
    )
    op.create_index(
        "ix_doubts_due",
        "doubts",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


_UPDATED_OFTEN = ("notices", "events", "outbox", "enrolments", "run_steps", "send_tasks")


def _the_planner() -> None:
    """What a batch of runs is read by; and room on PostgreSQL's pages for rows that change."""
    op.drop_index("ix_run_steps_state", "run_steps")
    op.create_index("ix_run_steps_next", "run_steps", ["enrolment", "state", "opens_at"])
    op.create_index("ix_send_tasks_run_step", "send_tasks", ["run_step"])
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in _UPDATED_OFTEN:
        # A fifth of a table is never waited for: dead rows slow every claim down long before.
        op.execute(
            f"ALTER TABLE {table} SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, "
            "autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0, "
            "autovacuum_analyze_scale_factor = 0.02)"
        )


def _the_old_planner() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _UPDATED_OFTEN:
            op.execute(
                f"ALTER TABLE {table} RESET (fillfactor, autovacuum_vacuum_scale_factor, "
                "autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay, "
                "autovacuum_analyze_scale_factor)"
            )
    op.drop_index("ix_send_tasks_run_step", "send_tasks")
    op.drop_index("ix_run_steps_next", "run_steps")
    op.create_index("ix_run_steps_state", "run_steps", ["state"])


def _the_old_sender() -> None:
    op.drop_table("doubts")
    for table in ("enrolments", "send_tasks"):
        op.drop_column(table, "error")
    op.drop_index("ux_outbox_lane_running", table_name="outbox")
    op.drop_index("ix_outbox_turn", table_name="outbox")
    op.drop_column("outbox", "tried_at")
    op.drop_table("buckets")
    op.create_table(
        "buckets",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("filled_at", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    """Take the change back."""
    _no_contacts()
    _the_old_planner()
    _the_old_sender()
    op.drop_table("streams")
    op.drop_table("leases")
    op.drop_table("switches")
    op.drop_column("conversations", "rejected")
    op.drop_index("ix_outbox_sent", "outbox")
    op.drop_index("ux_notices_lane_running", "notices")
    op.drop_index("ix_notices_lane", "notices")
    for table in ("groups", "send_tasks", "outbox", "events", "notices"):
        op.drop_column(table, "holder")
    with op.batch_alter_table("notices") as notices:
        notices.drop_column("state")
        notices.drop_column("lane")


def _work_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("holder", sa.String(length=32), server_default="", nullable=False),
    ]


def _due_index(table: str) -> None:
    op.create_index(
        f"ix_{table}_due",
        table,
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def _contacts() -> None:
    with op.batch_alter_table("customers") as customers:
        customers.add_column(
            sa.Column("state", sa.String(length=64), nullable=False, server_default="")
        )
        for column in _work_columns():
            customers.add_column(column)
    _due_index("customers")
    with op.batch_alter_table("groups") as groups:
        for name in ("version", "announced"):
            groups.add_column(
                sa.Column(name, sa.String(length=64), nullable=False, server_default="")
            )
    op.create_table(
        "follows",
        sa.Column("customer", sa.String(length=64), nullable=False),
        sa.Column("manager", sa.String(length=64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=64), server_default="", nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("lost_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("customer", "manager"),
    )
    op.create_index("ix_follows_manager", "follows", ["manager", "seen_at"], unique=False)
    op.create_table(
        "polls",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("cursor", sa.String(length=512), server_default="", nullable=False),
        sa.Column("pass_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("paced_to", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=160), server_default="", nullable=False),
        *_work_columns(),
        sa.PrimaryKeyConstraint("id"),
    )
    _due_index("polls")
    _ways_and_transfers()


def _ways_and_transfers() -> None:
    op.create_table(
        "contact_ways",
        sa.Column("id", sa.String(length=96), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("way_state", sa.String(length=32), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("config_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("link", sa.String(length=512), server_default="", nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=160), server_default="", nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        *_work_columns(),
        sa.PrimaryKeyConstraint("id"),
    )
    _due_index("contact_ways")
    op.create_table(
        "transfers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("giver", sa.String(length=64), nullable=False),
        sa.Column("taker", sa.String(length=64), nullable=False),
        sa.Column("resigned", sa.Boolean(), nullable=False),
        sa.Column("words", sa.String(length=256), server_default="", nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=160), server_default="", nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        *_work_columns(),
        sa.PrimaryKeyConstraint("id"),
    )
    _due_index("transfers")
    once = ["kind", "subject", "giver", "taker"]
    op.create_index("ux_transfers_once", "transfers", once, unique=True)
    op.create_index("ix_transfers_subject", "transfers", ["subject"], unique=False)


def _no_contacts() -> None:
    for table in ("transfers", "contact_ways", "polls", "follows"):
        op.drop_table(table)
    with op.batch_alter_table("groups") as groups:
        groups.drop_column("announced")
        groups.drop_column("version")
    op.drop_index("ix_customers_due", "customers")
    with op.batch_alter_table("customers") as customers:
        for name in ("holder", "attempt", "due_at", "state"):
            customers.drop_column(name)
