"""Leads and the workbench: signals, timers, desks, absences, tickets, what was learnt."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("closed_at IS NULL")
_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Apply the change."""
    _leads()
    _signals()
    _timers()
    _desks()
    _tickets()
    _models()
    _asks()


def _must(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _text(name: str, length: int, default: str = "") -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=False, server_default=default)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _json(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False, server_default=default)


def _id() -> sa.Column[Any]:
    return sa.Column("id", _NUMBER, autoincrement=True, nullable=False)


def _lead() -> sa.Column[Any]:
    return sa.Column("lead", _NUMBER, nullable=True)


def _due(table: str) -> None:
    op.create_index(f"ix_{table}_due", table, ["due_at"], sqlite_where=_DUE, postgresql_where=_DUE)


def _leads() -> None:
    op.drop_index("ux_leads_open", "leads")
    with op.batch_alter_table("leads") as leads:
        leads.add_column(_text("product", 64))
        leads.add_column(_text("origin", 12, "kf"))
        leads.add_column(_text("branch", 64))
        leads.add_column(sa.Column("score", sa.Float(), nullable=False, server_default="0"))
        leads.add_column(_json("reasons", "[]"))
        leads.add_column(_json("features", "{}"))
        leads.add_column(sa.Column("asked", sa.Boolean(), nullable=False, server_default="0"))
        leads.add_column(_count("offers"))
        leads.add_column(_moment("accept_by", nullable=True))
        leads.add_column(_moment("sleeps_until", nullable=True))
        leads.add_column(_moment("first_response_at", nullable=True))
        leads.add_column(_text("outcome_reason", 160))
        leads.add_column(_text("card_to", 64))
        leads.add_column(_text("card_code", 160))
        leads.add_column(_moment("card_at", nullable=True))
        leads.drop_column("warned")
    op.create_index(
        "ux_leads_open",
        "leads",
        ["customer", "need", "product"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_leads_customer", "leads", ["customer", "opened_at"])
    op.create_index("ix_leads_opened", "leads", ["opened_at"])
    op.create_index("ix_leads_rm", "leads", ["rm"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    # What was closed by a press of 成交了 or 没成 says so in the ledger alone until now.
    for kind, stage in (("lead_won", "won"), ("lead_lost", "lost")):
        op.execute(_told_by_the_ledger(kind, stage))


def _told_by_the_ledger(kind: str, stage: str) -> str:
    postgresql = op.get_bind().dialect.name == "postgresql"
    number = "(facts->>'lead')::bigint" if postgresql else "json_extract(facts, '$.lead')"
    return (
        f"UPDATE leads SET stage = '{stage}' WHERE stage = 'closed' AND id IN "  # noqa: S608
        f"(SELECT {number} FROM ledger WHERE kind = '{kind}')"
    )


def _signals() -> None:
    op.create_table(
        "lead_signals",
        _id(),
        _must("key", 160),
        _must("customer", 64),
        _must("need", 32),
        _text("product", 64),
        _must("origin", 12),
        sa.Column("explicit", sa.Boolean(), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        _json("evidence"),
        _moment("at"),
        _lead(),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_lead_signals_customer", "lead_signals", ["customer", "need", "at"])
    op.create_index("ix_lead_signals_lead", "lead_signals", ["lead"])
    op.create_index("ix_lead_signals_at", "lead_signals", ["at"])
    op.create_index("ix_occurrences_kind", "occurrences", ["kind", "at"])


def _timers() -> None:
    op.create_table(
        "lead_timers",
        _id(),
        sa.Column("lead", _NUMBER, nullable=False),
        _must("kind", 8),
        _text("key", 64),
        sa.Column("total_us", _NUMBER, nullable=False),
        sa.Column("left_us", _NUMBER, nullable=False),
        sa.Column("round_the_clock", sa.Boolean(), nullable=False),
        _moment("started_at"),
        _moment("due_by"),
        _count("level"),
        _must("state", 8),
        _moment("done_at", nullable=True),
        _json("passed", "[]"),
        _moment("due_at", nullable=True),
        _count("attempt"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lead", "kind", "key"),
    )
    _due("lead_timers")


def _desks() -> None:
    op.create_table(
        "desks",
        _must("userid", 64),
        _count("load"),
        _moment("hour", nullable=True),
        _count("taken_in_hour"),
        _moment("last_given_at", nullable=True),
        sa.PrimaryKeyConstraint("userid"),
    )
    op.create_table(
        "absences",
        _id(),
        _must("userid", 64),
        _moment("from_at"),
        _moment("until_at"),
        _text("deputy", 64),
        _text("set_by", 64),
        _moment("at"),
        _moment("due_at", nullable=True),
        _count("attempt"),
        sa.PrimaryKeyConstraint("id"),
    )
    _due("absences")
    op.create_index("ix_absences_userid", "absences", ["userid", "until_at"])


def _tickets() -> None:
    held = sa.text("given_back_at IS NULL")
    op.create_table(
        "kf_tickets",
        _id(),
        _must("customer", 64),
        _must("account", 64),
        _text("reason", 32),
        _lead(),
        _must("state", 8),
        _text("wanted", 64),
        _moment("opened_at"),
        _moment("opens_at", nullable=True),
        _moment("given_at", nullable=True),
        _text("taken_by", 64),
        _moment("taken_at", nullable=True),
        _moment("spoke_at", nullable=True),
        _moment("last_at", nullable=True),
        _text("last_by", 8),
        _moment("briefed_at", nullable=True),
        _moment("given_back_at", nullable=True),
        _text("how", 16),
        sa.Column("rating", sa.Integer(), nullable=True),
        _text("offered", 64),
        _moment("offered_at", nullable=True),
        _moment("due_at", nullable=True),
        _count("attempt"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_kf_tickets_customer", "kf_tickets", ["customer", "id"])
    _due("kf_tickets")
    op.create_index(
        "ux_kf_tickets_open",
        "kf_tickets",
        ["customer", "account"],
        unique=True,
        sqlite_where=held,
        postgresql_where=held,
    )


def _models() -> None:
    op.create_table(
        "lead_models",
        _id(),
        _moment("made_at"),
        sa.Column("outcomes", sa.Integer(), nullable=False),
        _json("model"),
        _json("figures"),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id"),
    )


def _asks() -> None:
    op.create_table(
        "asks",
        _id(),
        _must("by", 64),
        _text("customer", 64),
        _text("chat", 64),
        sa.Column("question", sa.Text(), nullable=False),
        _must("state", 8),
        sa.Column("draft", _NUMBER, nullable=True),
        sa.Column("words", sa.Text(), nullable=False, server_default=""),
        _moment("at"),
        _moment("due_at", nullable=True),
        _count("attempt"),
        sa.PrimaryKeyConstraint("id"),
    )
    _due("asks")
    op.create_index("ix_asks_by", "asks", ["by", "at"])


_LEAD_COLUMNS = (
    "outcome_reason",
    "first_response_at",
    "sleeps_until",
    "accept_by",
    "offers",
    "asked",
    "features",
    "reasons",
    "score",
    "branch",
    "origin",
    "product",
    "card_to",
    "card_code",
    "card_at",
)


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_occurrences_kind", "occurrences")
    op.drop_table("asks")
    tables = ("lead_models", "kf_tickets", "absences", "desks", "lead_timers", "lead_signals")
    for table in tables:
        op.drop_table(table)
    op.execute("UPDATE leads SET stage = 'closed' WHERE stage IN ('won', 'lost')")
    op.execute("UPDATE leads SET stage = 'taken' WHERE stage = 'later'")
    # Of several open leads of one need, for several products, the oldest stays open.
    op.execute(
        "UPDATE leads SET closed_at = opened_at, stage = 'closed', due_at = NULL "
        "WHERE closed_at IS NULL AND EXISTS (SELECT 1 FROM leads AS older "
        "WHERE older.customer = leads.customer AND older.need = leads.need "
        "AND older.closed_at IS NULL AND older.id < leads.id)"
    )
    for index in ("ix_leads_rm", "ix_leads_opened", "ix_leads_customer", "ux_leads_open"):
        op.drop_index(index, "leads")
    with op.batch_alter_table("leads") as leads:
        for column in _LEAD_COLUMNS:
            leads.drop_column(column)
        leads.add_column(_count("warned"))
    op.create_index(
        "ux_leads_open",
        "leads",
        ["customer", "need"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
