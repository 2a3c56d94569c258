"""What makes a lead, who has how many, by when what is due, and what was learnt of them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.storage.tables.columns import Id, Moment, due_index, id_column, metadata, work_columns

# Every signal, with the lead it went into; null while the score is below the threshold.
lead_signals = Table(
    "lead_signals",
    metadata,
    id_column(),
    Column("key", String(160), nullable=False, unique=True),
    Column("customer", String(64), nullable=False),
    Column("need", String(32), nullable=False),
    Column("product", String(64), nullable=False, server_default=""),
    Column("origin", String(12), nullable=False),
    Column("explicit", Boolean, nullable=False),
    Column("points", Float, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    Column("lead", Id),
    Index("ix_lead_signals_customer", "customer", "need", "at"),
    Index("ix_lead_signals_lead", "lead"),
    Index("ix_lead_signals_at", "at"),
)

# One moment by which something is due for a lead; ``key`` is the customer's message for ``next``.
lead_timers = Table(
    "lead_timers",
    metadata,
    id_column(),
    Column("lead", Id, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("key", String(64), nullable=False, server_default=""),
    Column("total_us", Id, nullable=False),  # of time in which people are there, or of the clock
    Column("left_us", Id, nullable=False),  # of it, at started_at; all that counts of a paused one
    Column("round_the_clock", Boolean, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("due_by", Moment, nullable=False),
    Column("level", Integer, nullable=False, server_default="0"),
    Column("state", String(8), nullable=False),
    Column("done_at", Moment),
    Column("passed", JSON, nullable=False, server_default="[]"),  # who let an offer lie
    *work_columns(),
    due_index("lead_timers"),
    UniqueConstraint("lead", "kind", "key"),
)

# How much each member of staff has: read and changed by one conditional statement.
desks = Table(
    "desks",
    metadata,
    Column("userid", String(64), primary_key=True),
    Column("load", Integer, nullable=False, server_default="0"),  # weighted open leads
    Column("hour", Moment),
    Column("taken_in_hour", Integer, nullable=False, server_default="0"),
    Column("last_given_at", Moment),
)

absences = Table(
    "absences",
    metadata,
    id_column(),
    Column("userid", String(64), nullable=False),
    Column("from_at", Moment, nullable=False),
    Column("until_at", Moment, nullable=False),
    Column("deputy", String(64), nullable=False, server_default=""),
    Column("set_by", String(64), nullable=False, server_default=""),
    Column("at", Moment, nullable=False),
    *work_columns(),  # due when what lies on the desk is to be handed on
    due_index("absences"),
    Index("ix_absences_userid", "userid", "until_at"),
)

# A talk of 微信客服 that a person was called to, or took; open until it is given back.
kf_tickets = Table(
    "kf_tickets",
    metadata,
    id_column(),
    Column("customer", String(64), nullable=False),
    Column("account", String(64), nullable=False),
    Column("reason", String(32), nullable=False, server_default=""),
    Column("lead", Id),
    Column("state", String(8), nullable=False),
    Column("wanted", String(64), nullable=False, server_default=""),
    Column("opened_at", Moment, nullable=False),
    Column("opens_at", Moment),  # when somebody is there again, for one that waits for that
    Column("given_at", Moment),
    Column("taken_by", String(64), nullable=False, server_default=""),
    Column("taken_at", Moment),
    Column("spoke_at", Moment),
    Column("last_at", Moment),
    Column("last_by", String(8), nullable=False, server_default=""),
    Column("briefed_at", Moment),
    Column("given_back_at", Moment),
    Column("how", String(16), nullable=False, server_default=""),
    Column("rating", Integer),
    Column("offered", String(64), nullable=False, server_default=""),
    Column("offered_at", Moment),
    *work_columns(),
    due_index("kf_tickets"),
    Index("ix_kf_tickets_customer", "customer", "id"),
    Index(
        "ux_kf_tickets_open",
        "customer",
        "account",
        unique=True,
        sqlite_where=text("given_back_at IS NULL"),
        postgresql_where=text("given_back_at IS NULL"),
    ),
)

# What was fitted to outcomes; the newest that is in use scores.
lead_models = Table(
    "lead_models",
    metadata,
    id_column(),
    Column("made_at", Moment, nullable=False),
    Column("outcomes", Integer, nullable=False),
    Column("model", JSON, nullable=False),
    Column("figures", JSON, nullable=False),
    Column("in_use", Boolean, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
)
