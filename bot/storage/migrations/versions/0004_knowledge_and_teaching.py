"""Knowledge and teaching: what was asked and not known, and the entries proposed for it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply the change."""
    _teaching()
    _drafts()


def _must(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default="")


def _words(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _id() -> sa.Column[Any]:
    return sa.Column("id", _NUMBER, autoincrement=True, nullable=False)


def _teaching() -> None:
    op.create_table(
        "questions",
        _id(),
        _must("key", 160),
        _words("text"),
        _must("plane", 8),
        _must("place", 64),
        _must("person", 64),
        _text("script", 64),
        _text("step", 64),
        _must("reason", 16),
        _moment("asked_at"),
        _words("reply", ""),
        _text("found", 160),
        sa.Column("probability", sa.Float(), nullable=False, server_default="0"),
        _must("state", 8),
        sa.Column("proposal", _NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_questions_state", "questions", ["state", "id"])
    op.create_index("ix_questions_proposal", "questions", ["proposal"])
    op.create_index("ix_questions_step", "questions", ["script", "step", "asked_at"])
    op.create_table(
        "proposals",
        _id(),
        _must("kind", 8),
        _text("target", 160),
        _words("title"),
        _must("state", 12),
        sa.Column("draft", sa.JSON(), nullable=True),
        _words("why", ""),
        _moment("made_at"),
        _moment("closed_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_proposals_state", "proposals", ["state", "id"])
    op.create_table(
        "signatures",
        _id(),
        sa.Column("proposal", _NUMBER, nullable=False),
        _must("content", 64),
        _must("role", 8),
        _must("signer", 64),
        _moment("at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("proposal", "content", "role"),
    )


def _drafts() -> None:
    day_us = 24 * 3600 * 1_000_000
    due = sa.text("due_at IS NOT NULL")
    with op.batch_alter_table("drafts") as drafts:
        drafts.add_column(sa.Column("askers", sa.JSON(), nullable=False, server_default="[]"))
        drafts.add_column(_words("said", ""))
        drafts.add_column(_text("reason", 32))
        drafts.add_column(_text("code", 160))
        drafts.add_column(_moment("settled_at", nullable=True))
        drafts.add_column(_moment("due_at", nullable=True))
        drafts.add_column(sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_drafts_due", "drafts", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_index("ix_drafts_at", "drafts", ["at"])
    # What waits lives for a day, as what is made from now on does.
    op.execute(f"UPDATE drafts SET due_at = at + {day_us} WHERE state = 'waiting'")  # noqa: S608


_DRAFT_COLUMNS = ("attempt", "due_at", "settled_at", "code", "reason", "said", "askers")


def downgrade() -> None:
    """Take the change back."""
    op.execute("UPDATE drafts SET state = 'sent' WHERE state = 'edited'")
    op.execute("UPDATE drafts SET state = 'dropped' WHERE state IN ('otherwise', 'expired')")
    op.drop_index("ix_drafts_at", "drafts")
    op.drop_index("ix_drafts_due", "drafts")
    with op.batch_alter_table("drafts") as drafts:
        for column in _DRAFT_COLUMNS:
            drafts.drop_column(column)
    for table in ("signatures", "proposals", "questions"):
        op.drop_table(table)
